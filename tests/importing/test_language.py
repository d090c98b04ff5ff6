"""What the language has for pipelines that were not born in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from buzzflow.diagnostics import PipelineError
from buzzflow.driver import check, compile_artifact

ENVIRONMENT = "name: r\nregion: eu-west-1\nbucket: example-ml\nrole: arn:aws:iam::111122223333:role/r\n"
IMAGE = "image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/own:1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "environment.yaml").write_text(ENVIRONMENT)
    return tmp_path


def compiled(folder: Path, text: str) -> Any:
    (folder / "pipeline.yaml").write_text(f"name: p\n{text}")
    return json.loads(compile_artifact(check(folder)).content)


def test_the_address_of_an_output_is_exact_where_the_file_says_so(folder: Path) -> None:
    step = f"steps: {{a: {{type: processing, {IMAGE}, outputs: {{o: s3://b/o}}}}}}\n"

    def address(text: str) -> str:
        step = compiled(folder, text)["Steps"][0]
        return step["Arguments"]["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]

    assert address(step) == "s3://b/o/"
    assert address(f"exact_addresses: true\n{step}") == "s3://b/o"


def test_a_step_and_the_whole_definition_are_patched(folder: Path) -> None:
    text = """
definition_patch: {Metadata: {By: me}, MlflowConfig: {"=": null}, Parameters: null}
steps: {a: {type: fail, message: stop, step_patch: {CacheConfig: {ExpireAfter: T12H}, Beside: {"=": null}}}}
"""
    found = compiled(folder, text)

    assert found["Metadata"] == {"By": "me"}
    assert found["MlflowConfig"] is None
    assert "Parameters" not in found
    assert found["Steps"][0]["CacheConfig"] == {"ExpireAfter": "T12H"}
    assert found["Steps"][0]["Beside"] is None


def test_a_condition_may_say_its_test_in_the_services_words(folder: Path) -> None:
    text = """
steps:
  c: {type: condition, then: [f], arguments_patch: {Conditions: [{Type: Equals, LeftValue: 1, RightValue: "1"}]}}
  f: {type: fail, message: stop}
"""
    found = compiled(folder, text)

    assert found["Steps"][0]["Arguments"]["Conditions"] == [{"Type": "Equals", "LeftValue": 1, "RightValue": "1"}]
    with pytest.raises(PipelineError, match="BF422"):
        check(folder, backend="local")
    with pytest.raises(PipelineError, match="BF204"):
        compiled(folder, "steps: {c: {type: condition, then: [f]}, f: {type: fail, message: stop}}")


def test_what_the_user_removes_is_a_warning(folder: Path) -> None:
    (folder / "pipeline.yaml").write_text(
        f"name: p\nsteps: {{a: {{type: processing, {IMAGE}, arguments_patch: {{RoleArn: null}}}}}}\n"
    )

    assert [(d.code, d.is_error) for d in check(folder).warnings] == [("BF431", False)]


def test_a_default_patch_reaches_all_items_of_those_that_have_some(folder: Path) -> None:
    text = f"""
defaults: {{by_type: {{processing: {{arguments_patch: {{ProcessingInputs: {{"*": {{AppManaged: false}}}}}}}}}}}}
steps:
  a: {{type: processing, {IMAGE}, inputs: {{x: s3://b/x/, y: s3://b/y/}}}}
  b: {{type: processing, {IMAGE}}}
"""
    one, other = compiled(folder, text)["Steps"]

    assert [data["AppManaged"] for data in one["Arguments"]["ProcessingInputs"]] == [False, False]
    assert "ProcessingInputs" not in other["Arguments"]
