"""A pipeline that is deployed: DescribePipeline over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest

from buzzflow.diagnostics import PipelineError
from buzzflow.driver.importing.sources import read_source

if TYPE_CHECKING:
    from tests.aws.fake import FakeAws

STEP = {"Name": "a", "Type": "Fail", "Arguments": {"ErrorMessage": "n"}}
DEFINITION = {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": [STEP]}
REGION = "eu-west-1"


@pytest.fixture
def deployed(aws: FakeAws) -> str:
    """The ARN of a pipeline."""
    answer = boto3.client("sagemaker", region_name=REGION).create_pipeline(
        PipelineName="churn-prod",
        PipelineDescription="daily",
        PipelineDefinition=json.dumps(DEFINITION),
        RoleArn="arn:aws:iam::111122223333:role/buzzflow-execution",
        ClientRequestToken="x" * 32,
    )
    return answer["PipelineArn"]


def test_a_deployed_pipeline_is_read_by_its_name(deployed: str) -> None:
    assert deployed

    document = read_source("churn-prod", region=REGION)

    assert document.definition == DEFINITION
    assert (document.name, document.description) == ("churn-prod", "daily")


def test_an_arn_tells_the_region(deployed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)

    assert read_source(deployed).definition == DEFINITION


def test_a_pipeline_that_is_not_there_is_told(deployed: str) -> None:
    assert deployed

    with pytest.raises(PipelineError) as caught:
        read_source("other", region=REGION)

    assert [d.code for d in caught.value.diagnostics] == ["BF657"]


def test_a_name_without_a_region_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

    with pytest.raises(PipelineError, match="in which region"):
        read_source("churn-prod")
    with pytest.raises(PipelineError, match="there is no file"):
        read_source("no such thing")
