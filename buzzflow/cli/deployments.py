"""The commands that bring pipelines to where they run, and tell what that changes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from buzzflow.cli.app import AsJson, BackendName, Settings, app
from buzzflow.cli.completion import complete_local, complete_pipelines
from buzzflow.cli.local_options import (
    DownloadSize,
    Fail,
    Force,
    From,
    Interrupt,
    Jobs,
    NoMonitoring,
    Only,
    Parameters,
    Pull,
    RealTime,
    local_options,
    refuse_without_local,
)

Targets = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[PATH]...", help="Files, folders, or trees of them; default: here.", shell_complete=complete_pipelines
    ),
]


@app.command()
def create(
    targets: Targets = None,
    local: Annotated[
        str | None,
        typer.Option(
            "--local",
            metavar="[=docker|process]",
            help="Run here; without value, Docker when a daemon answers.",
            shell_complete=complete_local,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be deployed; needs no credentials.")
    ] = False,
    settings: Settings = None,
    parameters: Parameters = None,
    jobs: Jobs = None,
    no_monitoring: NoMonitoring = False,
    pull: Pull = None,
    fail: Fail = None,
    interrupt: Interrupt = None,
    download: DownloadSize = None,
    real_time: RealTime = False,
    begin: From = None,
    only: Only = None,
    force: Force = False,
    lock_timeout: Annotated[
        str, typer.Option("--lock-timeout", metavar="TIME", help="Wait so long for another deployment: 10m.")
    ] = "0s",
    backend: BackendName = None,
    as_json: AsJson = False,
) -> None:
    """Deploy pipelines to SageMaker; or run one on this machine (--local)."""
    if local is not None and dry_run:
        raise typer.BadParameter("give --local, to run here, or --dry-run, to see the compiled pipeline, and not both")
    given = {
        "param": parameters,
        "jobs": jobs,
        "no_monitoring": no_monitoring,
        "pull": pull,
        "fail": fail,
        "interrupt": interrupt,
        "download": download,
        "real_time": real_time,
        "from": begin,
        "only": only,
        "force": force,
    }
    if local is None:
        refuse_without_local(given, "a dry run" if dry_run else "a deployment")
    if (local is not None or dry_run) and len(targets or ()) > 1:
        raise typer.BadParameter("--local and --dry-run are for one pipeline", param_hint="PATH")
    target = (targets or [Path()])[0]
    if local is not None:
        options = local_options(local, given)
        from buzzflow.cli.local import run_here

        raise typer.Exit(run_here(target, settings or (), parameters or (), options, as_json=as_json))
    if dry_run:
        from buzzflow.cli.dry_run import show_compiled

        show_compiled(target, settings or (), backend, as_json=as_json)
        return
    if backend not in (None, "sagemaker"):
        raise typer.BadParameter(f"nothing can be deployed with the backend {backend!r}", param_hint="--backend")
    from buzzflow.cli.deploy import deploy_pipelines

    raise typer.Exit(deploy_pipelines(targets or [Path()], settings or (), lock_timeout, as_json=as_json))


@app.command()
def plan(
    targets: Targets = None,
    settings: Settings = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 5 when something is to be deployed.")] = False,
    costs: Annotated[bool, typer.Option("--costs", help="Show what each step costs at most.")] = False,
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="human, json, or markdown.")] = "human",
    as_json: AsJson = False,
) -> None:
    """Tell what `create` would change in what is deployed, step by step."""
    from buzzflow.cli.plan import FORMATS, show_plan

    form = "json" if as_json else form
    if form not in FORMATS:
        raise typer.BadParameter(f"{form!r} is not one of {', '.join(FORMATS)}", param_hint="--format")
    raise typer.Exit(show_plan(targets or [Path()], settings or (), form, check=check, costs=costs))


@app.command()
def drift(targets: Targets = None, as_json: AsJson = False) -> None:
    """Tell whether what is deployed is what is here; exit with 5 when it is not."""
    from buzzflow.cli.drift import show_drift

    raise typer.Exit(show_drift(targets or [Path()], as_json=as_json))


@app.command()
def prune(
    target: Annotated[
        Path, typer.Argument(metavar="[PATH]", help="An environment's folder, or one above several; default: here.")
    ] = Path(),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete pipelines that were deployed from this repository and are gone from it."""
    from buzzflow.cli.prune import prune_pipelines

    raise typer.Exit(prune_pipelines(target, yes=yes, as_json=as_json))


@app.command()
def force_unlock(
    target: Annotated[
        Path, typer.Argument(metavar="PATH", help="The pipeline's folder or file.", shell_complete=complete_pipelines)
    ],
    identity: Annotated[str, typer.Argument(metavar="ID", help="Of the lock, as `create` tells it.")],
    as_json: AsJson = False,
) -> None:
    """End the lock of a deployment that is known to have ended."""
    from buzzflow.cli.unlock import end_lock

    end_lock(target, identity, as_json=as_json)
