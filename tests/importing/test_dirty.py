"""Definitions as they are found: each oddity is imported as it is, and told where something looks wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from buzzflow.backends.sagemaker.importing.document import read_document
from buzzflow.backends.sagemaker.semantics import same_definition
from buzzflow.diagnostics import PipelineError
from buzzflow.driver import check, compile_artifact
from buzzflow.driver.importing.imported import import_document

Json = Any
Around = Callable[..., Any]
ROLE = "arn:aws:iam::111122223333:role/r"
IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/own:1"


def processing(name: str, **more: Json) -> Json:
    arguments = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": IMAGE},
        "RoleArn": ROLE,
        **more.pop("arguments", {}),
    }
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **more}


def training(name: str, **more: Json) -> Json:
    arguments = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "RoleArn": ROLE,
        **more.pop("arguments", {}),
    }
    arguments = {key: value for key, value in arguments.items() if value != "absent"}
    return {"Name": name, "Type": "Training", "Arguments": arguments, **more}


def condition(name: str, *, then: Json = (), otherwise: Json = (), tests: Json = None) -> Json:
    usual = [{"Type": "Equals", "LeftValue": {"Get": "Execution.PipelineName"}, "RightValue": "x"}]
    arguments = {"Conditions": usual if tests is None else tests, "IfSteps": [*then], "ElseSteps": [*otherwise]}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


def fail(name: str, message: Json = "no", **more: Json) -> Json:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **more}


def output(uri: Json, path: str = "/opt/ml/processing/out", name: str = "out") -> Json:
    s3 = {"S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob"}
    return {"ProcessingOutputConfig": {"Outputs": [{"OutputName": name, "S3Output": s3}]}}


def whole(*steps: Json, **more: Json) -> Json:
    return {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": [*steps], **more}


def parameter(name: str, kind: str = "String", **more: Json) -> Json:
    return {"Name": name, "Type": kind, **more}


GET = "Get"
USED = [{"Get": "Parameters.a-b"}, {"Get": "Parameters.0"}, {"Get": "Parameters.true"}]
DEFINITIONS: dict[str, Json] = {
    "nothing but steps": {"Version": "2020-12-01", "Steps": [fail("a")]},
    "no version": {"Steps": [fail("a")]},
    "facts at the top": whole(fail("a"), MlflowConfig=None, Metadata={"Generator": {"v": None}}, Extra=[1, None]),
    "experiment null": whole(fail("a"), PipelineExperimentConfig=None),
    "experiment half": whole(fail("a"), PipelineExperimentConfig={"ExperimentName": "e"}),
    "experiment own": whole(fail("a"), PipelineExperimentConfig={"ExperimentName": "e", "TrialName": "t"}),
    "parameters null": whole(fail("a"), Parameters=None),
    "parameters of odd names": whole(
        fail("a", {"Std:Join": {"On": "", "Values": USED}}),
        Parameters=[
            parameter("a-b"),
            parameter("0", DefaultValue="no"),
            parameter("true", "Boolean", DefaultValue=False),
        ],
    ),
    "parameters of odd types": whole(
        fail("a"),
        Parameters=[
            parameter("a", "string"),
            parameter("b", DefaultValue=5),
            parameter("c", "Float", DefaultValue=6),
            parameter("d", DefaultValue="${x}", EnumValues=["y"]),
            parameter("e", DefaultValue=None),
            parameter("f", Description="told"),
            parameter("with blank"),
        ],
    ),
    "waits for a step in a branch": whole(
        condition("c", then=[fail("inside")]), processing("after", DependsOn=["inside"])
    ),
    "waits for both branches": whole(
        condition("c", then=[processing("yes")], otherwise=[processing("no")]),
        processing("after", DependsOn=["yes", "no"]),
    ),
    "waits for itself, nobody, twice": whole(
        processing("a", DependsOn=["a"]), processing("b", DependsOn=["nobody"]), processing("c", DependsOn=["a", "a"])
    ),
    "waits in a circle": whole(processing("a", DependsOn=["b"]), processing("b", DependsOn=["a"])),
    "refers in a circle": whole(
        processing("a", arguments={"Environment": {"X": {"Get": "Steps.b.ProcessingJobArn"}}}),
        processing("b", arguments={"Environment": {"X": {"Get": "Steps.a.ProcessingJobArn"}}}),
    ),
    "waits although it refers": whole(
        processing("a"),
        processing("b", DependsOn=["a"], arguments={"Environment": {"X": {"Get": "Steps.a.ProcessingJobArn"}}}),
    ),
    "odd order": whole(
        processing("a"), processing("b", DependsOn=[{"Step": "a", "Trigger": "Completed"}]), fail("c", DependsOn=[])
    ),
    **{
        f"cache {expiry}": whole(training("a", CacheConfig={"Enabled": True, "ExpireAfter": expiry}))
        for expiry in ("T12H", "30d", "P30D", "PT1H30M", "PT90M", "p30d", "", 5, None)
    },
    "cache without words": whole(
        training("a", CacheConfig={}), processing("b", CacheConfig={"Enabled": "yes"}), fail("c", CacheConfig=None)
    ),
    "retries": whole(
        training("a", RetryPolicies=[{"ExceptionType": "Step.THROTTLING", "MaxAttempts": 3}]),
        training(
            "b", RetryPolicies=[{"ExceptionType": ["Step.THROTTLING", "SageMaker.CAPACITY_ERROR"], "ExpireAfterMin": 5}]
        ),
        training(
            "c",
            RetryPolicies=[
                {"ExceptionType": ["New.ERROR"], "MaxAttempts": 99, "IntervalSeconds": 1, "BackoffRate": 1.5}
            ],
        ),
        fail("d", RetryPolicies=[]),
    ),
    "hyperparameters": whole(
        training(
            "a",
            arguments={
                "HyperParameters": {
                    "json": '{"a": [1, 2.0], "b": null}',
                    "spaced": '{"a":1}',
                    "repr": "{'a': None}",
                    "quoted": '"reg:linear"',
                    "number": "010",
                    "float": "1.10",
                    "text": "no",
                    "empty": "",
                    "big": "123456789012345678901234567890",
                }
            },
        )
    ),
    "hyperparameters that are no texts": whole(training("a", arguments={"HyperParameters": {"n": 5}})),
    "no stopping condition, no role": whole(training("a", arguments={"RoleArn": "absent"})),
    "empty things": whole(
        processing("a", arguments={"ProcessingInputs": [], "Environment": {}, "Tags": [], "NetworkConfig": {}}),
        training("b", arguments={"HyperParameters": {}, "InputDataConfig": [], "Environment": {}, "Tags": []}),
    ),
    "null things": whole(
        processing("a", arguments={"Environment": None, "Tags": None}, DisplayName=None, Description=None)
    ),
    "unknown members": whole(
        processing("a", arguments={"NewThing": {"Deep": [None]}}, Beside={"x": None}), fail("b", Beside=1)
    ),
    "no arguments": whole({"Name": "a", "Type": "Processing"}, {"Name": "b", "Type": "Fail", "Arguments": None}),
    "odd arguments": whole(
        {"Name": "a", "Type": "Fail", "Arguments": []}, {"Name": "b", "Type": "Lambda", "Arguments": "x"}
    ),
    "outputs at one place": whole(
        processing("a", arguments=output("s3://bucket/out")), processing("b", arguments=output("s3://bucket/out/more"))
    ),
    "outputs with a slash": whole(processing("a", arguments=output("s3://bucket/out/"))),
    "relative folders": whole(processing("a", arguments=output("s3://bucket/out", "folder/out"))),
    "an address that lost a slash": whole(processing("a", arguments=output("s3:/bucket/out"))),
    "a folder after a reference": whole(
        processing("a", arguments=output("s3://bucket/out/")),
        fail(
            "b",
            {
                "Std:Join": {
                    "On": "/",
                    "Values": [{"Get": "Steps.a.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"}, "x"],
                }
            },
        ),
    ),
    "references to nothing": whole(
        fail("a", {"Get": "Parameters.none"}),
        fail(
            "b",
            {"Std:Join": {"On": "", "Values": [{"Get": "Steps.none.Arn"}, {"Get": "Odd"}, {"Get": "Execution.None"}]}},
        ),
        fail("c", {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.a.PropertyFiles.x"}, "Path": "y"}}),
    ),
    "other quotes": whole(
        processing("a", arguments=output("s3://bucket/out")),
        fail("b", {"Get": 'Steps.a.ProcessingOutputConfig.Outputs["out"].S3Output.S3Uri'}),
    ),
    "joins": whole(
        fail(
            "a",
            {
                "Std:Join": {
                    "On": "/",
                    "Values": [
                        "s3:/",
                        "b",
                        {"Std:Join": {"On": "-", "Values": ["x", {GET: "Execution.PipelineName"}]}},
                    ],
                }
            },
        ),
        fail("b", {"Std:Join": {"On": "", "Values": [{GET: "Execution.PipelineName"}]}}),
        fail("c", {"Std:Join": {"On": ", ", "Values": ["a", "b"]}}),
        fail("d", {"Std:Join": {"On": "", "Values": []}}),
        fail("e", {"Std:Join": {"On": "${", "Values": ["\\", {GET: "Execution.PipelineName"}, "\\"]}}),
        fail("f", {"Std:Join": {"Values": ["a"]}}),
        fail("g", {"Std:Join": {"On": "", "Values": ["a", 5, True, None]}}),
    ),
    "conditions without words": whole(
        condition("a", then=[fail("x")], tests=[]),
        condition("b", then=[fail("y")], tests=[{"Type": "Between", "Low": 1}]),
        condition("c", then=[fail("z")], tests=[{"Type": "Equals", "LeftValue": 'it\'s "so"', "RightValue": 5}]),
        condition(
            "d",
            then=[fail("w")],
            tests=[{"Type": "Or", "Conditions": []}, {"Type": "Not", "Condition": {"Type": "Not", "Condition": {}}}],
        ),
        condition("e"),
        {"Name": "f", "Type": "Condition", "Arguments": {"Conditions": []}},
    ),
    "many branches": whole(
        condition("a", then=[condition("b", then=[condition("c", otherwise=[fail("d")])]), fail("e")])
    ),
    "odd names": whole(
        processing("-a"), processing("_b"), processing("true"), fail("0", {GET: "Steps.true.ProcessingJobArn"})
    ),
    "words of patches as keys": whole(
        {
            "Name": "a",
            "Type": "Lambda",
            "Arguments": {"=": 1, "*": {"0": None}},
            "FunctionArn": "arn:aws:lambda:x",
            "OutputParameters": [],
        },
        training("b", arguments={"HyperParameters": {"*": "a", "=": "b", "0": "c"}}),
        Metadata={"=": {"=": None}},
    ),
    "texts like YAML": whole(
        fail("a", "no"),
        fail("b", "1:30"),
        fail("c", "${oc.env:HOME}"),
        fail("d", "$${x} \\${y} \\\\${z}"),
        fail("e", "a: b # c\n- d"),
        fail("f", "${param:x}", DisplayName="${step:a.x}", Description="???x"),
        Parameters=[parameter("x")],
    ),
    "a secret": whole(
        processing("a", arguments={"Environment": {"DB_PASSWORD": "hunter2-is-long", "KEY": "AKIAIOSFODNN7EXAMPLE"}})
    ),
    "a long text": whole(
        fail("a", "x" * 70_000),
        fail("b", {"Std:Join": {"On": "", "Values": ["y" * 20_000, {GET: "Execution.PipelineName"}]}}),
    ),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_it_comes_back_as_it_is(name: str, around: Around) -> None:
    definition = DEFINITIONS[name]

    found = around(definition)

    assert same_definition(found.compiled, definition)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("parameters of odd types", "BF660"),
        ("cache T12H", "BF661"),
        ("cache 30d", "BF661"),
        ("waits for a step in a branch", "BF662"),
        ("waits for both branches", "BF662"),
        ("waits for itself, nobody, twice", "BF666"),
        ("references to nothing", "BF666"),
        ("hyperparameters", "BF665"),
        ("relative folders", "BF667"),
        ("an address that lost a slash", "BF667"),
        ("unknown members", "BF664"),
        ("a secret", "BF668"),
    ],
)
def test_what_looks_wrong_is_told(name: str, code: str, around: Around) -> None:
    found = around(DEFINITIONS[name])

    assert code in found.codes
    told = next(d for d in found.imported.warnings if d.code == code)
    assert not told.is_error
    assert told.span is not None
    assert told.span.file.endswith("pipeline.yaml")


@pytest.mark.parametrize("name", ["cache P30D", "cache PT90M", "outputs with a slash", "waits although it refers"])
def test_nothing_is_told_where_nothing_is_wrong(name: str, around: Around) -> None:
    assert around(DEFINITIONS[name]).codes == []


def test_what_the_language_can_say_is_said_in_it(around: Around) -> None:
    found = around(DEFINITIONS["waits although it refers"])

    assert "arguments_patch" not in found.text
    assert {step.how for step in found.imported.steps} <= {"typed", "patched"}


def test_a_step_that_the_sdk_put_in_is_named(around: Around) -> None:
    found = around(whole(training("Model-RepackModel-0")))

    assert "BF663" in found.codes
    assert "Inserted by the SageMaker SDK" in found.text


def test_an_own_environment_is_made_of_what_the_definition_says(around: Around) -> None:
    found = around(whole(processing("a", arguments=output("s3://bucket/out"))))

    environment = found.imported.files["environment.yaml"].decode()
    assert 'account: "111122223333"' in environment
    assert "region: eu-west-1" in environment
    assert f"role: {ROLE}" in environment
    assert "role" not in found.text


ENVIRONMENT = """\
name: research
account: "444455556666"
region: us-east-1
role: arn:aws:iam::444455556666:role/other
bucket: another
tags: {team: everybody}
network: {subnets: [subnet-0000000000000000a], security_group_ids: [sg-0000000000000000a], isolation: true}
encryption: {volume_key: alias/theirs}
image: {framework: pytorch, version: "2.6.0"}
name_prefix: dev-
defaults:
  instance: {type: ml.m5.large, volume_size_gb: 77}
  retry: [{errors: [throttling], max_attempts: 5}]
  environment_variables: {EVERYWHERE: "1"}
  by_type:
    training: {timeout: 1h, cache: 10d, hyperparameters: {seed: 1}}
    processing: {timeout: 2h}
