"""The numbers that a run found: metrics in logs, and numbers in JSON reports."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from buzzflow.backends.local.records.manifest import Manifest

_MOST_OF_A_REPORT = 50
_LARGEST_REPORT = 1_000_000  # bytes: what is larger holds data, not metrics
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Finding:
    """A number: *name* is the metric's, or `report.path.in.it`."""

    step: str
    name: str
    value: float

    @property
    def label(self) -> str:
        """Step and name: `evaluate.report.auc`."""
        return f"{self.step}.{self.name}"


def findings(manifest: Manifest, folder: Path) -> Iterator[Finding]:
    """Yield the numbers of the run in *folder*, in the order of its steps; reports that cannot be read have none."""
    for step, record in manifest.steps.items():
        yield from (Finding(step, name, value) for name, value in record.metrics.items())
        for report, place in record.left.reports.items():
            numbers = _numbers(_content(folder / place), report, 0)
            for _, (name, value) in zip(range(_MOST_OF_A_REPORT), numbers, strict=False):
                yield Finding(step, name, value)


def _content(file: Path) -> object:
    try:
        return json.loads(file.read_bytes()) if file.stat().st_size <= _LARGEST_REPORT else None
    except (OSError, ValueError, RecursionError):
        return None


def _numbers(content: object, name: str, depth: int) -> Iterator[tuple[str, float]]:
    """Yield the numbers below *content* with their paths; items of lists are data, and no metrics."""
    if isinstance(content, dict) and depth < _DEEPEST:
        for key, value in content.items():
            yield from _numbers(value, f"{name}.{key}", depth + 1)
    elif isinstance(content, int | float) and not isinstance(content, bool) and math.isfinite(content):
        yield name, content
