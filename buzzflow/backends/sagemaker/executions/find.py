"""Find what a user means in the account: a deployed pipeline by its name, a run by its id, its name or its ARN."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors, is_absent
from buzzflow.backends.sagemaker.executions.definition import Definition, read_definition
from buzzflow.backends.sagemaker.executions.runs import Run, RunSummary, describe_run, list_runs
from buzzflow.diagnostics import Diagnostic, PipelineError, did_you_mean

Names = Callable[[], Iterable[str]]

LATEST = "latest"
_ARN = re.compile(
    r"arn:[a-z0-9-]+:sagemaker:(?P<region>[a-z0-9-]+):(?P<account>\d{12})"
    r":pipeline/(?P<pipeline>[A-Za-z0-9-]+)(?:/execution/(?P<run>[A-Za-z0-9-]+))?"
)
_ID = re.compile(r"[a-z0-9]{12}")
_SEARCHED = 1_000  # runs whose display names are looked at, and pipelines whose names may be meant


@dataclass(frozen=True, slots=True)
class Address:
    """What an ARN says: where, whose, which pipeline, and which run if it is one of a run."""

    region: str
    account: str
    pipeline: str
    run: str | None


@dataclass(frozen=True, slots=True)
class Deployed:
    """A pipeline in the account, and what is deployed under its name."""

    name: str
    arn: str
    definition: Definition
    modified: datetime | None = None


def read_address(text: str) -> Address | None:
    """Return what the ARN of a pipeline or a run says; None when *text* is none."""
    if (match := _ARN.fullmatch(text)) is None:
        return None
    return Address(match["region"], match["account"], match["pipeline"], match["run"])


def is_run_id(text: str) -> bool:
    """Whether *text* has the form of a run's id: twelve small letters and digits."""
    return _ID.fullmatch(text) is not None


def find_deployed(account: Account, name: str, *, known: Names = tuple) -> Deployed:
    """Return the pipeline that is deployed as *name*; *known* gives names that may be meant as well."""
    with _told_when_missing(account, name, known):
        found = account.sagemaker.describe_pipeline(PipelineName=name)
    return Deployed(
        found["PipelineName"],
        found["PipelineArn"],
        read_definition(found["PipelineDefinition"]),
        found.get("LastModifiedTime"),
    )


def find_run(account: Account, pipeline: str, wanted: str, *, known: Names = tuple) -> Run:
    """Return the run of *pipeline* that is *wanted*: `latest`, its id, its display name, or its ARN."""
    if read_address(wanted) is not None:
        return _described(account, wanted, pipeline)
    with _told_when_missing(account, pipeline, known):
        latest = next(list_runs(account, pipeline, most=1), None)
    if latest is None:
        hint = f"start it: buzzflow run {pipeline}"
        raise PipelineError([Diagnostic("BF632", f"pipeline {pipeline!r} has not run yet", hint=hint)])
    if wanted == LATEST:
        return _described(account, latest.arn, pipeline)
    if is_run_id(wanted):
        arn = f"{latest.arn.rpartition('/')[0]}/{wanted}"
        with aws_errors():
            try:
                return describe_run(account, arn, pipeline)
            except account.sagemaker.exceptions.ResourceNotFound:
                pass  # a display name may look like an id
    return _described(account, _named(account, pipeline, wanted).arn, pipeline)


def definition_of(account: Account, arn: str) -> Definition:
    """Return the definition that the run *arn* runs, whatever is deployed by now; AWS's errors are raised."""
    found = account.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    return read_definition(found["PipelineDefinition"])


def _named(account: Account, pipeline: str, wanted: str) -> RunSummary:
    with aws_errors():
        runs = [*islice(list_runs(account, pipeline), _SEARCHED)]
    found = next((run for run in runs if run.name == wanted), None)
    if found is None:
        names = [*(run.id for run in runs), *(run.name for run in runs if run.name)]
        hint = did_you_mean(wanted, names, label="its runs") if len(runs) < _SEARCHED else None
        summary = f"pipeline {pipeline!r} has no run {wanted!r}"
        raise PipelineError([Diagnostic("BF632", summary, hint=hint or f"see them: buzzflow list {pipeline}")])
    return found


def _described(account: Account, arn: str, pipeline: str) -> Run:
    with aws_errors():
        try:
            return describe_run(account, arn, pipeline)
        except account.sagemaker.exceptions.ResourceNotFound:
            summary = f"pipeline {pipeline!r} has no run {arn.rpartition('/')[2]!r}"
    raise PipelineError([Diagnostic("BF632", summary, hint=f"see its runs: buzzflow list {pipeline}")])


@contextmanager
def _told_when_missing(account: Account, name: str, known: Names) -> Iterator[None]:
    with aws_errors():
        try:
            yield
        except Exception as e:
            if not is_absent(e):
                raise
            hint = did_you_mean(name, {*deployed_names(account), *known()}, label="deployed there")
            summary = f"no pipeline {name!r} is deployed in {account.region}"
            raise PipelineError([Diagnostic("BF631", summary, hint=hint or "nothing is deployed there")]) from None


def deployed_names(account: Account) -> tuple[str, ...]:
    """Return the names of the pipelines in the region, so many of them as a close one is searched among."""
    pages = account.sagemaker.get_paginator("list_pipelines").paginate(
        PaginationConfig={"MaxItems": _SEARCHED, "PageSize": 100}
    )
    return tuple(found["PipelineName"] for page in pages for found in page["PipelineSummaries"])
