"""What whole pipelines compile to: parameters, nesting, order, and the same bytes each time."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow import ir
from buzzflow.backends.sagemaker import backend
from buzzflow.backends.sagemaker.compile import define, iso_duration

HERE = Path(__file__).parent
GOLDEN = HERE / "golden/pipeline-definition.json"
NO_AWS = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("example", sys.argv[1])
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)
from buzzflow.backends.sagemaker import backend
pipeline = example.example()
assert not any(d.is_error for d in backend.check(pipeline))
sys.stdout.buffer.write(backend.compile(pipeline).readable().encode())
assert not {"boto3", "botocore", "sagemaker"} & {*sys.modules}, "AWS was imported"
"""


def test_a_pipeline_with_every_step_type_compiles_to_the_golden(example, compiled):
    compiled(example)
    artifact = backend.compile(example)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(artifact.readable(), "utf-8")
    assert artifact.name == "pipeline-definition.json"
    assert artifact.readable() == GOLDEN.read_text("utf-8")


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_the_bytes_are_the_same_under_any_hash_seed_and_without_aws(seed):
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(HERE.parents[2])}
    command = [sys.executable, "-c", NO_AWS, str(HERE / "example.py")]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == GOLDEN.read_bytes()


def test_the_artifact_is_readable_text_that_ends_in_a_newline(example):
    text = backend.compile(example).readable()
    assert text.startswith('{\n  "Version": "2020-12-01",\n  "Metadata": {},\n  "Parameters": [')
    assert text.endswith("}\n")
    assert "größe" in text


def test_compiling_changes_nothing_and_remembers_nothing(example, make):
    first = backend.compile(example)
    backend.compile(make.pipeline(make.processing(entrypoint=("true",))))
    assert backend.compile(example) == first


def test_a_parameter_without_default_must_be_given_at_the_start(compiled, make):
    parameters = (ir.Parameter("day", "string"), ir.Parameter("verbose", "boolean", False))
    assert compiled(make.pipeline(parameters=parameters))["Parameters"] == [
        {"Name": "day", "Type": "String"},
        {"Name": "verbose", "Type": "Boolean", "DefaultValue": False},
    ]


def test_a_step_of_a_branch_stands_in_its_condition_and_nowhere_else(compiled, make):
    test = ir.Comparison("==", ir.ParameterReference("p", ir.Kind.TEXT), "a")
    outer = ir.Step("outer", ir.Condition(test, ("inner", "a"), ("f",)))
    inner = ir.Step("inner", ir.Condition(test, ("b",), ()), branch=ir.Branch("outer", taken=True))
    inside = {
        "a": make.processing("a", entrypoint=("true",), step={"branch": ir.Branch("outer", taken=True)}),
        "b": make.processing("b", entrypoint=("true",), step={"branch": ir.Branch("inner", taken=True)}),
    }
    fail = ir.Step("f", ir.Fail("no"), branch=ir.Branch("outer", taken=False))
    parameters = (ir.Parameter("p", "string"),)
    definition = compiled(make.pipeline(outer, inside["a"], inner, inside["b"], fail, parameters=parameters))
    [top] = definition["Steps"]
    assert [s["Name"] for s in top["Arguments"]["IfSteps"]] == ["a", "inner"]
    assert [s["Name"] for s in top["Arguments"]["ElseSteps"]] == ["f"]
    nested = top["Arguments"]["IfSteps"][1]["Arguments"]
    assert [s["Name"] for s in nested["IfSteps"]] == ["b"]
    assert nested["ElseSteps"] == []


def test_every_order_that_the_user_asks_for_is_written(compiled_step, make):
    steps = [make.processing(name, entrypoint=("true",)) for name in ("a", "b", "c", "d")]
    needs = (
        ir.Need("a", ir.Because.ORDER),
        ir.Need("b", ir.Because.REFERENCE),
        ir.Need("b", ir.Because.ORDER),
        ir.Need("c", ir.Because.ORDER, ir.When.FAILED),
        ir.Need("d", ir.Because.ORDER, ir.When.ANY),
    )
    last = compiled_step(*steps, make.processing("last", entrypoint=("true",), step={"needs": needs}))
    assert last["DependsOn"] == ["a", "b", {"Step": "c", "Trigger": "Failed"}, {"Step": "d", "Trigger": "Any"}]


def test_a_retry_of_both_families_becomes_two_policies(compiled_step, make):
    errors = ("capacity_error", "throttling", "resource_limit")
    retry = ir.Retry(errors, interval=60, backoff=1.5, give_up_after=90)
    step = compiled_step(make.processing(entrypoint=("true",), step={"retry": (retry,)}))
    common = {"BackoffRate": 1.5, "IntervalSeconds": 60, "ExpireAfterMin": 2}
    assert step["RetryPolicies"] == [
        {**common, "ExceptionType": ["Step.THROTTLING"]},
        {**common, "ExceptionType": ["SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"]},
    ]


@pytest.mark.parametrize(
    ("cache", "expected"),
    [
        (ir.Cache(), {"Enabled": True}),
        (ir.Cache(enabled=False), {"Enabled": False}),
        (ir.Cache(expire_after=30 * 86_400), {"Enabled": True, "ExpireAfter": "P30D"}),
        (ir.Cache(expire_after=3600), {"Enabled": True, "ExpireAfter": "PT1H"}),
        (ir.Cache(expire_after=93_784), {"Enabled": True, "ExpireAfter": "P1DT2H3M4S"}),
    ],
)
def test_a_cache_expires_after_an_iso_duration(compiled_step, make, cache, expected):
    assert compiled_step(make.processing(entrypoint=("true",), step={"cache": cache}))["CacheConfig"] == expected


@given(st.integers(1, 10**9))
def test_an_iso_duration_says_as_many_seconds_as_it_was_made_of(seconds):
    days, _, time = iso_duration(seconds).removeprefix("P").partition("T")
    units = {"D": 86_400, "H": 3600, "M": 60, "S": 1}
    number, total = "", 0
    for character in days + time:
        if character.isdecimal():
            number += character
        else:
            total, number = total + int(number) * units[character], ""
    assert total == seconds


def test_an_experiment_that_is_named_is_sent_in_every_region(make):
    environment = replace(make.environment, region="ap-south-2")
    pipeline = make.pipeline(ir.Step("f", ir.Fail("no")), environment=environment, experiment=("a", "b"))
    assert define(pipeline).data["PipelineExperimentConfig"] == {"ExperimentName": "a", "TrialName": "b"}
