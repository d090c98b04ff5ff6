"""`resume`: go on with a run that did not succeed, or run a part of the deployed pipeline on its results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors
from buzzflow.backends.sagemaker.executions.find import find_deployed
from buzzflow.backends.sagemaker.executions.resume import Part, partial, retry
from buzzflow.backends.sagemaker.executions.runs import Run, describe_run
from buzzflow.backends.sagemaker.executions.steps import list_steps
from buzzflow.cli.executions.common import notice, open_run
from buzzflow.cli.executions.run import follow_started, tell_started
from buzzflow.cli.executions.values import read_values
from buzzflow.cli.problems import fail
from buzzflow.diagnostics import PipelineError


def resume_run(
    wanted: str | None,
    part: Part | None,
    steps: Sequence[str],
    parameters: Sequence[str],
    parallelism: int | None,
    region: str | None,
    *,
    wait: float | None,
    as_json: bool,
) -> int:
    """Resume it, and return the exit code; without *part* the run itself is retried."""
    try:
        given = read_values(parameters)
        _, account, run = open_run(wanted, region)
        if part is None:
            arn = retry(account, run, parallelism=parallelism)
            with aws_errors():
                again = replace(describe_run(account, arn, run.pipeline), elsewhere=run.elsewhere)
            return tell_started(account, again, "resumed", wait=wait, as_json=as_json)
        return _start_part(account, run, part, steps, given, parallelism, wait=wait, as_json=as_json)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None


def _start_part(
    account: Account,
    run: Run,
    part: Part,
    steps: Sequence[str],
    given: dict[str, object],
    parallelism: int | None,
    *,
    wait: float | None,
    as_json: bool,
) -> int:
    deployed = find_deployed(account, run.pipeline_arn)
    with aws_errors():
        begun = list_steps(account, run.summary.arn)
    start = partial(deployed, run, begun, part, steps, given)
    assert start.selection is not None, "a part is a selection"
    notice(f"runs again: {', '.join(start.selection.steps)}")
    wanted, elsewhere = replace(start, parallelism=parallelism), run.elsewhere
    return follow_started(account, deployed.name, wanted, elsewhere=elsewhere, wait=wait, as_json=as_json)