"""


@pytest.mark.parametrize("name", [n for n in DEFINITIONS if n != "a secret"])
def test_nothing_of_the_environment_above_leaks(name: str, tmp_path: Path) -> None:
    definition = DEFINITIONS[name]
    (tmp_path / ".git").mkdir()
    (tmp_path / "environment.yaml").write_text(ENVIRONMENT)
    folder = tmp_path / "demo"
    folder.mkdir()

    imported = import_document(read_document(json.dumps(definition).encode(), "d"), folder, "dev-demo", source="d")

    assert [*imported.files] == ["pipeline.yaml"]
    (folder / "pipeline.yaml").write_bytes(imported.files["pipeline.yaml"])
    checked = check(folder)
    assert checked.config.name == "demo"
    assert same_definition(json.loads(compile_artifact(checked).content), definition)


def test_what_the_environment_gives_anyway_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "environment.yaml").write_text(f"name: research\nregion: eu-west-1\nrole: {ROLE}\nbucket: bucket\n")
    definition = whole(processing("a", arguments=output("s3://bucket/out")), training("b"))

    imported = import_document(read_document(json.dumps(definition).encode(), "d"), tmp_path / "x", "x", source="d")

    text = imported.files["pipeline.yaml"].decode()
    assert "role" not in text
    assert "s3://${environment.bucket}/out" in text


def test_a_locked_field_of_another_value_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "environment.yaml").write_text("name: prod\nrole: arn:aws:iam::444455556666:role/o\nlocked: [role]\n")

    with pytest.raises(PipelineError) as caught:
        import_document(
            read_document(json.dumps(whole(processing("a"))).encode(), "d"), tmp_path / "x", "x", source="d"
        )

    assert [d.code for d in caught.value.diagnostics] == ["BF658"]
