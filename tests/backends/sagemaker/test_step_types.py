"""What a step of each type becomes, where its golden alone would not say why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from buzzflow.diagnostics import PipelineError
from buzzflow.driver import check, compile_artifact

ENVIRONMENT = """\
name: research
account: "111122223333"
region: eu-west-1
bucket: example-ml
role: arn:aws:iam::111122223333:role/example
"""
SKLEARN = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "projects" / "research" / "ctr"
    folder.mkdir(parents=True)
    (folder.parent / "environment.yaml").write_text(ENVIRONMENT)
    for name in ("a.py", "n.ipynb", "serving/inference.py", "data/x.csv"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")
    return folder


@pytest.fixture
def steps(folder: Path) -> Any:
    """Compile YAML, and return the steps of the definition by name, those in branches and loops too."""

    def steps(text: str) -> dict[str, Any]:
        (folder / "pipeline.yaml").write_text(text)
        artifact = compile_artifact(check(folder, backend="sagemaker"))
        return _by_name(json.loads(artifact.content)["Steps"])

    return steps


def _by_name(steps: list[dict[str, Any]]) -> dict[str, Any]:
    found = {}
    for step in steps:
        found[step["Name"]] = step
        for side in ("IfSteps", "ElseSteps", "ForEachBody"):
            found |= _by_name(step["Arguments"].get(side, []))
    return found


def test_a_model_is_served_by_the_image_that_trained_it_and_not_by_the_default_one(steps: Any) -> None:
    made = steps("""
defaults: {image: sklearn:1.4-2}
steps:
  train: {type: training, image: {framework: pytorch, version: "2.6.0"}, code: a.py, instance: ml.g5.xlarge}
  own: {type: model, model: "${step:train.model}"}
  named: {type: model, image: xgboost:1.7-1, model: "${step:train.model}"}
""")
    assert made["train"]["Arguments"]["AlgorithmSpecification"]["TrainingImage"].endswith(
        "/pytorch-training:2.6.0-gpu-py312"
    )
    assert made["own"]["Arguments"]["PrimaryContainer"]["Image"].endswith("/pytorch-inference:2.6.0-cpu-py312")
    assert made["named"]["Arguments"]["PrimaryContainer"]["Image"].endswith("/sagemaker-xgboost:1.7-1")


def test_a_default_image_runs_no_check_and_no_notebook(steps: Any, folder: Path) -> None:
    made = steps("""
