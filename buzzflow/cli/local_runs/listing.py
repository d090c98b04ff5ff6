"""`runs`: what this machine keeps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import typer

from buzzflow.backends.local.history.overview import overview
from buzzflow.backends.local.history.select import MetricCondition, Selection, files_of
from buzzflow.cli.problems import fail
from buzzflow.diagnostics import PipelineError
from buzzflow.driver.runs import all_runs, state_folder
from buzzflow.loader.files import find_pipelines
from buzzflow.views.local_runs import listing
from buzzflow.views.summary import console


def list_runs(
    target: str | None,
    states: Sequence[str],
    since: datetime | None,
    metrics: Sequence[MetricCondition],
    limit: int,
    *,
    as_json: bool,
) -> None:
    """Print the runs that fit."""
    here = Path()
    try:
        chosen = None if target is None else _pipelines(target, state_folder(here).parent.resolve())
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    wanted = Selection(chosen, frozenset(states), since, tuple(metrics))
    every = [overview(run) for run in all_runs(state_folder(here))]
    found = [run for run in every if wanted.has(run)]
    if as_json:
        typer.echo(json.dumps([listing.as_data(run) for run in found[:limit]], indent=2))
        return
    if found:
        console().print(listing.runs(found[:limit], datetime.now(UTC)))
    typer.echo(_told(len(found), len(every), limit), err=True)


def _pipelines(target: str, top: Path) -> frozenset[str]:
    """Return what manifests may name the pipelines that *target* means: a path's files, or a name."""
    return files_of(find_pipelines(Path(target)), top) if Path(target).exists() else frozenset({target})


def _told(found: int, every: int, limit: int) -> str:
    if not every:
        return "nothing has run on this machine yet; run a pipeline here: buzzflow create --local"
    if not found:
        return f"none of {every} runs fits"
    shown = min(found, limit)
    return f"{shown} of {found} runs; --limit shows more" if shown < found else f"{found} of {every} runs"
