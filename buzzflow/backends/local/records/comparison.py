"""What differs between two runs of the same plan: what steps left, and what they were made of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from buzzflow.backends.local.records.manifest import Manifest, StepRecord
from buzzflow.backends.local.records.origins import ProvenanceRecord
from buzzflow.backends.local.reuse.outputs import ListedOutput, Listing, read_listing


@dataclass(frozen=True, slots=True)
class OutputDifference:
    """An output with other contents: *files* that differ, were added or are missing, by name."""

    name: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ValueDifference:
    """A value that differs; *relative* is by how much of the larger one, for numbers."""

    name: str
    then: Any
    now: Any
    relative: float | None = None


@dataclass(frozen=True, slots=True)
class StepComparison:
    """A step in both runs. *compared* is the number of its outputs, None where nobody has listed them then.

    *values* are of reports and metrics; *made_of* are its image, packages and data.
    """

    name: str
    states: tuple[str, str]
    compared: int | None
    outputs: tuple[OutputDifference, ...] = ()
    values: tuple[ValueDifference, ...] = ()
    made_of: tuple[ValueDifference, ...] = ()
    seconds: tuple[float | None, float | None] = (None, None)

    @property
    def is_same(self) -> bool:
        """Whether it ended and left the same."""
        return self.states[0] == self.states[1] and not self.outputs and not self.values


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs: what was *then* is done again in *now*. *machine* is what differs between their machines."""

    then: str
    now: str
    steps: tuple[StepComparison, ...]
    machine: tuple[ValueDifference, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether every step ended and left the same."""
        return all(step.is_same for step in self.steps)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run that has ended."""

    folder: Path
    manifest: Manifest

    def listing(self, step: str) -> Listing | None:
        """Return what a step left."""
        return read_listing(self.folder / "steps" / step)


def compare_runs(then: RunFolder, now: RunFolder) -> Comparison:
    """Return what differs, step by step in the order of the plan."""
    names = [name for name in now.manifest.steps if name in then.manifest.steps]
    steps = tuple(_step(name, then, now) for name in names)
    machine = _machine(then.manifest.provenance, now.manifest.provenance)
    return Comparison(then.manifest.run, now.manifest.run, steps, (*machine,))


def _step(name: str, then: RunFolder, now: RunFolder) -> StepComparison:
    before, after = then.manifest.steps[name], now.manifest.steps[name]
    had, has = then.listing(name), now.listing(name)
    is_compared = had is not None and has is not None
    reports = _values(had.reports, has.reports) if had is not None and has is not None else iter(())
    outputs = _outputs(had, has) if had is not None and has is not None else iter(())
    metrics = (ValueDifference(f"metrics.{v.name}", v.then, v.now, v.relative) for v in _metrics(before, after))
    return StepComparison(
        name,
        (_ending(before), _ending(after)),
        len(had.outputs) if is_compared and had is not None else None,
        (*outputs,),
        (*reports, *metrics),
        (*_made_of(name, then.manifest.provenance, now.manifest.provenance),),
        (_seconds(before), _seconds(after)),
    )


def _ending(record: StepRecord) -> str:
    """Return how a step ended; one whose results were taken had succeeded."""
    return "succeeded" if record.state == "cached" else str(record.state)


def _seconds(record: StepRecord) -> float | None:
    return None if record.usage is None else record.usage.wall_seconds


# ------------------------------------------------------------------ what it left


def _outputs(then: Listing, now: Listing) -> Iterator[OutputDifference]:
    for name in [*then.outputs, *(n for n in now.outputs if n not in then.outputs)]:
        files = tuple(_files(then.outputs.get(name), now.outputs.get(name)))
        if files:
            yield OutputDifference(name, files)


def _files(then: ListedOutput | None, now: ListedOutput | None) -> Iterator[str]:
    before = {} if then is None else then.files
    after = {} if now is None else now.files
    for name in sorted({*before, *after}):
        if name not in after:
            yield f"{name} (missing)"
        elif name not in before:
            yield f"{name} (new)"
        elif before[name].sha256 != after[name].sha256:
            yield name


def _metrics(then: StepRecord, now: StepRecord) -> Iterator[ValueDifference]:
    yield from _values(then.metrics, now.metrics)


def _values(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[ValueDifference]:
    before, after = dict(_leaves(then)), dict(_leaves(now))
    for name in [*before, *(n for n in after if n not in before)]:
        one, other = before.get(name), after.get(name)
        if one != other and not (_is_nan(one) and _is_nan(other)):
            yield ValueDifference(name, one, other, _relative(one, other))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    match value:
        case Mapping() if value:
            for key, part in value.items():
                yield from _leaves(part, f"{name}.{key}" if name else str(key))
        case list() if value:
            for i, part in enumerate(value):
                yield from _leaves(part, f"{name}.{i}")
        case _:
            yield name, value


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _relative(one: Any, other: Any) -> float | None:
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in (one, other)):
        return None
    largest = max(abs(one), abs(other))
    found = abs(one - other) / largest if largest and math.isfinite(largest) else math.nan
    return found if math.isfinite(found) else None


# ------------------------------------------------------------------ what it was made of


def _made_of(step: str, then: ProvenanceRecord | None, now: ProvenanceRecord | None) -> Iterator[ValueDifference]:
    if then is None or now is None:
        return
    one, other = then.images.get(step), now.images.get(step)
    if one is not None and other is not None and one.id is not None and one.id != other.id:
        yield ValueDifference("image", one.digest or one.id, other.digest or other.id)
    if one is not None and other is not None:
        had, has = then.packages.get(one.packages or ""), now.packages.get(other.packages or "")
        if had is not None and has is not None:
            yield from _values(
                {"python": had.python, "package": had.packages}, {"python": has.python, "package": has.packages}
            )
    for name, data in then.data.items():
        again = now.data.get(name)
        if name.startswith(f"{step}.") and again is not None and again.digest != data.digest:
            yield ValueDifference(f"data of {name.removeprefix(f'{step}.')}", data.digest, again.digest)


def _machine(then: ProvenanceRecord | None, now: ProvenanceRecord | None) -> Iterator[ValueDifference]:
    if then is not None and now is not None:
        yield from _values(then.platform.model_dump(), now.platform.model_dump())
