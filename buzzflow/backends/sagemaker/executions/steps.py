"""What the steps of a run have done so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from buzzflow.backends.sagemaker.aws.account import Account

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import PipelineExecutionStepTypeDef

# The members of PipelineExecutionStepMetadata that name a job or a thing by its ARN; of checks, it is CheckJobArn.
_CHECKS = ("QualityCheck", "ClarifyCheck")


@dataclass(frozen=True, slots=True)
class Made:
    """What a step started or made: *kind* is the member of the service's metadata (TrainingJob, Lambda, EMR)."""

    kind: str
    arn: str | None = None
    log_path: str | None = None

    @property
    def name(self) -> str | None:
        """The name of a job: the last part of its ARN."""
        return None if self.arn is None else self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class StepRun:
    """A step that has begun; *state* is the service's word, *outcome* that of a condition.

    *cached_from* is the run whose result came from the cache, *reused_from* the one that a partial run builds on.
    *index* counts the items of the foreach step that runs it.
    """

    name: str
    state: str
    started: datetime | None = None
    ended: datetime | None = None
    attempts: int = 1
    reason: str | None = None
    cached_from: str | None = None
    reused_from: str | None = None
    made: Made | None = None
    outcome: bool | None = None
    index: int | None = None

    @property
    def shown_name(self) -> str:
        """Its name, with the position of its item."""
        return self.name if self.index is None else f"{self.name}[{self.index}]"


def list_steps(account: Account, arn: str) -> tuple[StepRun, ...]:
    """Return the steps of the run *arn* that have begun, in the order in which they did; AWS's errors are raised."""
    pages = account.sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending"
    )
    return tuple(_step(found) for page in pages for found in page["PipelineExecutionSteps"])


def _step(found: PipelineExecutionStepTypeDef) -> StepRun:
    known: Mapping[str, Any] = found  # the service's words change faster than their types
    metadata = known.get("Metadata") or {}
    outcome = (metadata.get("Condition") or {}).get("Outcome")
    return StepRun(
        name=known["StepName"],
        state=known.get("StepStatus", "Starting"),
        started=known.get("StartTime"),
        ended=known.get("EndTime"),
        attempts=known.get("AttemptCount") or 1,
        reason=known.get("FailureReason"),
        cached_from=(known.get("CacheHitResult") or {}).get("SourcePipelineExecutionArn"),
        reused_from=(known.get("SelectiveExecutionResult") or {}).get("SourcePipelineExecutionArn"),
        made=_made(metadata),
        outcome=None if outcome is None else outcome == "True",
        index=(known.get("IterationContext") or {}).get("Index"),
    )


def _made(metadata: Mapping[str, Any]) -> Made | None:
    for kind, told in metadata.items():
        if isinstance(told, Mapping):
            arn = told.get("CheckJobArn" if kind in _CHECKS else "Arn")
            return Made(kind, arn, told.get("LogFilePath"))
    return None
