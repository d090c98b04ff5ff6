"""The pipelines that are deployed in a region, each with its last run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors, is_absent
from buzzflow.backends.sagemaker.executions.runs import Run, describe_run, list_runs

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class DeployedSummary:
    """A deployed pipeline in a list; *last* is None when it has not run yet."""

    name: str
    arn: str
    region: str
    description: str | None
    modified: datetime | None
    last: Run | None


def list_deployed(account: Account, *, only: Collection[str] | None = None) -> list[DeployedSummary]:
    """Return the pipelines of the region by name; *only* those of these names."""
    with aws_errors(), ThreadPoolExecutor(_AT_ONCE) as pool:
        found = sorted(_listed(account, only), key=lambda one: one.name)
        return [*pool.map(lambda one: _with_last(account, one), found)]


def _listed(account: Account, only: Collection[str] | None) -> Iterator[DeployedSummary]:
    for page in account.sagemaker.get_paginator("list_pipelines").paginate(PaginationConfig={"PageSize": 100}):
        for found in page["PipelineSummaries"]:
            if only is None or found["PipelineName"] in only:
                yield DeployedSummary(
                    found["PipelineName"],
                    found["PipelineArn"],
                    account.region,
                    found.get("PipelineDescription"),
                    found.get("LastModifiedTime"),
                    None,
                )


def _with_last(account: Account, one: DeployedSummary) -> DeployedSummary:
    try:
        latest = next(list_runs(account, one.name, most=1), None)
        last = None if latest is None else describe_run(account, latest.arn, one.name)
    except Exception as e:
        if is_absent(e):  # deleted since it was listed
            return one
        raise
    return DeployedSummary(one.name, one.arn, one.region, one.description, one.modified, last)


def missing(found: Iterable[DeployedSummary], names: Collection[str]) -> list[str]:
    """Return those of *names* that are not deployed, by name."""
    return sorted({*names} - {one.name for one in found})
