"""Lists of runs: all that are kept, and those that go or stay when some are removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from buzzflow.backends.local.events import State
from buzzflow.backends.local.history.overview import Overview
from buzzflow.backends.local.history.removal import Removal
from buzzflow.backends.printable import printable
from buzzflow.views.executions.data import iso
from buzzflow.views.executions.status import ago
from buzzflow.views.figures import duration, size
from buzzflow.views.summary import STYLES

_MOST_METRICS = 6  # of a run in the list
_STYLES: Mapping[str, str] = {str(s): style for s, style in STYLES.items()} | {"running": "cyan", "killed": "bold red"}


def runs(found: Sequence[Overview], now: datetime) -> RenderableType:
    """Return a row for each run, and what they have found below."""
    grid = _grid("run", "pipeline", "state", "started", "wall", "steps", "size")
    for run in found:
        seconds = None if run.manifest is None else run.manifest.seconds
        grid.add_row(
            run.id,
            "" if run.manifest is None else printable(run.manifest.pipeline),
            _state(run),
            ago(run.started, now),
            "" if seconds is None else duration(seconds),
            _steps(run),
            size(run.size),
        )
    metrics = _metrics(found)
    return Group(grid, Text(), metrics) if metrics.row_count else grid


def _state(run: Overview) -> Text:
    return Text(run.state, _STYLES.get(run.state, "yellow"))


def _steps(run: Overview) -> Text:
    """Return `5/6`, of which so many are good, with how many failed."""
    if run.manifest is None:
        return Text()
    told = Text(f"{run.count(State.SUCCEEDED, State.CACHED)}/{len(run.manifest.steps)}")
    if failed := run.count(State.FAILED):
        told.append(f", {failed} failed", "bold red")
    return told


def _metrics(found: Sequence[Overview]) -> Table:
    grid = _grid("run", "metrics")
    for run in found:
        if run.findings:
            told = [f"{printable(one.label)} {one.value:.6g}" for one in run.findings[:_MOST_METRICS]]
            more = len(run.findings) - _MOST_METRICS
            grid.add_row(run.id, ", ".join(told) + (f", and {more} more" if more > 0 else ""))
    return grid


def removed(what: Removal) -> RenderableType:
    """Return which runs go and which stay, with the reason."""
    grid = _grid("run", "pipeline", "state", "size", "")
    for run in what.goes:
        name = "" if run.manifest is None else printable(run.manifest.pipeline)
        grid.add_row(run.id, name, _state(run), size(run.size), "goes")
    stays = [Text.assemble(f"{run} stays: {why}") for run, why in what.stays.items()]
    return Group(*([grid] if what.goes else []), *stays)


def _grid(*titles: str) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for title in titles:
        grid.add_column(
            title,
            justify="right" if title in ("wall", "size") else "left",
            no_wrap=title not in ("pipeline", "metrics"),
            overflow="fold",
        )
    return grid


def as_data(run: Overview) -> dict[str, Any]:
    """Return a run as JSON can hold it."""
    manifest = run.manifest
    steps = {} if manifest is None else {name: str(step.state) for name, step in manifest.steps.items()}
    return {
        "run": run.id,
        "pipeline": None if manifest is None else manifest.pipeline,
        "file": None if manifest is None else manifest.file,
        "state": str(run.state),
        "problem": run.problem,
        "started": iso(run.started),
        "seconds": None if manifest is None else manifest.seconds,
        "parameters": {} if manifest is None else manifest.parameters,
        "steps": steps,
        "metrics": {one.label: one.value for one in run.findings},
        "bytes": run.size,
        "folder": str(run.folder),
    }
