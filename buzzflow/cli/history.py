"""The commands about the runs that this machine keeps."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from buzzflow.cli.app import AsJson, app
from buzzflow.cli.completion import complete_pipelines

if TYPE_CHECKING:
    from buzzflow.backends.local.history.select import MetricCondition

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]i?)?B?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


class _ListByDefault(TyperGroup):
    """A group that lists when no command is named: `runs`, `runs PATH` and `runs --state failed` are `runs list …`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


runs = typer.Typer(cls=_ListByDefault, help="List, compare and delete the runs of this machine.", rich_markup_mode=None)
app.add_typer(runs, name="runs")


@app.command()
def report(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="Its id, the beginning or the last part of it, or a pipeline's path for its last run; "
            "default: the last run of the pipeline here.",
            shell_complete=complete_pipelines,
        ),
    ] = None,
    opened: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there; default: the run's folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the picture of a run on this machine: one HTML file that opens anywhere, offline."""
    from buzzflow.cli.local_runs.report import show_report

    show_report(run, output, opened=opened, as_json=as_json)


@runs.command("list")
def list_(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[PIPELINE]",
            help="Only its runs: a path or a name; a folder means all pipelines in it.",
            shell_complete=complete_pipelines,
        ),
    ] = None,
    states: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="succeeded, failed, stopped, running, or killed; several times."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Begun since: 10m, 2h, 7d, or 2026-01-31T12:00.")
    ] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="CONDITION", help="Only where it holds: 'auc>0.9', 'train.loss<=0.1'."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List them, the newest first. The word `list` may be left out."""
    conditions, begin = _conditions(metrics or ()), _moment(since, "--since")
    from buzzflow.backends.local.history.overview import RUN_STATES
    from buzzflow.cli.local_runs.listing import list_runs

    if unknown := [state for state in states or () if state not in RUN_STATES]:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(RUN_STATES)}", param_hint="--state")
    list_runs(target, states or (), begin, conditions, limit, as_json=as_json)


@runs.command()
def compare(
    left: Annotated[str, typer.Argument(metavar="RUN", help="As `buzzflow runs` shows it, or the last part of it.")],
    right: Annotated[str, typer.Argument(metavar="RUN", help="Another one.")],
    everything: Annotated[bool, typer.Option("--all", help="Also what is the same in both.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show two of them side by side: parameters, metrics, states, times, usage, code."""
    from buzzflow.cli.local_runs.compare import compare_runs

    compare_runs(left, right, everything=everything, as_json=as_json)


@runs.command()
def delete(
    names: Annotated[list[str], typer.Argument(metavar="RUN...", help="As `buzzflow runs` shows them.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete some of them, with their outputs and logs."""
    from buzzflow.cli.local_runs.removal import delete_runs

    raise typer.Exit(delete_runs(names, yes=yes, as_json=as_json))


@runs.command()
def prune(
    keep: Annotated[
        int | None, typer.Option("--keep", metavar="N", min=0, help="Keep the N newest.", show_default=False)
    ] = None,
    older: Annotated[
        str | None, typer.Option("--older-than", metavar="TIME", help="Delete what began before: 30d, or 2026-01-31.")
    ] = None,
    size: Annotated[
        str | None, typer.Option("--max-size", metavar="SIZE", help="Delete the oldest until the rest fits: 10GB.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete old ones. A run that goes on, or whose results another one uses, stays."""
    if keep is None and older is None and size is None:
        raise typer.BadParameter("say what may stay: --keep, --older-than or --max-size")
    from buzzflow.backends.local.history.removal import Bounds
    from buzzflow.cli.local_runs.removal import prune_runs

    bounds = Bounds(keep, _moment(older, "--older-than"), _bytes(size))
    raise typer.Exit(prune_runs(bounds, yes=yes, dry_run=dry_run, as_json=as_json))


# ------------------------------------------------------------------ values


def _moment(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    from buzzflow.cli.executions.moments import read_moment

    try:
        return read_moment(text)
    except ValueError as e:
        raise typer.BadParameter(str(e), param_hint=option) from None


def _conditions(texts: list[str] | tuple[()]) -> list[MetricCondition]:
    if not texts:
        return []
    from buzzflow.backends.local.history.select import MetricCondition

    try:
        return [MetricCondition.read(text) for text in texts]
    except ValueError as e:
        raise typer.BadParameter(str(e), param_hint="--metric") from None


def _bytes(text: str | None) -> int | None:
    """Return how many bytes `10GB`, `500 MB` or `2GiB` are."""
    if text is None:
        return None
    if (match := _SIZE.fullmatch(text.strip())) is None:
        raise typer.BadParameter(f"{text!r} is no size: write 10GB, 500MB", param_hint="--max-size")
    unit = (match[2] or "").lower()
    return int(float(match[1]) * (1024 if unit.endswith("i") else 1000) ** _POWERS[unit.removesuffix("i")])
