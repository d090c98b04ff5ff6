"""What the page tells: a run's folder read into values, whatever state the run is in."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, takewhile
from pathlib import Path
from typing import Any, Literal

from buzzflow.backends.local.events import State
from buzzflow.backends.local.history.findings import Finding, findings
from buzzflow.backends.local.records.manifest import MANIFEST, Manifest, StepRecord, read_curves, read_manifest
from buzzflow.views.report.logs import LogText, cost, read_log, rooms

Standing = State | Literal["waiting", "running", "killed"]
Columns = Mapping[str, list[float]]
_REPORT_SIZE = 20_000  # bytes of HTML of one JSON report
_REPORTS_SIZE = 400_000  # of all


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step on the page: *anchor* is its place there, *begin* and *end* are seconds since the run's start."""

    name: str
    anchor: str
    record: StepRecord
    state: Standing
    begin: float | None
    end: float | None
    curves: Columns
    log: LogText | None
    reports: Mapping[str, str]

    @property
    def seconds(self) -> float | None:
        """How long it ran, or has run so far."""
        return None if self.begin is None or self.end is None else self.end - self.begin


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A run on the page; *plan* is the compiled pipeline as its file has it, empty when that cannot be read."""

    folder: Path
    manifest: Manifest
    plan: Mapping[str, Any]
    state: Standing
    started: datetime
    seconds: float
    steps: tuple[ShownStep, ...]
    findings: tuple[Finding, ...]

    def path(self, place: str) -> str:
        """Return a path in the run's folder as it is from the top of the repository."""
        return str(Path(*self.folder.absolute().parts[-3:]) / place)

    def of(self, *states: Standing) -> list[ShownStep]:
        """Return the steps in any of *states*."""
        return [step for step in self.steps if step.state in states]


def read_run(folder: Path, now: datetime) -> ShownRun:
    """Read the run in *folder*; ManifestError when there is none. A log or a curve that cannot be read is left out."""
    manifest = read_manifest(folder)
    started = _moment(manifest.started) or now
    seconds = _seconds(manifest, started, folder, now)
    steps = tuple(_steps(manifest, folder, seconds))
    return ShownRun(
        folder, manifest, _plan(folder), manifest.standing, started, seconds, steps, tuple(findings(manifest, folder))
    )


def _seconds(manifest: Manifest, started: datetime, folder: Path, now: datetime) -> float:
    """Return how long the run took, has taken so far, or took until it was last heard of."""
    if manifest.seconds is not None:
        return manifest.seconds
    last = now
    if manifest.is_lost:
        last = datetime.fromtimestamp((folder / MANIFEST).stat().st_mtime, UTC)
    known = [(step.began or 0.0) + (step.seconds or 0.0) for step in manifest.steps.values()]
    return max((last - started).total_seconds(), *known, 0.0)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


# ------------------------------------------------------------------ steps


def _steps(manifest: Manifest, folder: Path, seconds: float) -> Iterator[ShownStep]:
    room = rooms({name: step.state is State.FAILED for name, step in manifest.steps.items() if step.log is not None})
    reports_left = _REPORTS_SIZE
    ends: dict[str, float] = {}
    for number, (name, record) in enumerate(manifest.steps.items(), 1):
        begin, end = _times(record, ends, seconds)
        if end is not None:
            ends[name] = end
        reports = dict(_reports(record, folder, reports_left))
        reports_left -= sum(map(cost, reports.values()))
        yield ShownStep(
            name=name,
            anchor=f"step-{number}",
            record=record,
            state="killed" if record.state == "running" and manifest.is_lost else record.state,
            begin=begin,
            end=end,
            curves=_checked(read_curves(manifest, name, folder)),
            log=None if record.log is None else read_log(folder / record.log, record.log, room[name]),
            reports=reports,
        )


def _times(record: StepRecord, ends: Mapping[str, float], seconds: float) -> tuple[float | None, float | None]:
    """Return begin and end; of a step that took no time, when the last of those that it needs had ended."""
    match record.state:
        case "running":
            return record.began, seconds
        case "waiting" | State.SKIPPED:
            return None, None
        case _ if record.began is None:
            moment = max((ends.get(need, 0.0) for need in record.needs), default=0.0)
            return moment, moment
        case _:
            return record.began, record.began + (record.seconds or 0.0)


def _checked(columns: Mapping[str, list[float]]) -> Columns:
    """Return the columns that are as long as `at` and hold numbers only: a page without curves is better than none."""
    length = len(columns.get("at", ()))
    fitting = {n: values for n, values in columns.items() if len(values) == length and all(map(_is_number, values))}
    return fitting if length and "at" in fitting else {}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _reports(record: StepRecord, folder: Path, room: int) -> Iterator[tuple[str, str]]:
    for name, place in record.left.reports.items():
        try:
            content = json.loads((folder / place).read_bytes())
        except (OSError, ValueError, RecursionError):
            continue
        most = max(0, min(_REPORT_SIZE, room))
        written = _beginning(json.dumps(content, indent=2, ensure_ascii=False), most, place)
        room -= cost(written)
        yield name, written


def _beginning(written: str, room: int, place: str) -> str:
    """Return the lines that fit into *room*, and where the others are."""
    lines = written.split("\n")
    costs = accumulate(map(cost, lines))
    kept = sum(1 for _ in takewhile(lambda so_far: so_far <= room, costs))
    return written if kept == len(lines) else "\n".join([*lines[:kept], f"… the rest is in {place}"])


def _plan(folder: Path) -> Mapping[str, Any]:
    try:
        content = json.loads((folder / "run-plan.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
