"""Lists: the runs of a pipeline, deployed pipelines, what a deletion takes away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from buzzflow.backends.printable import printable
from buzzflow.backends.sagemaker.executions.delete import Doomed
from buzzflow.backends.sagemaker.executions.overview import DeployedSummary
from buzzflow.backends.sagemaker.executions.runs import RunSummary
from buzzflow.views.executions.status import ago, moment, one_line, state_word, style_of


def runs(found: Sequence[RunSummary]) -> RenderableType:
    """Return a row for each run."""
    named = any(run.name and run.name != run.id for run in found)
    grid = _grid("run", *(("name",) if named else ()), "state", "started", "note")
    for run in found:
        name = [Text(printable(run.name or ""))] if named else []
        started = "" if run.started is None else moment(run.started)
        note = one_line((run.reason or "").strip().partition("\n")[0])
        grid.add_row(run.id, *name, _state(run.state), started, note)
    return grid


def pipelines(found: Sequence[DeployedSummary], at: datetime) -> RenderableType:
    """Return a row for each deployed pipeline, with its last run."""
    several = len({one.region for one in found}) > 1
    someone = any(one.last is not None and one.last.by for one in found)
    titles = (
        "pipeline",
        *(("region",) if several else ()),
        "last run",
        "state",
        "started",
        *(("by",) if someone else ()),
    )
    grid = _grid(*titles)
    for one in found:
        region = [one.region] if several else []
        if one.last is None:
            grid.add_row(one.name, *region, Text("has not run yet", "dim"))
            continue
        summary = one.last.summary
        started = "" if summary.started is None else ago(summary.started, at)
        by = [one_line(one.last.by or "")] if someone else []
        grid.add_row(one.name, *region, summary.id, _state(summary.state), started, *by)
    return grid


def doomed(what: Doomed, region: str) -> RenderableType:
    """Return what goes when the pipeline is deleted."""
    many = f"{len(what.runs)}{' or more' if what.more else ''} run{'s' if len(what.runs) != 1 else ''}"
    lines = [Text.assemble("pipeline ", (what.name, "bold"), f" in {region}, with the history of {many}")]
    lines += [Text(f"schedule {one.name}, {one.when}{'' if one.enabled else ' (disabled)'}") for one in what.schedules]
    lines += [Text(f"run {one.id}, which is {state_word(one.state)}", "yellow") for one in what.going]
    return Group(*lines)


def _state(state: str) -> Text:
    return Text(state_word(state), style_of(state))


def _grid(*titles: str) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for title in titles:
        grid.add_column(title, no_wrap=title in ("run", "last run", "state", "started"), overflow="fold")
    return grid
