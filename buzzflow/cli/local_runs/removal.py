"""`runs delete` and `runs prune`: remove runs that nobody needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import typer

from buzzflow.backends.local.history.caches import unused
from buzzflow.backends.local.history.overview import Overview, overview
from buzzflow.backends.local.history.removal import Bounds, Removal, beyond, removal, remove
from buzzflow.cli.executions.common import agreed, notice
from buzzflow.cli.problems import EXIT, fail, show
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.runs import all_runs, run_of, state_folder
from buzzflow.views.figures import size
from buzzflow.views.local_runs import listing
from buzzflow.views.problems import as_data
from buzzflow.views.summary import console


def delete_runs(names: Sequence[str], *, yes: bool, as_json: bool) -> int:
    """Remove the runs that are named, and return the exit code: not 0 when one of them has to stay."""
    state = state_folder(Path())
    try:
        wanted = [overview(run_of(name)) for name in names]
        what = removal(wanted, _runs(state))
        gone = _removed(state, what, yes=yes, dry_run=False, way="buzzflow runs delete --yes")
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    problems = [
        Diagnostic("BF521", f"run {run} is not deleted: {why}", hint=_hint(why)) for run, why in what.stays.items()
    ]
    _tell(gone, what, problems, as_json=as_json)
    return EXIT if problems else 0


def _runs(state: Path) -> list[Overview]:
    return [overview(run) for run in all_runs(state)]


def _hint(why: str) -> str:
    return "stop it first: Ctrl-C where it runs" if why == "it is running" else "delete that run too, or keep both"


def prune_runs(bounds: Bounds, *, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Remove the runs beyond the bounds, and return the exit code; what must stay is told, and no error."""
    state = state_folder(Path())
    try:
        runs = _runs(state)
        what = removal(beyond(bounds, runs), runs)
        kept = [run for run in runs if run not in what.goes]
        what = replace(what, caches=unused(state, kept, datetime.now(UTC)))
        gone = _removed(state, what, yes=yes, dry_run=dry_run, way="buzzflow runs prune --yes")
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    _tell(gone, what, [], as_json=as_json)
    return 0


def _removed(state: Path, what: Removal, *, yes: bool, dry_run: bool, way: str) -> Sequence[Overview]:
    if what.goes or what.stays:
        console(stderr=True).print(listing.removed(what))
    if not what.folders:
        notice("nothing to delete")
        return []
    caches = f" and {len(what.caches)} folders of caches that no run uses" if what.caches else ""
    many = f"{len(what.goes)} run{'s' if len(what.goes) != 1 else ''}{caches}, {size(what.size)}"
    if dry_run:
        notice(f"would be deleted: {many}")
        return []
    if not yes and not agreed(many, way):
        notice("nothing is deleted")
        return []
    remove(state, what.folders)
    notice(f"deleted: {many}")
    return what.goes


def _tell(gone: Sequence[Overview], what: Removal, problems: Sequence[Diagnostic], *, as_json: bool) -> None:
    if not as_json:
        show(problems)
        return
    told = {
        "deleted": [run.id for run in gone],
        "goes": [run.id for run in what.goes],
        "caches": [str(folder) for folder in what.caches],
        "bytes": what.size,
        "stays": dict(what.stays),
        "diagnostics": as_data(problems),
    }
    typer.echo(json.dumps(told, indent=2))
