"""Go on with a run that did not succeed, or run a part of the deployed pipeline on the results of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors
from buzzflow.backends.sagemaker.executions.definition import Definition
from buzzflow.backends.sagemaker.executions.find import Deployed
from buzzflow.backends.sagemaker.executions.parameters import checked_parameters
from buzzflow.backends.sagemaker.executions.runs import SUCCEEDED, Run
from buzzflow.backends.sagemaker.executions.selection import (
    MAX_SELECTED,
    after,
    connected,
    legal,
    problems,
    selectable,
)
from buzzflow.backends.sagemaker.executions.start import Selection, Start, new_token
from buzzflow.backends.sagemaker.executions.steps import StepRun
from buzzflow.diagnostics import Diagnostic, PipelineError, did_you_mean


class Part(StrEnum):
    """Which steps of the deployed pipeline run on the results of an earlier run."""

    FROM = "--from"  # the named ones and all after them
    ONLY = "--only"  # the named ones
    UNFINISHED = "--new-code"  # those that did not succeed, and all after them


def retry(account: Account, run: Run, *, parallelism: int | None = None) -> str:
    """Run again the steps of *run* that did not succeed, by its own definition; return its ARN, which stays."""
    if (told := _not_to_retry(run)) is not None:
        raise PipelineError([told])
    arn, token = run.summary.arn, new_token()
    with aws_errors():
        if parallelism is None:
            return account.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=token)[
                "PipelineExecutionArn"
            ]
        return account.sagemaker.retry_pipeline_execution(
            PipelineExecutionArn=arn,
            ClientRequestToken=token,
            ParallelismConfiguration={"MaxParallelExecutionSteps": parallelism},
        )["PipelineExecutionArn"]


def _not_to_retry(run: Run) -> Diagnostic | None:
    summary = run.summary
    if summary.state == SUCCEEDED:
        again = f"run a part of it again: buzzflow resume {run.address} --from STEP"
        hint = f"start a new run: buzzflow run {run.pipeline}; or {again}"
        return Diagnostic("BF635", f"run {summary.id} has succeeded: there is nothing to resume", hint=hint)
    return _not_ended(run)


def _not_ended(run: Run) -> Diagnostic | None:
    if run.summary.ended:
        return None
    hint = f"wait for it: buzzflow status {run.address} --watch; or stop it: buzzflow stop {run.address}"
    return Diagnostic("BF635", f"run {run.summary.id} has not ended: it is {run.summary.state.lower()}", hint=hint)


def partial(
    deployed: Deployed,
    run: Run,
    begun: Sequence[StepRun],
    part: Part,
    names: Sequence[str],
    parameters: Mapping[str, object],
) -> Start:
    """Return the start of a new run of a part of *deployed*, with the results and the parameters of *run*.

    *begun* are the steps of that run, *parameters* count before its own. PipelineError when SageMaker would refuse it.
    """
    if (told := _not_ended(run)) is not None:
        raise PipelineError([told])
    definition = deployed.definition
    if unknown := [*_unknown(definition, names)]:
        raise PipelineError(unknown)
    steps = _selected(definition, _succeeded(begun), part, names)
    values = checked_parameters(definition, parameters, reused=dict(run.parameters))
    return Start(deployed.arn, values, selection=Selection(steps, run.summary.arn))


def _succeeded(begun: Sequence[StepRun]) -> frozenset[str]:
    failed = {step.name for step in begun if step.state != SUCCEEDED}
    return frozenset(step.name for step in begun) - failed


def _unknown(definition: Definition, names: Sequence[str]) -> list[Diagnostic]:
    return [
        Diagnostic(
            "BF637",
            f"the deployed pipeline has no step {name!r}",
            hint=did_you_mean(name, definition.by_name, label="its steps"),
        )
        for name in names
        if name not in definition.by_name
    ]


def _selected(definition: Definition, succeeded: frozenset[str], part: Part, names: Sequence[str]) -> tuple[str, ...]:
    """Return the steps to select; what the user has named must be legal as it is, what we choose is made so."""
    match part:
        case Part.UNFINISHED:
            unfinished = [step.name for step in definition.steps if step.name not in succeeded]
            if not unfinished:
                hint = "choose where to begin: buzzflow resume --from STEP; or start anew: buzzflow run"
                raise PipelineError([Diagnostic("BF635", "every step of the deployed pipeline succeeded", hint=hint)])
            chosen = legal(definition, after(definition, unfinished), succeeded)
        case Part.FROM:
            chosen = after(definition, names)
            _check_legal(definition, chosen, succeeded, names)
        case Part.ONLY:
            chosen = selectable(definition, names)
            _check_legal(definition, chosen, succeeded, names)
    if not connected(definition, chosen):
        raise PipelineError([_apart(chosen)])
    if len(chosen) > MAX_SELECTED:
        summary = f"these are {len(chosen)} steps, and SageMaker takes a selection of at most {MAX_SELECTED}"
        raise PipelineError([Diagnostic("BF636", summary, hint="start a new run instead: buzzflow run")])
    return chosen


def _check_legal(
    definition: Definition, chosen: Sequence[str], succeeded: frozenset[str], names: Sequence[str]
) -> None:
    if added := problems(definition, chosen, succeeded):
        told = ", ".join(names)
        lacking = ", ".join(one.step for one in added)
        summary = f"{told} cannot run alone: {lacking} must run as well"
        whole = legal(definition, chosen, succeeded)
        hint = f"select all of these: {' '.join(f'--only {name}' for name in whole)}"
        note = "; ".join(f"{one.step} {one.because}" for one in added)
        raise PipelineError([Diagnostic("BF636", summary, hint=hint, note=note)])


def _apart(chosen: Sequence[str]) -> Diagnostic:
    summary = f"these steps have nothing to do with each other: {', '.join(chosen)}"
    return Diagnostic("BF636", summary, hint="resume them one after the other, or start a new run: buzzflow run")
