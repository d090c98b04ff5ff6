"""Steps that are not run: they answer with what pipeline.local.yaml says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buzzflow.backends.local.executor import Task
from tests.backends.local.projects import Project, names_in, opt_ml


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_call_answers_with_values_of_the_declared_types(project: Project) -> None:
    ran = project.run(
        """
steps:
  ask: {type: lambda, function: f, outputs: {uri: {}, age: {type: integer}, sure: {type: boolean}}}
  young: {type: condition, if: "${step:ask.outputs.age} < 5 and ${step:ask.outputs.sure}", then: [use]}
  use: {type: processing, code: extract.py, arguments: {uri: "${step:ask.outputs.uri}"}}
""",
        "local: {steps: {ask: {result: {outputs: {uri: s3://b/m/, age: 3, sure: true}}}}}",
    )

    assert ran.states == {"ask": "succeeded", "young": "succeeded", "use": "succeeded"}
    assert ran["ask"].how == "answered by local.steps.ask.result"
    assert ran["young"].result == "3 < 5 and true == true: yes"
    assert ran.executor.tasks["use"].arguments == ("--uri", "s3://b/m/")
    manifest = json.loads((ran.folder / "manifest.json").read_text())
    assert manifest["steps"]["ask"]["how"] == "answered by local.steps.ask.result"
    assert manifest["steps"]["use"].get("how") is None


def test_folders_of_a_result_are_what_later_steps_read(project: Project) -> None:
    project.write("sample/train/x.csv", "1,2")
    project.write("sample/metrics.json", '{"auc": 0.91}')
    seen = []

    def use(task: Task, *_: object) -> int:
        [mount] = [m for m in task.mounts if m.target == "/opt/ml/input/data/train"]
        seen.append((mount.source / "x.csv").read_text())
        return 0

    ran = project.run(
        """
steps:
  extract: {type: processing, code: extract.py, outputs: {train: {}, report: {json: metrics.json}}}
  train: {type: training, code: train.py, inputs: {train: "${step:extract.outputs.train}"}}
  good: {type: condition, if: "${json:extract.report.auc} > 0.9", then: [ok], else: []}
  ok: {type: processing, code: extract.py}
""",
        """
local:
  steps:
    extract: {result: {outputs: {train: sample/train, report: sample/metrics.json}}}
""",
        acts={"train": use},
    )

    assert ran.states == dict.fromkeys(("extract", "train", "good", "ok"), "succeeded")
    assert seen == ["1,2"]
    assert "extract" not in ran.executor.tasks


def test_a_model_of_a_result_is_packed_and_its_words_are_known(project: Project) -> None:
    project.write("model/model.json", "{}")
    ran = project.run(
        """
steps:
  train: {type: training, code: train.py, metrics: {auc: "auc=(.*)"}}
  evaluate:
    type: processing
    code: evaluate.py
    inputs: {model: "${step:train.model}"}
    arguments: ["${step:train.metrics.auc}", "${step:train.properties.ModelArtifacts.S3ModelArtifacts}"]
""",
        """
local:
  steps:
    train:
      result:
        model: model
        metrics: {auc: 0.9}
        properties: {ModelArtifacts.S3ModelArtifacts: s3://b/other.tar.gz}
""",
    )

    task = ran.executor.tasks["evaluate"]
    assert task.arguments == ("0.9", "s3://b/other.tar.gz")
    assert names_in(opt_ml(task) / "processing" / "input" / "model" / "model.tar.gz") == ["model.json"]
    assert ran["train"].metrics == {"auc": 0.9}


def test_a_tuning_that_is_answered_gives_its_best(project: Project) -> None:
    project.write("model.tar.gz", "archive")
    ran = project.run(
        """
steps:
  tune:
    type: tuning
    code: train.py
    metrics: {auc: "auc=(.*)"}
    search: {objective: {maximize: auc}, max_jobs: 4, ranges: {depth: {integer: [1, 9]}}}
  use:
    type: processing
    code: extract.py
    inputs: {model: "${step:tune.best.model}"}
    arguments: ["${step:tune.best.metric}"]
""",
        "local: {steps: {tune: {result: {model: model.tar.gz, metrics: {auc: 0.8}}}}}",
    )

    assert ran.executor.tasks["use"].arguments == ("0.8",)
    assert (opt_ml(ran.executor.tasks["use"]) / "processing/input/model/model.tar.gz").read_text() == "archive"


def test_nothing_is_asked_of_a_step_that_is_answered(project: Project) -> None:
    """Neither its image, nor its secrets, nor its data have to be here."""
    ran = project.run(
        """
steps:
  train:
    type: training
    image: pytorch:2.5
    code: train.py
    secrets: {ABSENT_SECRET: a}
    inputs: {train: s3://nowhere/data/}
""",
        "local: {steps: {train: {result: }}}",
    )

    assert ran.states == {"train": "succeeded"}
