"""The commands about deployed pipelines and their runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from buzzflow.cli.app import AsJson, app
from buzzflow.cli.completion import complete_local, complete_pipelines

if TYPE_CHECKING:
    from buzzflow.backends.sagemaker.executions.resume import Part

INTERVAL = 5.0
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,81}")  # the service's PipelineExecutionName
PipelineName = Annotated[
    str | None,
    typer.Argument(
        metavar="[PIPELINE]",
        help="A path, the name in its file, or the name in the account; default: the pipeline here.",
        shell_complete=complete_pipelines,
    ),
]
RunName = Annotated[
    str | None,
    typer.Argument(
        metavar="[RUN]",
        help="PIPELINE for its last run, PIPELINE@RUN (id, or name), @RUN, or an ARN; "
        "default: the last run of the pipeline here.",
        shell_complete=complete_pipelines,
    ),
]
Region = Annotated[
    str | None,
    typer.Option(
        "--region", metavar="REGION", help="Default: what environment.yaml says, then AWS_REGION, then the profile."
    ),
]
Interval = Annotated[
    float, typer.Option("--interval", metavar="SECONDS", min=0.1, help="How often to ask AWS what has changed.")
]
Parameters = Annotated[
    list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of this run.")
]
Parallelism = Annotated[
    int | None, typer.Option("--parallelism", metavar="N", min=1, help="At most so many steps side by side.")
]
Wait = Annotated[bool, typer.Option("--wait", "-w", help="Follow the run; exit code 4 when it does not succeed.")]


@app.command()
def run(
    pipeline: PipelineName = None,
    parameters: Parameters = None,
    file: Annotated[
        Path | None, typer.Option("--params-file", metavar="FILE", help="Parameters as a YAML or JSON mapping.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="A name for the run: letters, digits and hyphens.")
    ] = None,
    parallelism: Parallelism = None,
    wait: Wait = False,
    interval: Interval = INTERVAL,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Start a deployed pipeline."""
    if name is not None and _NAME.fullmatch(name) is None:
        raise typer.BadParameter(f"{name!r} is not 1 to 82 letters, digits and inner hyphens", param_hint="--name")
    from buzzflow.cli.executions.run import start_run

    every = interval if wait else None
    raise typer.Exit(
        start_run(pipeline, parameters or (), file, name, parallelism, region, wait=every, as_json=as_json)
    )


@app.command()
def status(
    wanted: RunName = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Until the run has ended; exit code 4 when it does not succeed.")
    ] = False,
    interval: Interval = INTERVAL,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Show how far a run is, step by step."""
    from buzzflow.cli.executions.status import show_status

    raise typer.Exit(show_status(wanted, region, watch=interval if watch else None, as_json=as_json))


@app.command()
def logs(
    steps: Annotated[
        list[str] | None, typer.Argument(metavar="[STEP]...", help="Default: all steps, in the order of time.")
    ] = None,
    wanted: Annotated[
        str | None,
        typer.Option(
            "--run",
            metavar="RUN",
            help="PIPELINE, PIPELINE@RUN, @RUN, or an ARN, or the id of a run on this machine; "
            "default: the last run of the pipeline here.",
            shell_complete=complete_pipelines,
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until the steps have ended.")] = False,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only what is newer: 10m, 2h, or 2026-01-31T12:00.")
    ] = None,
    tail: Annotated[int | None, typer.Option("--tail", "-n", metavar="N", min=0, help="Only the last N lines.")] = None,
    interval: Interval = INTERVAL,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Print what the steps of a run print; with --json, an object a line."""
    from buzzflow.cli.local_runs.logs import is_local, show_local_logs

    begin = _since(since)
    every = interval if follow else None
    if wanted is not None and is_local(wanted):
        if since is not None:
            raise typer.BadParameter("the lines of a run on this machine have no times", param_hint="--since")
        raise typer.Exit(show_local_logs(steps or (), wanted, follow_every=every, tail=tail, as_json=as_json))
    from buzzflow.cli.executions.logs import show_logs

    raise typer.Exit(
        show_logs(steps or (), wanted, region, follow_every=every, since=begin, tail=tail, as_json=as_json)
    )


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    from buzzflow.cli.executions.moments import read_moment

    try:
        return read_moment(text)
    except ValueError as e:
        raise typer.BadParameter(str(e), param_hint="--since") from None


