"""Two runs side by side: parameters, metrics, states, times, usage, code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from buzzflow.backends.local.history.findings import findings
from buzzflow.backends.local.history.overview import Overview
from buzzflow.backends.local.records.manifest import Manifest, Plain, StepRecord

_NOISE = 0.1  # times and usage differ a little in any two runs: that part of the larger one says nothing
_LEAST_SECONDS, _LEAST_CORES, _LEAST_BYTES = 0.5, 0.25, 20 * 2**20


class Unit(StrEnum):
    """How a value is to be read."""

    NONE = ""
    SECONDS = "seconds"
    CORES = "cores"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing in both runs; None is what a run does not have."""

    section: str
    name: str
    left: Plain | None
    right: Plain | None
    differs: bool
    unit: Unit = Unit.NONE


def compare(left: Overview, right: Overview) -> list[Row]:
    """Return everything that both or one of them has. Both must have manifests that can be read."""
    assert left.manifest is not None
    assert right.manifest is not None
    a, b = left.manifest, right.manifest
    return [
        *_rows("run", _about(a), _about(b)),
        *_measured("run", "wall", a.seconds, b.seconds, Unit.SECONDS),
        *_rows("parameters", a.parameters, b.parameters),
        *_rows("metrics", _found(left), _found(right)),
        *_rows("state", *_of_steps(a, b, lambda step: str(step.state))),
        *_rows("code", a.code, b.code),
        *_usage(a, b),
    ]


def _about(manifest: Manifest) -> dict[str, Plain | None]:
    return {
        "state": str(manifest.standing),
        "pipeline": manifest.pipeline,
        "file": manifest.file,
        "executor": manifest.executor,
        "buzzflow": manifest.buzzflow,
    }


def _found(run: Overview) -> dict[str, Plain]:
    assert run.manifest is not None
    return {one.label: one.value for one in findings(run.manifest, run.folder)}


def _of_steps(a: Manifest, b: Manifest, value: Callable[[StepRecord], Plain]) -> tuple[dict[str, Plain], ...]:
    return tuple({name: value(step) for name, step in m.steps.items()} for m in (a, b))


def _rows(section: str, left: Mapping[str, Plain | None], right: Mapping[str, Plain | None]) -> Iterator[Row]:
    for name in dict.fromkeys((*left, *right)):
        a, b = left.get(name), right.get(name)
        if a is not None or b is not None:
            yield Row(section, name, a, b, differs=a != b)


def _usage(a: Manifest, b: Manifest) -> Iterator[Row]:
    figures: list[tuple[str, Unit, Callable[[StepRecord], float | None]]] = [
        ("time", Unit.SECONDS, lambda step: step.seconds),
        ("CPU mean", Unit.CORES, lambda step: None if step.usage is None else step.usage.cpu_mean_cores),
        ("memory peak", Unit.BYTES, lambda step: None if step.usage is None else step.usage.memory_peak_bytes),
    ]
    for section, unit, value in figures:
        for name in dict.fromkeys((*a.steps, *b.steps)):
            one, two = (None if name not in m.steps else value(m.steps[name]) for m in (a, b))
            yield from _measured(section, name, one, two, unit)


def _measured(section: str, name: str, left: float | None, right: float | None, unit: Unit) -> Iterator[Row]:
    """Yield a figure that was measured; it differs where both have it, and the difference is more than noise."""
    if left is None and right is None:
        return
    least = {Unit.SECONDS: _LEAST_SECONDS, Unit.CORES: _LEAST_CORES, Unit.BYTES: _LEAST_BYTES}.get(unit, 0.0)
    differs = left is not None and right is not None and abs(left - right) > max(least, _NOISE * max(left, right))
    yield Row(section, name, left, right, differs, unit)
