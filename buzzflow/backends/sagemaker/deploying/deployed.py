"""What a pipeline is in its account now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import is_absent
from buzzflow.backends.sagemaker.deploying.deployment import digest_of
from buzzflow.backends.sagemaker.text import Object


@dataclass(frozen=True, slots=True)
class Deployed:
    """A pipeline as the service describes it; *data* is None where its definition is no JSON object."""

    name: str
    arn: str
    text: str
    data: Object | None
    role: str
    description: str
    parallelism: int | None
    tags: Mapping[str, str]
    modified: datetime
    status: str

    @property
    def digest(self) -> str:
        """What is equal for equal meanings, as of a `Deployment`; empty where the definition cannot be read."""
        if self.data is None:
            return ""
        return digest_of(self.data, self.role, self.description, self.parallelism)


def read_deployed(account: Account, name: str) -> Deployed | None:
    """Return the pipeline called *name*, if there is one; what boto3 raises passes."""
    try:
        found = account.sagemaker.describe_pipeline(PipelineName=name)
    except Exception as e:
        if is_absent(e):
            return None
        raise
    text = found["PipelineDefinition"]
    return Deployed(
        name=name,
        arn=found["PipelineArn"],
        text=text,
        data=_data(text),
        role=found["RoleArn"],
        description=found.get("PipelineDescription") or "",
        parallelism=found.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps"),
        tags=read_tags(account, found["PipelineArn"]),
        modified=found["LastModifiedTime"],
        status=found["PipelineStatus"],
    )


def read_tags(account: Account, arn: str) -> dict[str, str]:
    """Return the tags of a pipeline."""
    pages = account.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def _data(text: str) -> Object | None:
    try:
        data = json.loads(text)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None
