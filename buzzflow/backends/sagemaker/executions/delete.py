"""Take a deployed pipeline away: first the schedules that would start it, then itself with the history of its runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors, is_absent
from buzzflow.backends.sagemaker.executions.runs import PAGE, Run, RunSummary, describe_run, list_runs
from buzzflow.backends.sagemaker.executions.start import new_token
from buzzflow.backends.sagemaker.executions.stop import stop
from buzzflow.backends.sagemaker.executions.watch import Pace, patiently
from buzzflow.diagnostics import Diagnostic, PipelineError

# EventBridge Scheduler User Guide, "Using universal targets": the call itself, with its request as input
_UNIVERSAL = ":scheduler:::aws-sdk:sagemaker:startPipelineExecution"


@dataclass(frozen=True, slots=True, order=True)
class Schedule:
    """A schedule that starts the pipeline; *when* is its expression."""

    group: str
    name: str
    when: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Doomed:
    """What goes when a pipeline is deleted. *runs* are the last of them, and *more* tells that there are others."""

    name: str
    arn: str
    schedules: tuple[Schedule, ...]
    runs: tuple[RunSummary, ...]
    more: bool

    @property
    def going(self) -> tuple[RunSummary, ...]:
        """The runs that have not ended."""
        return tuple(run for run in self.runs if not run.ended)


def find_doomed(account: Account, name: str) -> Doomed | None:
    """Return what belongs to the pipeline *name*; None when no such pipeline is there."""
    with aws_errors():
        try:
            arn = account.sagemaker.describe_pipeline(PipelineName=name)["PipelineArn"]
        except Exception as e:
            if is_absent(e):
                return None
            raise
        runs = [*islice(list_runs(account, name), PAGE + 1)]
        schedules = tuple(sorted(_schedules(account, name, arn)))
    return Doomed(name, arn, schedules, tuple(runs[:PAGE]), more=len(runs) > PAGE)


def _schedules(account: Account, name: str, arn: str) -> Iterator[Schedule]:
    for page in account.scheduler.get_paginator("list_schedules").paginate():
        for found in page["Schedules"]:
            target = found.get("Target", {}).get("Arn", "")
            universal = target.endswith(_UNIVERSAL)
            if not universal and target.lower() != arn.lower():
                continue
            whole = account.scheduler.get_schedule(Name=found["Name"], GroupName=found["GroupName"])
            if not universal or _starts(whole["Target"].get("Input"), name, arn):
                yield Schedule(
                    found["GroupName"], found["Name"], whole["ScheduleExpression"], whole.get("State") != "DISABLED"
                )


def _starts(text: str | None, name: str, arn: str) -> bool:
    """Whether the input of a universal target names the pipeline."""
    try:
        given = json.loads(text or "{}")
    except json.JSONDecodeError:  # a schedule that fails each time, of somebody else
        return False
    wanted = given.get("PipelineName") if isinstance(given, dict) else None
    return isinstance(wanted, str) and (wanted == name or wanted.lower() == arn.lower())


def check_idle(doomed: Doomed) -> None:
    """Refuse to delete a pipeline that is running."""
    if doomed.going:
        many = f"{len(doomed.going)} runs have" if len(doomed.going) > 1 else f"run {doomed.going[0].id} has"
        hint = f"wait, or stop first: buzzflow stop {doomed.name}; --force stops and deletes"
        raise PipelineError([Diagnostic("BF639", f"{many} not ended, of pipeline {doomed.name!r}", hint=hint)])


def stop_all(account: Account, doomed: Doomed, pace: Pace, tell: Callable[[str], None]) -> None:
    """Stop the runs that go, and wait until they have ended."""
    for summary in doomed.going:
        with aws_errors():
            run = describe_run(account, summary.arn, doomed.name)
        stop(account, run)
        tell(f"stopping run {summary.id}")
        _wait_for(account, run, pace, tell)


def _wait_for(account: Account, run: Run, pace: Pace, tell: Callable[[str], None]) -> None:
    def has_ended() -> bool:
        with aws_errors():
            return describe_run(account, run.summary.arn, run.pipeline).summary.ended

    while not patiently(has_ended, pace, tell):
        pace.clock.sleep(pace.interval)


def delete(account: Account, doomed: Doomed, tell: Callable[[str], None]) -> None:
    """Delete the schedules, then the pipeline; what somebody else has deleted meanwhile is gone as well."""
    for schedule in doomed.schedules:
        with aws_errors():
            try:
                account.scheduler.delete_schedule(Name=schedule.name, GroupName=schedule.group, ClientToken=new_token())
            except account.scheduler.exceptions.ResourceNotFoundException:
                continue
        tell(f"deleted schedule {schedule.name}")
    with aws_errors():
        try:
            account.sagemaker.delete_pipeline(PipelineName=doomed.name, ClientRequestToken=new_token())
        except account.sagemaker.exceptions.ResourceNotFound:
            return
    tell(f"deleted pipeline {doomed.name}")
