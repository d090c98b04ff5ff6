"""`run`: start a deployed pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors
from buzzflow.backends.sagemaker.executions.console import console_url
from buzzflow.backends.sagemaker.executions.find import find_deployed
from buzzflow.backends.sagemaker.executions.parameters import checked_parameters
from buzzflow.backends.sagemaker.executions.runs import Run, describe_run
from buzzflow.backends.sagemaker.executions.start import Start, start
from buzzflow.backends.sagemaker.executions.watch import Pace
from buzzflow.cli.executions.common import INTERRUPTED, follow_run, notice, print_json
from buzzflow.cli.executions.values import read_values
from buzzflow.cli.problems import fail
from buzzflow.diagnostics import PipelineError
from buzzflow.driver.deployed import find_target, open_account, repository_names
from buzzflow.views.executions import data


def start_run(
    pipeline: str | None,
    parameters: Sequence[str],
    file: Path | None,
    name: str | None,
    parallelism: int | None,
    region: str | None,
    *,
    wait: float | None,
    as_json: bool,
) -> int:
    """Start it, and return the exit code; *wait* is how often to look until it has ended, None does not wait."""
    try:
        given = read_values(parameters, file)
        place = find_target(pipeline, one_run=False).place
        account = open_account(place, region)
        deployed = find_deployed(account, place.name, known=repository_names)
        values = checked_parameters(deployed.definition, given)
        wanted = Start(deployed.name, values, name, parallelism)
        elsewhere = place.file is None
        return follow_started(account, deployed.name, wanted, elsewhere=elsewhere, wait=wait, as_json=as_json)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None


def follow_started(
    account: Account, pipeline: str, wanted: Start, *, elsewhere: bool, wait: float | None, as_json: bool
) -> int:
    """Start a run, tell what it is called, and wait for its end if that is wanted.

    *elsewhere* tells that no file here says where the pipeline is.
    """
    try:
        arn = start(account, wanted)
    except KeyboardInterrupt:
        notice(f"\ninterrupted: whether it was started, buzzflow list {pipeline} tells")
        return INTERRUPTED
    with aws_errors():
        run = replace(describe_run(account, arn, pipeline), elsewhere=elsewhere)
    return tell_started(account, run, "started", wait=wait, as_json=as_json)


def tell_started(account: Account, run: Run, word: str, *, wait: float | None, as_json: bool) -> int:
    """Tell what a run is called that goes now, and wait for its end if that is wanted."""
    if wait is not None:
        notice(f"{word} {run.label}")
        return follow_run(account, run, Pace(wait), as_json=as_json)
    if as_json:
        print_json(data.of_run(run))
        return 0
    typer.echo(f"{word} {run.label} in {account.region}")
    typer.echo(run.summary.arn)
    typer.echo(console_url(run.summary.arn))
    notice(f"\nfollow it:  buzzflow status {run.address} --watch")
    notice(f"read logs:  buzzflow logs --run {run.address} --follow")
    notice(f"stop it:    buzzflow stop {run.address}")
    return 0
