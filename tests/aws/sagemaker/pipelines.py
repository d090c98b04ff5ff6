"""Pipelines and their versions: created, updated, described, listed, tagged, deleted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.aws.errors import ServiceError
from tests.aws.sagemaker.definition import Definition, read
from tests.aws.sagemaker.pages import ordered, page

_MOST_TAGS = 50


@dataclass
class Version:
    """One version of a pipeline: its definition as text and as read."""

    number: int
    text: str
    definition: Definition
    created: float


@dataclass
class Pipeline:
    """A pipeline; *versions* has the current one last."""

    name: str
    arn: str
    role: str
    created: float
    modified: float
    versions: list[Version]
    display_name: str
    description: str | None = None
    parallelism: dict[str, int] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    last_run: float | None = None
    user: str = ""

    @property
    def current(self) -> Version:
        return self.versions[-1]

    def version(self, number: int | None) -> Version:
        for version in self.versions:
            if number in (None, version.number):
                return self.current if number is None else version
        raise ServiceError("ResourceNotFound", f"Pipeline version {number} of '{self.arn}' does not exist.")


class Pipelines:
    """All pipelines of an account in one region."""

    def __init__(self, account: str, region: str) -> None:
        self.arn_prefix = f"arn:aws:sagemaker:{region}:{account}:"
        self._user = f"arn:aws:sts::{account}:assumed-role/buzzflow-deploy/ci"
        self._all: dict[str, Pipeline] = {}

    def find(self, name_or_arn: str) -> Pipeline:
        """Return the pipeline, whose ARN has its name in lower case."""
        name = name_or_arn.rpartition(":pipeline/")[2]
        for pipeline in self._all.values():
            if name in (pipeline.name, pipeline.arn.rpartition("/")[2]):
                return pipeline
        raise ServiceError("ResourceNotFound", f"Pipeline '{self.arn(name)}' does not exist.")

    def arn(self, name: str) -> str:
        return f"{self.arn_prefix}pipeline/{name.lower()}"

    def create(self, members: dict[str, Any], text: str, now: float) -> dict[str, Any]:
        name = members["PipelineName"]
        if self.arn(name) in (pipeline.arn for pipeline in self._all.values()):
            raise ServiceError(
                "ValidationException",
                "Pipeline names must be unique within an AWS account and region. "
                f"Pipeline with name ({name}) already exists.",
            )
        version = Version(1, text, read(text), now)
        pipeline = Pipeline(
            name,
            self.arn(name),
            members["RoleArn"],
            now,
            now,
            [version],
            members.get("PipelineDisplayName", name),
            members.get("PipelineDescription"),
            members.get("ParallelismConfiguration"),
            user=self._user,
        )
        _add_tags(pipeline, members.get("Tags", []))
        self._all[name] = pipeline
        return {"PipelineArn": pipeline.arn}

    def update(self, members: dict[str, Any], text: str | None, now: float) -> dict[str, Any]:
        """Change what *members* name and nothing else; a definition makes a new version."""
        pipeline = self.find(members["PipelineName"])
        if text is not None:
            pipeline.versions.append(Version(pipeline.current.number + 1, text, read(text), now))
        pipeline.role = members.get("RoleArn", pipeline.role)
        pipeline.display_name = members.get("PipelineDisplayName", pipeline.display_name)
        pipeline.description = members.get("PipelineDescription", pipeline.description)
        pipeline.parallelism = members.get("ParallelismConfiguration", pipeline.parallelism)
        pipeline.modified = now
        return {"PipelineArn": pipeline.arn, "PipelineVersionId": pipeline.current.number}

    def delete(self, members: dict[str, Any]) -> dict[str, Any]:
        pipeline = self.find(members["PipelineName"])
        del self._all[pipeline.name]
        return {"PipelineArn": pipeline.arn}

    def describe(self, members: dict[str, Any]) -> dict[str, Any]:
        pipeline = self.find(members["PipelineName"])
        user = {"IamIdentity": {"Arn": pipeline.user, "PrincipalId": "AROAEXAMPLE:ci"}}
        found = {
            "PipelineArn": pipeline.arn,
            "PipelineName": pipeline.name,
            "PipelineDisplayName": pipeline.display_name,
            "PipelineDefinition": pipeline.version(members.get("PipelineVersionId")).text,
            "PipelineDescription": pipeline.description,
            "RoleArn": pipeline.role,
            "PipelineStatus": "Active",
            "CreationTime": pipeline.created,
            "LastModifiedTime": pipeline.modified,
            "LastRunTime": pipeline.last_run,
            "CreatedBy": user,
            "LastModifiedBy": user,
            "ParallelismConfiguration": pipeline.parallelism,
        }
        return {key: value for key, value in found.items() if value is not None}

    def list(self, members: dict[str, Any]) -> dict[str, Any]:
        prefix = members.get("PipelineNamePrefix", "")
        chosen = [p for p in self._all.values() if p.name.startswith(prefix) and _within(p.created, members)]
        by_name = members.get("SortBy") == "Name"
        shown, more = page(ordered(chosen, members, lambda p: p.name if by_name else (p.created, p.name)), members)
        return {"PipelineSummaries": [_summary(pipeline) for pipeline in shown], **more}

    def list_versions(self, members: dict[str, Any]) -> dict[str, Any]:
        pipeline = self.find(members["PipelineName"])
        chosen = [version for version in pipeline.versions if _within(version.created, members)]
        shown, more = page(ordered(chosen, members, lambda version: version.number), members)
        summaries = [
            {"PipelineArn": pipeline.arn, "PipelineVersionId": v.number, "CreationTime": v.created} for v in shown
        ]
        return {"PipelineVersionSummaries": summaries, **more}

    def has(self, arn: str) -> bool:
        """Tell whether *arn* is that of a pipeline, whether there is such a one or not."""
        return re.fullmatch(rf"{re.escape(self.arn_prefix)}pipeline/[^/]+", arn) is not None

    def list_tags(self, members: dict[str, Any]) -> dict[str, Any]:
        tags = self.find(members["ResourceArn"]).tags
        shown, more = page([{"Key": key, "Value": value} for key, value in tags.items()], members, size=_MOST_TAGS)
        return {"Tags": shown, **more}

    def add_tags(self, members: dict[str, Any]) -> dict[str, Any]:
        pipeline = self.find(members["ResourceArn"])
        _add_tags(pipeline, members["Tags"])
        return {"Tags": [{"Key": key, "Value": value} for key, value in pipeline.tags.items()]}

    def delete_tags(self, members: dict[str, Any]) -> dict[str, Any]:
        pipeline = self.find(members["ResourceArn"])
        for key in members["TagKeys"]:
            pipeline.tags.pop(key, None)
        return {}


def _add_tags(pipeline: Pipeline, tags: list[dict[str, str]]) -> None:
    keys = [tag["Key"] for tag in tags]
    if len({*keys}) < len(keys):
        raise ServiceError("ValidationException", "Duplicate tag keys found. Please provide unique tag keys.")
    if reserved := [key for key in keys if key.lower().startswith("aws:")]:
        raise ServiceError("ValidationException", f"Tag key {reserved[0]} is reserved: aws: may not be a prefix.")
    if len(pipeline.tags.keys() | {*keys}) > _MOST_TAGS:
        raise ServiceError("ResourceLimitExceeded", f"A resource has at most {_MOST_TAGS} tags.")
    pipeline.tags |= {tag["Key"]: tag["Value"] for tag in tags}


def _within(at: float, members: dict[str, Any]) -> bool:
    return members.get("CreatedAfter", at) <= at <= members.get("CreatedBefore", at)


def _summary(pipeline: Pipeline) -> dict[str, Any]:
    found = {
        "PipelineArn": pipeline.arn,
        "PipelineName": pipeline.name,
        "PipelineDisplayName": pipeline.display_name,
        "PipelineDescription": pipeline.description,
        "RoleArn": pipeline.role,
        "CreationTime": pipeline.created,
        "LastModifiedTime": pipeline.modified,
        "LastExecutionTime": pipeline.last_run,
    }
    return {key: value for key, value in found.items() if value is not None}
