"""The requests that write a pipeline: one that creates or updates it, and those for its tags."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors, code_of, is_absent, is_refusal, message_of
from buzzflow.backends.sagemaker.deploying.deployment import Deployment
from buzzflow.backends.sagemaker.meaning import steps_of
from buzzflow.diagnostics import Diagnostic, Path, PipelineError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import TagTypeDef

_REFUSALS = ("ValidationException", "ValidationError")


def create_pipeline(account: Account, wanted: Deployment, identity: str) -> str | None:
    """Create the pipeline and return its ARN; None when there is one of its name.

    Repeated with one *identity*, it has one effect.
    """
    members = {
        **_members(wanted),
        "ClientRequestToken": hashlib.sha256(f"{identity}|create".encode()).hexdigest(),
        "Tags": _tags(wanted.tags),
    }
    with _refusals(wanted):
        try:
            return account.sagemaker.create_pipeline(**members)["PipelineArn"]
        except Exception as e:
            if is_refusal(e, *_REFUSALS, "ConflictException", "ResourceInUse") and _exists(e):
                return None
            raise


def update_pipeline(account: Account, wanted: Deployment) -> str | None:
    """Update the pipeline and return its ARN; None when there is none any more."""
    with _refusals(wanted):
        try:
            return account.sagemaker.update_pipeline(**_members(wanted))["PipelineArn"]
        except Exception as e:
            if is_absent(e):
                return None
            raise


def _members(wanted: Deployment) -> dict[str, Any]:
    """Return what both requests have; typed loosely, because one member may be absent."""
    members: dict[str, Any] = {
        "PipelineName": wanted.name,
        "PipelineDefinition": wanted.text,
        "PipelineDescription": wanted.description,
        "RoleArn": wanted.role,
    }
    if wanted.parallelism is not None:
        members["ParallelismConfiguration"] = {"MaxParallelExecutionSteps": wanted.parallelism}
    return members


def write_tags(account: Account, arn: str, set_tags: Mapping[str, str], drop_tags: Sequence[str]) -> None:
    """Set some tags of a pipeline and remove others."""
    with aws_errors():
        if set_tags:
            account.sagemaker.add_tags(ResourceArn=arn, Tags=_tags(set_tags))
        if drop_tags:
            account.sagemaker.delete_tags(ResourceArn=arn, TagKeys=[*drop_tags])


def _tags(tags: Mapping[str, str]) -> list[TagTypeDef]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _exists(error: Exception) -> bool:
    return bool(re.search(r"already exists|must be unique", str(error)))


@contextmanager
def _refusals(wanted: Deployment) -> Iterator[None]:
    """Tell what the service has against the pipeline: at the step that it names, if it names one."""
    with aws_errors():
        try:
            yield
        except Exception as e:
            if is_refusal(e, *_REFUSALS, "ConflictException", "ResourceLimitExceeded"):
                raise PipelineError([_refusal(e, wanted)]) from e
            raise


def _refusal(error: Exception, wanted: Deployment) -> Diagnostic:
    from botocore.exceptions import ClientError

    assert isinstance(error, ClientError)
    told = " ".join(message_of(error).split())
    match code_of(error):
        case "ConflictException":
            hint = "somebody writes it without buzzflow's lock: the console, or another tool; then run this again"
            return Diagnostic(
                "BF607", f"the pipeline {wanted.name} is being changed by somebody else: {told}", hint=hint
            )
        case "ResourceLimitExceeded":
            hint = "raise the quota in Service Quotas, or delete pipelines that nobody needs: buzzflow list"
            return Diagnostic("BF605", f"the account has as many pipelines as it may have: {told}", hint=hint)
        case _:
            hint = "the words are SageMaker's; buzzflow checks what its model says, and this it does not say"
            return Diagnostic("BF605", f"SageMaker refuses the pipeline: {told}", _step_in(told, wanted), hint)


def _step_in(told: str, wanted: Deployment) -> Path:
    """Return the path of the step that a text names: the longest name that stands in it as a word."""
    names = sorted(steps_of(wanted.data), key=len, reverse=True)
    found = next((n for n in names if re.search(rf"(?<![\w-]){re.escape(n)}(?![\w-])", told)), None)
    return ("steps", found) if found else ()
