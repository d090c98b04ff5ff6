"""What one pipeline is to be in its account: pure, from the files alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from buzzflow import ir
from buzzflow.backends.sagemaker import meaning
from buzzflow.backends.sagemaker.compile import define
from buzzflow.backends.sagemaker.deploying.stored import Stored, images_built_by, stored_by
from buzzflow.backends.sagemaker.places import deployed_name
from buzzflow.backends.sagemaker.text import Object
from buzzflow.diagnostics import Diagnostic, PipelineError

SOURCE, REPOSITORY, COMMIT = "buzzflow:source", "buzzflow:repository", "buzzflow:commit"
OWNER, VERSION, DIGEST = "buzzflow:owner", "buzzflow:version", "buzzflow:digest"
# What these say changes without the pipeline: they are written with the next real change.
PASSING = frozenset((COMMIT, VERSION, DIGEST))
MAX_TAG = 256  # TagValue
_DIGESTED = "1"  # how the digest is made: another way gets another number, so that no old one seems changed


@dataclass(frozen=True, slots=True)
class Source:
    """Where a pipeline's file lies: its path in the repository, the repository, the commit; empty where unknown."""

    path: str
    repository: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A pipeline as it is to be deployed.

    *text* is what the service is given, *digest* is equal for equal meanings of all that is here but the tags.
    """

    name: str
    region: str
    account: str | None
    bucket: str
    role: str
    description: str
    parallelism: int | None
    data: Object
    text: str
    tags: Mapping[str, str]
    digest: str
    stored: tuple[Stored, ...]
    images: Mapping[str, ir.Bundle]


def deployment(pipeline: ir.Pipeline, source: Source) -> Deployment:
    """Return what *pipeline* is to be; PipelineError BF401 names what its environment lacks."""
    region, bucket, role = _needed(pipeline)
    compiled = define(pipeline)
    data = compiled.data
    description = " ".join((pipeline.description or "").split())  # PipelineDescription has no line breaks
    whole = digest_of(data, role, description, pipeline.parallelism)
    return Deployment(
        name=deployed_name(pipeline),
        region=region,
        account=pipeline.environment.account if pipeline.environment else None,
        bucket=bucket,
        role=role,
        description=description,
        parallelism=pipeline.parallelism,
        data=data,
        text=compiled.text,
        tags={**dict(pipeline.tags), **_own_tags(pipeline, source, whole)},
        digest=whole,
        stored=stored_by(pipeline),
        images=images_built_by(pipeline),
    )


def digest_of(data: Mapping[str, object], role: str, description: str, parallelism: int | None) -> str:
    """Return what is equal for pipelines that are the same but for their tags."""
    parts = [meaning.digest(data), role, description, parallelism]
    return f"{_DIGESTED}-{hashlib.sha256(meaning.canonical(parts).encode('ascii')).hexdigest()}"


def same_way(one: str, other: str) -> bool:
    """Whether two digests were made in the same way, so that different ones are of different pipelines."""
    return one.partition("-")[0] == other.partition("-")[0]


def _needed(pipeline: ir.Pipeline) -> tuple[str, str, str]:
    """Return region, bucket and role."""
    environment = pipeline.environment or ir.Environment("")
    given = {"region": environment.region, "bucket": environment.bucket, "role": environment.role}
    examples = {"region": "us-west-2", "bucket": "my-team-ml", "role": "arn:aws:iam::<account>:role/<name>"}
    why = {
        "region": "it is deployed to one",
        "bucket": "its code, and the lock of a deployment, lie there",
        "role": "SageMaker runs it with one",
    }
    problems = [
        Diagnostic(
            "BF401",
            f"to be deployed, the pipeline needs a {what}: {why[what]}",
            hint=f"add to environment.yaml: {what}: {examples[what]}",
        )
        for what, value in given.items()
        if not value
    ]
    if problems:
        raise PipelineError(problems)
    return str(given["region"]), str(given["bucket"]), str(given["role"])


def _own_tags(pipeline: ir.Pipeline, source: Source, whole: str) -> dict[str, str]:
    """Return the tags that say whence the pipeline comes."""
    told = {
        SOURCE: source.path,
        REPOSITORY: source.repository,
        COMMIT: source.commit,
        OWNER: pipeline.owner or "",
        VERSION: version("buzzflow"),
        DIGEST: whole,
    }
    return {key: _tag_value(value) for key, value in told.items() if value}


def _tag_value(text: str) -> str:
    """Return *text* without what a tag may not hold (TagValue: letters, digits, blanks and _.:/=+-@)."""
    allowed = "".join(c if c.isalnum() or c in " _.:/=+-@" else "_" for c in text)
    return allowed[:MAX_TAG]
