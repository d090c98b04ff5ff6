"""What a run lacks is told before it starts, all of it at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from buzzflow.backends.local import plan
from buzzflow.backends.local.executor import Setting
from buzzflow.backends.local.request.request import Ready, RunRequest, prepare
from buzzflow.diagnostics import Diagnostic, PipelineError

PARAMETERS = [
    plan.Parameter(name="day", type="string", default="2026-01-01"),
    plan.Parameter(name="depth", type="integer", default=6, choices=[4, 6]),
    plan.Parameter(name="limit", type="float", default=0.5),
    plan.Parameter(name="verbose", type="boolean", default=False),
]
PREFIX = "s3://buzzflow-local/delays/"


def step(name: str = "extract", **fields: Any) -> plan.ProcessingStep:
    return plan.ProcessingStep(name=name, container=plan.Container(**{"image": "python:3.11"} | fields))


def asked(tmp_path: Path, *steps: plan.Step, fields: dict[str, Any] | None = None, **given: Any) -> RunRequest:
    made = plan.RunPlan(pipeline="delays", prefix=PREFIX, steps=list(steps), **fields or {})
    return RunRequest("r1", made, given.pop("contents", {}), tmp_path / "state", tmp_path, **given)


def ready(request: RunRequest) -> Ready:
    return prepare(request, started="2026-01-01T00:00:00Z")


def problems(request: RunRequest) -> list[Diagnostic]:
    with pytest.raises(PipelineError) as caught:
        ready(request)
    return list(caught.value.diagnostics)


# ------------------------------------------------------------------ parameters


def test_parameters_take_their_declared_types(tmp_path: Path) -> None:
    given = {"depth": "4", "limit": "1e-3", "verbose": "TRUE"}
    request = asked(tmp_path, fields={"parameters": PARAMETERS}, parameters=given)
    assert ready(request).known.parameters == {"day": "2026-01-01", "depth": 4, "limit": 0.001, "verbose": True}


@pytest.mark.parametrize(
    ("given", "summary"),
    [
        ({"depth": "4.5"}, "--param depth: '4.5' is not a whole number"),
        ({"depth": "5"}, "--param depth: '5' is not among its choices: 4, 6"),
        ({"limit": "low"}, "--param limit: 'low' is not a number"),
        ({"limit": "nan"}, "--param limit: 'nan' is not a number"),
        ({"limit": "inf"}, "--param limit: 'inf' is not a number"),
        ({"verbose": "1"}, "--param verbose: '1' is not true or false"),
        ({"dey": "2026-01-01"}, "there is no parameter 'dey'"),
    ],
)
def test_a_parameter_with_a_wrong_value_is_told(given: dict[str, str], summary: str, tmp_path: Path) -> None:
    [found] = problems(asked(tmp_path, fields={"parameters": PARAMETERS}, parameters=given))
    assert (found.code, found.summary) == ("BF500", summary)


def test_every_wrong_parameter_is_told_at_once(tmp_path: Path) -> None:
    needed = [*PARAMETERS, plan.Parameter(name="region", type="string")]
    given = {"depth": "x", "dey": "y"}
    found = problems(asked(tmp_path, fields={"parameters": needed}, parameters=given))
    assert [d.summary for d in found] == [
        "there is no parameter 'dey'",
        "--param depth: 'x' is not a whole number",
        "parameter 'region' has no value",
    ]
    assert found[0].hint == "did you mean 'day'?"
    assert found[2].hint == "give it: --param region=…, or a default in the file"


# ------------------------------------------------------------------ data


def reading(name: str, source: plan.Expression) -> plan.ProcessingStep:
    return step(name, inputs=[plan.Input(name="raw", source=source, path="/opt/ml/processing/input/raw")])


def test_all_data_that_is_missing_is_told_before_the_first_step(tmp_path: Path) -> None:
    by_day = plan.Join(parts=["s3://raw/", plan.ParameterValue(name="day"), "/"])
    produced = plan.OutputAddress(step="one", name="out")
    request = asked(
        tmp_path,
        reading("one", "s3://raw/all/"),
        reading("two", by_day),
        reading("three", produced),
        reading("four", "s3://here/x"),
        fields={"parameters": PARAMETERS},
        data={"s3://here": tmp_path},
    )
    (tmp_path / "x").mkdir()
    found = problems(request)
    assert [(d.code, d.path) for d in found] == [
        ("BF501", ("steps", "one", "inputs", "raw", "from")),
        ("BF501", ("steps", "two", "inputs", "raw", "from")),
    ]
    assert found[1].summary == "there is no data for s3://raw/2026-01-01/ on this machine"
    assert found[1].hint == (
        "name sample data in pipeline.local.yaml: local: {data: {s3://raw/2026-01-01: path/to/folder}}"
        ", or fetch it: --download 1GB"
    )


def test_data_that_an_earlier_run_stored_is_there(tmp_path: Path) -> None:
    (tmp_path / "state" / "s3" / "raw" / "all").mkdir(parents=True)
    assert ready(asked(tmp_path, reading("one", "s3://raw/all/")))


def test_an_address_that_leaves_its_folder_is_told(tmp_path: Path) -> None:
    [found] = problems(asked(tmp_path, reading("one", "s3://raw/../../etc/")))
    assert (found.code, found.summary) == ("BF501", "'s3://raw/../../etc/' leaves its folder")


# ------------------------------------------------------------------ images


def test_an_image_is_used_as_it_is_or_as_the_user_replaced_it(tmp_path: Path) -> None:
    private = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/x:1"
    images = {private: "python:3.12", "sklearn:1.4-2": "mine:1"}
    framework = plan.Framework(framework="sklearn", version="1.4-2")
    request = asked(tmp_path, step("a"), step("b", image=private), step("c", image=framework), images=images)
    settings = ready(request).settings
    assert settings == {"a": Setting("python:3.11"), "b": Setting("python:3.12"), "c": Setting("mine:1")}


def test_a_framework_image_has_a_stand_in_and_says_so(tmp_path: Path) -> None:
    framework = plan.Framework(framework="sklearn", version="1.4-2")
    found = ready(asked(tmp_path, step("a", image=framework), step("b", image=framework)))
    assert found.settings["a"].image == "python:3.10-slim"
    assert "scikit-learn==1.4.2" in found.settings["a"].over_image[0].splitlines()
    assert "scikit-learn" in found.settings["a"].on_this_machine[0].splitlines()
    [warning] = found.warnings
    assert warning.startswith("python:3.10-slim with scikit-learn==1.4.2 stands in for sklearn:1.4-2")


def test_a_framework_without_stand_in_is_told_how_to_name_one(tmp_path: Path) -> None:
    framework = plan.Framework(framework="tensorflow", version="2.14")
    [found] = problems(asked(tmp_path, step("a", image=framework)))
    assert (found.code, found.path) == ("BF503", ("steps", "a", "image"))
    assert found.hint == "name one in pipeline.local.yaml: local: {images: {'tensorflow:2.14': python:3.11-slim}}"


def test_an_image_that_only_a_step_knows_is_told(tmp_path: Path) -> None:
    image = plan.StepProperty(step="train", word="image")
    [found] = problems(asked(tmp_path, step("a", image=image)))
    assert (found.code, found.hint) == ("BF503", "name a fixed image here")


def test_requirements_of_the_stand_in_come_before_the_steps_own(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("requests\n")
    code = plan.Code(digest="0" * 64, path="/code", files=[], requirements="abc")
    framework = plan.Framework(framework="sklearn", version="1.4-2")
    contents = {"abc": tmp_path / "requirements.txt"}
    found = ready(asked(tmp_path, step(code=code, image=framework), step("b", code=code), contents=contents))
    for installed in (found.settings["extract"].over_image, found.settings["extract"].on_this_machine):
        assert len(installed) == 2
        assert installed[1] == "requests\n"
    assert found.settings["b"].over_image == ("requests\n",)


def test_nothing_is_written_before_the_run(tmp_path: Path) -> None:
    ready(asked(tmp_path, step()))
    assert list(tmp_path.iterdir()) == []
