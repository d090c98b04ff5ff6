"""Start a run of a deployed pipeline, once for each command however often its call is repeated."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors, is_refusal, message_of
from buzzflow.diagnostics import Diagnostic, PipelineError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import StartPipelineExecutionRequestTypeDef


def new_token() -> str:
    """Return a token for one command: the service does once what is asked of it twice with the same token."""
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Selection:
    """The steps that alone shall run, with the results of the run *source* for all before them."""

    steps: Sequence[str]
    source: str


@dataclass(frozen=True, slots=True)
class Start:
    """What a run shall be started with; *token* makes it one run."""

    pipeline: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    parallelism: int | None = None
    selection: Selection | None = None
    token: str = field(default_factory=new_token)


def start(account: Account, wanted: Start) -> str:
    """Start it and return the run's ARN."""
    request: StartPipelineExecutionRequestTypeDef = {
        "PipelineName": wanted.pipeline,
        "ClientRequestToken": wanted.token,
        "PipelineParameters": [{"Name": name, "Value": value} for name, value in wanted.parameters.items()],
    }
    if wanted.name is not None:
        request["PipelineExecutionDisplayName"] = wanted.name
    if wanted.parallelism is not None:
        request["ParallelismConfiguration"] = {"MaxParallelExecutionSteps": wanted.parallelism}
    if (selection := wanted.selection) is not None:
        request["SelectiveExecutionConfig"] = {
            "SourcePipelineExecutionArn": selection.source,
            "SelectedSteps": [{"StepName": name} for name in selection.steps],
        }
    with aws_errors():
        try:
            return account.sagemaker.start_pipeline_execution(**request)["PipelineExecutionArn"]
        except Exception as e:
            if not is_refusal(e, "ResourceLimitExceeded"):
                raise
            raise _too_many(e) from e


def _too_many(error: Any) -> PipelineError:
    hint = "wait until one has ended, or stop one: buzzflow list shows them; AWS raises quotas on request"
    return PipelineError([Diagnostic("BF643", f"the account runs as much as it may: {message_of(error)}", hint=hint)])
