"""A pipeline that is deployed in the fake account, and the command in this process."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from buzzflow import load
from buzzflow.cli.main import app
from tests.aws.fake import FakeAws

NAME = "research-churn"
ROLE = "arn:aws:iam::111122223333:role/steps"
ENVIRONMENT = """\
name: research
account: "111122223333"
region: us-west-2
role: arn:aws:iam::111122223333:role/steps
bucket: example-bucket
name_prefix: research-
"""
PIPELINE = """\
name: churn
parameters:
  rows: {type: integer, default: 3}
  rate: {type: float, default: 0.5}
  full: {type: boolean, default: false}
  day: {type: string, default: mon, choices: [mon, tue]}
defaults: {image: {framework: sklearn, version: "1.4-2"}, instance: {type: ml.m5.large}}
steps:
  extract: {type: processing, code: step.py, arguments: {rows: "${param:rows}"}, outputs: [data]}
  train: {type: training, code: step.py, inputs: {data: "${step:extract.outputs.data}"}}
  evaluate:
    type: processing
    code: step.py
    inputs: {model: "${step:train.model}"}
    outputs: {report: {json: metrics.json}}
  gate: {type: condition, if: "${json:evaluate.report.score} >= 0.5", then: [publish], else: [reject]}
  publish: {type: processing, code: step.py, inputs: {model: "${step:train.model}"}}
  reject: {type: fail, message: the score is too low}
"""
Buzzflow = Callable[..., Result]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one project in research, which is also where the user stands."""
    (tmp_path / ".git").mkdir()
    project = tmp_path / "projects" / "research" / "churn"
    project.mkdir(parents=True)
    (project.parent / "environment.yaml").write_text(ENVIRONMENT)
    (project / "pipeline.yaml").write_text(PIPELINE)
    (project / "step.py").write_text("print('done')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    return tmp_path


@pytest.fixture
def deployed(aws: FakeAws, repository: Path) -> FakeAws:
    """The account, in which the project's pipeline is deployed."""
    text = load(repository / "projects" / "research" / "churn", backend="sagemaker").compile().content.decode()
    aws.client("sagemaker").create_pipeline(PipelineName=NAME, PipelineDefinition=text, RoleArn=ROLE)
    aws.calls.clear()
    return aws


@pytest.fixture
def buzzflow() -> Buzzflow:
    """Runs a command in this process."""

    def buzzflow(*arguments: str, given: str | None = None) -> Result:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "In Typer, only", DeprecationWarning)  # about how completion is declared
            result = CliRunner().invoke(app, arguments, input=given, prog_name="buzzflow")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return buzzflow