@app.command()
def stop(
    wanted: RunName = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Until the run has ended.")] = False,
    interval: Interval = INTERVAL,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Stop a run."""
    from buzzflow.cli.executions.stop import stop_run

    raise typer.Exit(stop_run(wanted, region, wait=interval if wait else None, as_json=as_json))


@app.command()
def resume(
    wanted: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="PIPELINE for its last run, PIPELINE@RUN (id, or name), @RUN, or an ARN; the id of a run on this "
            "machine, or last; default: the last run of the pipeline here.",
            shell_complete=complete_pipelines,
        ),
    ] = None,
    local: Annotated[
        str | None,
        typer.Option(
            "--local",
            metavar="[=docker|process]",
            help="A run of this machine; without value, on what it ran.",
            shell_complete=complete_local,
        ),
    ] = None,
    begin: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="STEP", help="This step again and all after it, as it is now: a new run."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="STEP", help="Just these steps, as they are now: a new run.")
    ] = None,
    new_code: Annotated[
        bool, typer.Option("--new-code", help="What did not succeed and all after it, as it is now: a new run.")
    ] = False,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="Another value than that run had (new runs only)."),
    ] = None,
    parallelism: Parallelism = None,
    wait: Wait = False,
    interval: Interval = INTERVAL,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Go on with a run that failed or was stopped; what succeeded is kept."""
    part, steps = _part(begin, only, new_code)
    if parameters and part is None:
        raise typer.BadParameter(
            "a run is resumed with its own values; --new-code makes a new one", param_hint="--param"
        )
    if local is not None or _is_here(wanted):
        if region is not None or wait:
            raise typer.BadParameter("--region and --wait are for runs on SageMaker: a run of this machine is followed")
        raise typer.Exit(_resume_here(wanted, local, part, steps, parameters or (), parallelism, as_json=as_json))
    from buzzflow.cli.executions.resume import resume_run

    every = interval if wait else None
    raise typer.Exit(
        resume_run(wanted, part, steps, parameters or (), parallelism, region, wait=every, as_json=as_json)
    )


def _is_here(wanted: str | None) -> bool:
    """Whether *wanted* is a run of this machine: no run on SageMaker is called like a folder that is there."""
    if wanted is None:
        return False
    from buzzflow.driver.runs import LAST, state_folder

    return wanted == LAST or (state_folder(Path()) / "runs" / wanted).is_dir()


def _resume_here(
    wanted: str | None,
    executor: str | None,
    part: Part | None,
    steps: list[str],
    parameters: Sequence[str],
    jobs: int | None,
    *,
    as_json: bool,
) -> int:
    from buzzflow.backends.sagemaker.executions.resume import Part
    from buzzflow.cli.local import resume_here
    from buzzflow.driver.local import LocalOptions
    from buzzflow.driver.selecting import Part as LocalPart

    if executor not in (None, "auto", "docker", "process"):
        raise typer.BadParameter(f"{executor!r} is not docker or process", param_hint="--local")
    begin, only = (tuple(steps) if part is kind else () for kind in (Part.FROM, Part.ONLY))
    options = LocalOptions(executor or "auto", jobs=jobs, part=LocalPart(begin, only))
    return resume_here(wanted, parameters, options, new_code=part is Part.UNFINISHED, as_json=as_json)


def _part(begin: list[str] | None, only: list[str] | None, new_code: bool) -> tuple[Part | None, list[str]]:
    from buzzflow.backends.sagemaker.executions.resume import Part

    given = [(Part.FROM, begin or []), (Part.ONLY, only or []), (Part.UNFINISHED, ["all"] if new_code else [])]
    chosen = [(part, steps) for part, steps in given if steps]
    if len(chosen) > 1:
        raise typer.BadParameter(f"{' and '.join(part.value for part, _ in chosen)} exclude each other")
    if not chosen:
        return None, []
    part, steps = chosen[0]
    return part, [] if part is Part.UNFINISHED else steps


@app.command("list")
def list_(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[PIPELINE|FOLDER]",
            help="A pipeline, for its runs, or a folder of them; default: all of this repository.",
            shell_complete=complete_pipelines,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every pipeline in the region, whoever made it.")] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many runs.")] = 20,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """List deployed pipelines with their last runs, or the runs of one."""
    from buzzflow.cli.executions.listing import list_all, list_what

    if everything and what is not None:
        raise typer.BadParameter("--all lists all pipelines: name none")
    if everything:
        list_all(region, as_json=as_json)
    else:
        list_what(what, limit, region, as_json=as_json)


@app.command()
def delete(
    pipeline: Annotated[
        str,
        typer.Argument(
            metavar="PIPELINE",
            help="A path, the name in its file, or the name in the account.",
            shell_complete=complete_pipelines,
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Stop runs that have not ended first.")] = False,
    interval: Interval = INTERVAL,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Delete a deployed pipeline, its schedules, and the history of its runs."""
    from buzzflow.cli.executions.delete import delete_pipeline

    raise typer.Exit(delete_pipeline(pipeline, region, interval, yes=yes, force=force, as_json=as_json))