defaults: {image: sklearn:1.4-2}
steps:
  same: {type: quality_check, check: data_quality, inputs: {dataset: s3://b/d/}}
  fair: {type: clarify_check, check: data_bias, inputs: {dataset: s3://b/d/}, analysis: {label: a}}
""")
    images = [made[name]["Arguments"]["AppSpecification"]["ImageUri"] for name in ("same", "fair")]
    assert images[0].endswith("/sagemaker-model-monitor-analyzer")
    assert images[1].endswith("/sagemaker-clarify-processing:1.0")
    (folder / "pipeline.yaml").write_text(
        "defaults: {image: sklearn:1.4-2}\nsteps: {explore: {type: notebook, code: n.ipynb}}"
    )
    with pytest.raises(PipelineError) as caught:
        check(folder)
    assert [d.code for d in caught.value.diagnostics] == ["BF319"]


def test_errors_of_jobs_are_retried_only_by_steps_that_run_one(steps: Any) -> None:
    made = steps("""
defaults: {retry: {errors: [throttling, capacity_error], max_attempts: 3}}
steps:
  work: {type: processing, image: sklearn:1.4-2, code: a.py}
  model: {type: model, image: sklearn:1.4-2, model: s3://b/m.tar.gz}
""")
    errors = {n: [p["ExceptionType"] for p in s["RetryPolicies"]] for n, s in made.items()}
    assert errors == {
        "work": [["Step.THROTTLING"], ["SageMaker.CAPACITY_ERROR"]],
        "model": [["Step.THROTTLING"]],
    }


def test_each_item_of_a_loop_has_a_folder_of_its_own(steps: Any) -> None:
    made = steps("""
parameters: {days: "[]"}
steps:
  each:
    type: foreach
    items: ${param:days}
    steps:
      count: {type: processing, image: sklearn:1.4-2, code: a.py, arguments: ["${each:}"], outputs: [rows]}
""")
    [output] = made["count"]["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"]["Std:Join"]["Values"] == [
        "s3://example-ml/research/ctr/",
        {"Get": "Execution.PipelineExecutionId"},
        "/count/",
        {"Get": "ForEach.CurrentItem"},
        "/rows/",
    ]
    assert made["count"]["Arguments"]["AppSpecification"]["ContainerArguments"] == [{"Get": "ForEach.CurrentItem"}]


def test_items_with_fields_need_an_address_for_each(steps: Any) -> None:
    text = """
parameters: {days: "[]"}
steps:
  each:
    type: foreach
    items: ${param:days}
    steps:
      work: {type: processing, image: sklearn:1.4-2, code: a.py, arguments: ["${each:day}"], outputs: OUTPUTS}
"""
    with pytest.raises(PipelineError) as caught:
        steps(text.replace("OUTPUTS", "[rows]"))
    assert [d.code for d in caught.value.diagnostics] == ["BF425"]
    made = steps(text.replace("OUTPUTS", "{rows: 's3://b/${each:day}/'}"))
    [output] = made["work"]["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == {
        "Std:Join": {"On": "", "Values": ["s3://b/", {"Get": "ForEach.CurrentItem.day"}, "/"]}
    }


def test_gathered_copies_lie_in_folders_of_one_folder(steps: Any) -> None:
    made = steps("""
defaults: {image: sklearn:1.4-2}
steps:
  train: {type: training, code: a.py, foreach: {region: [kr, us]}}
  compare: {type: processing, code: a.py, inputs: {models: "${step:train.*.model}"}}
""")
    inputs = made["compare"]["Arguments"]["ProcessingInputs"]
    assert [(i["InputName"], i["S3Input"]["LocalPath"], i["S3Input"]["S3Uri"]) for i in inputs[:2]] == [
        (
            f"models-{key}",
            f"/opt/ml/processing/input/models/{key}",
            {"Get": f"Steps.train-{key}.ModelArtifacts.S3ModelArtifacts"},
        )
        for key in ("kr", "us")
    ]
    variables = made["compare"]["Arguments"]["Environment"]
    assert variables["BUZZFLOW_INPUT_MODELS"] == "/opt/ml/processing/input/models"
    assert json.loads(variables["BUZZFLOW_INPUTS"]) == ["models-kr", "models-us", "models"]


def test_only_the_name_of_a_secret_stands_in_the_definition(steps: Any) -> None:
    made = steps("""
parameters: {stage: prod}
steps:
  work:
    type: processing
    image: sklearn:1.4-2
    code: a.py
    secrets: {PLAIN: ctr/db, CHOSEN: "${param:stage}/db"}
""")
    assert made["work"]["Arguments"]["Environment"]["BUZZFLOW_SECRETS"] == {
        "Std:Join": {
            "On": "",
            "Values": ['{"PLAIN":"ctr/db","CHOSEN":"', {"Get": "Parameters.stage"}, '/db"}'],
        }
    }


def test_equal_files_of_the_repository_have_one_address_wherever_they_lie(steps: Any, folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "x.csv").write_text("")
    made = steps("""
defaults: {image: sklearn:1.4-2}
steps:
  one: {type: processing, code: a.py, inputs: {x: ./data/x.csv}}
  two: {type: processing, code: a.py, inputs: {x: ./other}}
""")
    uris = [made[n]["Arguments"]["ProcessingInputs"][0]["S3Input"]["S3Uri"] for n in ("one", "two")]
    assert uris[0] == uris[1]
    assert uris[0].startswith("s3://example-ml/buzzflow/files/")


def test_the_tries_of_a_tuning_are_started_by_the_toolkit_of_their_image(steps: Any) -> None:
    made = steps("""
steps:
  tune:
    type: tuning
    image: xgboost:1.7-1
    code: a.py
    metrics: {auc: 'auc=(.*)'}
    search: {objective: {maximize: auc}, max_jobs: 2, ranges: {depth: {integer: [1, 3]}}}
""")
    definition = made["tune"]["Arguments"]["TrainingJobDefinition"]
    fixed = {name: json.loads(value) for name, value in definition["StaticHyperParameters"].items()}
    assert fixed["sagemaker_program"] == "a.py"
    assert fixed["sagemaker_submit_directory"].endswith("/sourcedir.tar.gz")
    assert "ContainerEntrypoint" not in definition["AlgorithmSpecification"]
    assert "InputDataConfig" not in definition


def test_arguments_of_a_function_keep_their_types(steps: Any) -> None:
    made = steps("""
parameters: {limit: 3}
steps:
  ask: {type: lambda, function: f, arguments: {n: 3, none: null, deep: {list: [1, "${param:limit}"]}}}
""")
    assert made["ask"]["Arguments"] == {"n": 3, "none": None, "deep": {"list": [1, {"Get": "Parameters.limit"}]}}
    assert made["ask"]["FunctionArn"] == "arn:aws:lambda:eu-west-1:111122223333:function:f"


def test_a_request_in_the_services_words_is_told_where_it_is_wrong(folder: Path) -> None:
    (folder / "pipeline.yaml").write_text("""\
steps:
  serve:
    type: endpoint
    arguments:
      EndpointNam: ctr
      EndpointConfigName: c
""")
    with pytest.raises(PipelineError) as caught:
        check(folder)
    [problem] = caught.value.diagnostics
    assert (problem.code, problem.span.line if problem.span else 0) == ("BF430", 5)
    assert problem.hint == "did you mean 'EndpointName'?"


def test_a_patch_is_held_against_the_services_model_too(folder: Path) -> None:
    (folder / "pipeline.yaml").write_text("""\
steps:
  train:
    type: training
    image: sklearn:1.4-2
    code: a.py
    arguments_patch:
      RetryStrategy: {MaximumRetryAttempts: 99}
""")
    with pytest.raises(PipelineError) as caught:
        check(folder)
    [problem] = caught.value.diagnostics
    assert (problem.code, problem.span.line if problem.span else 0) == ("BF435", 7)


def test_a_property_that_the_service_does_not_tell_is_an_error(folder: Path) -> None:
    (folder / "pipeline.yaml").write_text("""\
defaults: {image: sklearn:1.4-2}
steps:
  train: {type: training, code: a.py}
  use: {type: processing, code: a.py, arguments: ["${step:train.properties.ModelArtifact.S3ModelArtifacts}"]}
""")
    with pytest.raises(PipelineError) as caught:
        check(folder)
    [problem] = caught.value.diagnostics
    assert problem.code == "BF436"
    assert "did you mean 'ModelArtifacts'" in (problem.hint or "")


def test_studio_finds_a_notebook_by_its_tags_and_the_users_win(steps: Any) -> None:
    made = steps("""
defaults: {image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/own:1}
steps:
  look_around: {type: notebook, image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/k:1", code: n.ipynb}
  named:
    type: notebook
    image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/k:1
    code: n.ipynb
    tags: {"sagemaker:name": weekly}
""")
    tags = {name: {t["Key"]: t["Value"] for t in made[name]["Arguments"]["Tags"]} for name in made}
    assert tags["look_around"]["sagemaker:name"] == "look-around"
    assert tags["look_around"]["sagemaker:notebook-name"] == "n.ipynb"
    assert tags["named"]["sagemaker:name"] == "weekly"
    assert len(made["named"]["Arguments"]["Tags"]) == len(tags["named"])


@pytest.mark.parametrize(("kind", "mode"), [("text/csv", "EndOfJob"), ("application/x-image", "Continuous")])
def test_a_report_about_images_is_stored_bit_by_bit(steps: Any, kind: str, mode: str) -> None:
    made = steps(f"""
steps:
  fair:
    type: clarify_check
    check: data_bias
    inputs: {{dataset: s3://example-ml/train/}}
    analysis: {{dataset_type: {kind}, label: label, methods: {{pre_training_bias: {{methods: all}}}}}}
""")
    [output] = made["fair"]["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3UploadMode"] == mode


def test_where_a_json_file_lies_may_be_known_by_the_run_only(steps: Any) -> None:
    made = steps("""
parameters: {day: "2026-01-01"}
steps:
  extract: {type: processing, image: sklearn:1.4-2, code: a.py, outputs: [rows]}
  a: {type: fail, message: "${json:'s3://b/${param:day}/${run:id}.json','auc'}"}
  b: {type: fail, message: "${json:'${step:extract.outputs.rows}m.json','folds.0'}"}
  c: {type: fail, message: "${json:'s3://b/m.json','auc'}"}
""")
    found = {name: made[name]["Arguments"]["ErrorMessage"]["Std:Join"]["Values"][0]["Std:JsonGet"] for name in "abc"}
    uris = {name: found[name]["S3Uri"]["Std:Join"]["Values"] for name in "abc"}
    assert uris["a"] == ["s3://b/", {"Get": "Parameters.day"}, "/", {"Get": "Execution.PipelineExecutionId"}, ".json"]
    assert uris["b"] == [
        {"Get": "Steps.extract.ProcessingOutputConfig.Outputs['rows'].S3Output.S3Uri"},
        "m.json",
    ]
    assert uris["c"] == ["s3://b/m.json"]  # the SDK takes a join only
    assert found["b"]["Path"] == "folds[0]"


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("b/${param:day}.json", "is no address of a JSON file"),
        ("${param:depth}/m.json", "is no address of a JSON file"),
        ("s3://b/${json:extract.m.day}.json", "what the service cannot look up there"),
        ("s3://b/${param:nights}.json", "there is no parameter 'nights'"),
    ],
)
def test_what_cannot_be_the_address_of_a_json_file_is_told(steps: Any, address: str, problem: str) -> None:
    with pytest.raises(PipelineError) as caught:
        steps(f"""
parameters: {{day: "2026-01-01", depth: 6}}
steps:
  extract: {{type: processing, image: sklearn:1.4-2, code: a.py, outputs: {{m: {{json: m.json}}}}}}
  a: {{type: fail, message: "${{json:'{address}','auc'}}"}}
""")
    assert [problem in d.summary for d in caught.value.diagnostics] == [True]
