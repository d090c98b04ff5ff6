"""Choose runs by what is known of them: pipeline, state, time, metrics."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from buzzflow.backends.local.history.overview import Overview

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}
_CONDITION = re.compile(r"\s*([^<>=!\s]+)\s*(<=|>=|==|!=|<|>|=)\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class MetricCondition:
    """`auc>0.9`: *name* is the whole of a metric's name or its end: `auc`, `train.auc`, `evaluate.report.auc`."""

    name: str
    compare: str
    value: float

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what *text* says; ValueError says what is wrong with it."""
        match = _CONDITION.fullmatch(text)
        try:
            if match is not None:
                return cls(match[1], match[2], float(match[3]))
        except ValueError:
            pass
        raise ValueError(f"{text!r} is no condition: write 'auc>0.9', 'train.loss<=0.1'")

    def holds(self, run: Overview) -> bool:
        """Whether a number that *run* found fits."""
        found = (one.value for one in run.findings if f".{one.label}".endswith(f".{self.name}"))
        return any(_OPERATORS[self.compare](value, self.value) for value in found)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which runs are wanted. *pipelines* are names, or paths as manifests have them, from the top of the repository."""

    pipelines: frozenset[str] | None = None
    states: frozenset[str] = frozenset()
    since: datetime | None = None
    metrics: tuple[MetricCondition, ...] = ()

    def has(self, run: Overview) -> bool:
        """Whether *run* is wanted."""
        return (
            (self.pipelines is None or _is_of(run, self.pipelines))
            and (not self.states or run.state in self.states)
            and (self.since is None or run.started >= self.since)
            and all(condition.holds(run) for condition in self.metrics)
        )


def _is_of(run: Overview, pipelines: frozenset[str]) -> bool:
    manifest = run.manifest
    return manifest is not None and (manifest.pipeline in pipelines or manifest.file in pipelines)


def files_of(paths: Sequence[Path], top: Path) -> frozenset[str]:
    """Return *paths* as manifests name them, from the folder *top*."""
    found = (path.resolve() for path in paths)
    return frozenset(str(path.relative_to(top)) if path.is_relative_to(top) else str(path) for path in found)
