"""Runs of deployed pipelines, as the service describes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import (
        DescribePipelineExecutionResponseTypeDef,
        PaginatorConfigTypeDef,
        UserContextTypeDef,
    )

SUCCEEDED = "Succeeded"
FAILED = "Failed"
STOPPED = "Stopped"
STOPPING = "Stopping"
_GOING = frozenset(("Executing", STOPPING))
PAGE = 100


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run in a list; *state* is the service's word."""

    arn: str
    state: str
    started: datetime | None
    name: str | None = None
    reason: str | None = None

    @property
    def id(self) -> str:
        """The last part of its ARN."""
        return run_id(self.arn)

    @property
    def ended(self) -> bool:
        """Whether it goes no further by itself; a state that this program does not know is taken for an end."""
        return self.state not in _GOING


@dataclass(frozen=True, slots=True)
class Run:
    """A run: *summary*, and what only DescribePipelineExecution tells.

    *pipeline* is the name by which it was found, and *elsewhere* tells that no file here says where that is. *by* is
    who started it, where the service knows. *selected* is empty unless only a part of the steps was to run, with the
    results of the run *source* for the rest.
    """

    summary: RunSummary
    pipeline: str
    pipeline_arn: str
    changed: datetime | None = None
    by: str | None = None
    parallelism: int | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    selected: tuple[str, ...] = ()
    source: str | None = None
    elsewhere: bool = False

    @property
    def label(self) -> str:
        """What people call it."""
        return f"{self.pipeline}@{self.summary.id}"

    @property
    def address(self) -> str:
        """What names this run to every command, without a region."""
        return self.summary.arn if self.elsewhere else self.label


def run_id(arn: str) -> str:
    """Return the id of a run: the last part of its ARN."""
    return arn.rpartition("/")[2]


def describe_run(account: Account, arn: str, pipeline: str) -> Run:
    """Return the run *arn* of the pipeline of that name; what AWS answers instead is raised as it is."""
    found = account.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    pages = account.sagemaker.get_paginator("list_pipeline_parameters_for_execution").paginate(PipelineExecutionArn=arn)
    parameters = tuple((p["Name"], p["Value"]) for page in pages for p in page.get("PipelineParameters", ()))
    return _run(found, pipeline, parameters)


def _run(
    found: DescribePipelineExecutionResponseTypeDef, pipeline: str, parameters: tuple[tuple[str, str], ...]
) -> Run:
    selection = found.get("SelectiveExecutionConfig") or {}
    return Run(
        RunSummary(
            found["PipelineExecutionArn"],
            found["PipelineExecutionStatus"],
            found.get("CreationTime"),
            found.get("PipelineExecutionDisplayName"),
            found.get("FailureReason"),
        ),
        pipeline,
        found["PipelineArn"],
        found.get("LastModifiedTime"),
        _person(found.get("CreatedBy")),
        (found.get("ParallelismConfiguration") or {}).get("MaxParallelExecutionSteps"),
        parameters,
        tuple(step["StepName"] for step in selection.get("SelectedSteps", ())),
        selection.get("SourcePipelineExecutionArn"),
    )


def _person(context: UserContextTypeDef | None) -> str | None:
    """Return who it was: a profile of Studio, or the session of a role (`arn:aws:sts::1:assumed-role/ci/jane`)."""
    known: Any = context or {}
    identity = known.get("IamIdentity") or {}
    arn = identity.get("Arn")
    person = known.get("UserProfileName") or identity.get("SourceIdentity")
    return person or (arn.partition(":assumed-role/")[2] or arn.rpartition(":")[2] if arn else None)


def list_runs(account: Account, pipeline: str, *, most: int | None = None) -> Iterator[RunSummary]:
    """Yield the runs of *pipeline* (its name or ARN), the last one first; what AWS answers instead is raised."""
    limits: PaginatorConfigTypeDef = (
        {"PageSize": PAGE} if most is None else {"PageSize": min(most, PAGE), "MaxItems": most}
    )
    pages = account.sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", PaginationConfig=limits
    )
    for page in pages:
        for found in page["PipelineExecutionSummaries"]:
            yield RunSummary(
                found["PipelineExecutionArn"],
                found["PipelineExecutionStatus"],
                found.get("StartTime"),
                found.get("PipelineExecutionDisplayName"),
                found.get("PipelineExecutionFailureReason"),
            )


def state_of(account: Account, arn: str) -> str:
    """Return the state that the run is in now."""
    with aws_errors():
        return account.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
