"""A Python module that builds a pipeline: run elsewhere, with a package that looks like the SDK's."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.importing.module import read_module

SDK = """
import json, os

class Pipeline:
    def __init__(self, name, steps, parameters=()):
        self.name, self.steps, self.parameters = name, steps, parameters

    def definition(self):
        arguments = {"ErrorMessage": os.environ["AWS_DEFAULT_REGION"]}
        steps = [{"Name": s, "Type": "Fail", "Arguments": arguments} for s in self.steps]
        return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps})
"""
HEAD = "from sagemaker.workflow.pipeline import Pipeline\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "site" / "sagemaker" / "workflow"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").write_text("")
    (package / "pipeline.py").write_text(SDK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    return tmp_path / "churn.py"


def steps_of(source: str, region: str | None = None) -> list[str]:
    document = read_module(source, python=sys.executable, region=region)
    steps = document.definition["Steps"]
    assert isinstance(steps, list)
    return [step["Name"] for step in steps]


def refusal(source: str, python: str | None = None) -> Diagnostic:
    with pytest.raises(PipelineError) as caught:
        read_module(source, python=python or sys.executable, region=None)
    return caught.value.diagnostics[0]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("churn = Pipeline('churn', ['a'])", ""),
        ("churn = Pipeline('churn', ['a'])\nsame = churn\nprint('told')", ""),
        ("def get_pipeline(): return Pipeline('churn', ['a'])", ""),
        ("def get_pipeline(region, role=None, *, default_bucket): return Pipeline('churn', ['a'])", ""),
        ("def pipeline(): return Pipeline('churn', ['a'])", ""),
        ("one = Pipeline('one', ['b'])\ntwo = Pipeline('two', ['a'])", ":two"),
        ("def mine(): return Pipeline('churn', ['a'])\nother = Pipeline('other', ['b'])", ":mine"),
    ],
)
def test_the_pipeline_of_a_module_is_found(text: str, name: str, module: Path) -> None:
    module.write_text(HEAD + text)

    assert steps_of(f"{module}{name}") == ["a"]


def test_the_name_and_the_region_are_those_of_the_pipeline(module: Path) -> None:
    module.write_text(HEAD + "churn = Pipeline('churn-prod', ['a'])")

    document = read_module(str(module), python=sys.executable, region="eu-west-3")

    assert document.name == "churn-prod"
    assert "eu-west-3" in json.dumps(document.definition)


def test_a_module_finds_those_beside_it(module: Path) -> None:
    module.with_name("helper.py").write_text("STEPS = ['a', 'b']")
    module.write_text(HEAD + "from helper import STEPS\nchurn = Pipeline('churn', STEPS)")

    assert steps_of(str(module)) == ["a", "b"]


def test_a_module_gets_no_credentials_and_reaches_no_aws(module: Path) -> None:
    module.write_text(
        HEAD + "import boto3, os\nassert 'AWS_PROFILE' not in os.environ\n"
        "assert boto3.client('sts').get_caller_identity()['Account'] == '111122223333'\n"
        "assert boto3.client('iam').get_role(RoleName='x')['Role']['Arn'].endswith(':role/import')\n"
        "boto3.client('s3').put_object(Bucket='b', Key='k', Body=b'x')\n"
        "assert boto3.client('s3').list_buckets()['Buckets'] == []\n"
        "boto3.client('sagemaker').list_pipelines()\n"
        "assert boto3.Session().get_credentials().secret_key == 'import'\n"
        "churn = Pipeline('churn', ['a'])"
    )

    assert steps_of(str(module)) == ["a"]


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("x = 5", "", "no pipeline, and no function get_pipeline()"),
        ("x = 5", ":y", "no 'y'"),
        ("x = 5", ":x", "no pipeline, and no function that makes one"),
        ("a = Pipeline('a', [])\nb = Pipeline('b', [])", "", "several pipelines: a, b"),
        ("def get_pipeline(team): ...", "", "get_pipeline() needs team"),
        ("def get_pipeline(): return 5", "", "gives no pipeline, but int"),
        ("raise SystemExit('stop')", "", "SystemExit: stop"),
        ("import nobody_has_this", "", "ModuleNotFoundError"),
        ("this is no python", "", "SyntaxError"),
    ],
)
def test_a_module_without_a_pipeline_is_told(text: str, name: str, told: str, module: Path) -> None:
    module.write_text(HEAD + text)

    found = refusal(f"{module}{name}")

    assert found.code == "BF656"
    assert told in found.summary


def test_the_line_of_an_error_is_told(module: Path) -> None:
    module.write_text(HEAD + "\n\nx = 1 / 0")

    found = refusal(str(module))

    assert found.span is not None
    assert found.span.line == 4


def test_what_cannot_be_started_is_told(module: Path) -> None:
    module.write_text("import os\nos._exit(3)")

    assert "there is no file" in refusal(str(module.with_name("other.py"))).summary
    assert "cannot start" in refusal(str(module), python="/no/such/python").summary
    assert "ended without a pipeline" in refusal(str(module)).summary
