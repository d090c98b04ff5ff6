"""Which pipelines of an account buzzflow deployed, and from which repository and file."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import is_absent
from buzzflow.backends.sagemaker.deploying.deployed import read_tags
from buzzflow.backends.sagemaker.deploying.deployment import COMMIT, REPOSITORY, SOURCE

_SIDE_BY_SIDE = 8


@dataclass(frozen=True, slots=True)
class Owned:
    """A deployed pipeline: the path of its file in its repository, and the commit that it was deployed from."""

    name: str
    arn: str
    source: str
    commit: str


def owned_by(account: Account, repository: str, prefix: str) -> Iterator[Owned]:
    """Yield the pipelines that were deployed from *repository*, of those whose names start with *prefix*.

    What boto3 raises passes.
    """
    lister = account.sagemaker.get_paginator("list_pipelines")
    start = prefix.rstrip("-")  # the service takes only what could be a name
    pages = lister.paginate(PipelineNamePrefix=start) if start else lister.paginate()
    found = [(p["PipelineName"], p["PipelineArn"]) for page in pages for p in page["PipelineSummaries"]]
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        tags = [*pool.map(lambda pair: _tags(account, pair[1]), found)]
    for (name, arn), own in zip(found, tags, strict=True):
        if own.get(REPOSITORY) == repository and name.startswith(prefix):
            yield Owned(name, arn, own.get(SOURCE, ""), own.get(COMMIT, ""))


def _tags(account: Account, arn: str) -> dict[str, str]:
    try:
        return read_tags(account, arn)
    except Exception as e:
        if is_absent(e):  # deleted since it was listed
            return {}
        raise
