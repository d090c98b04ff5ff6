"""What becomes of every step type of the language here; docs/local.md has the same table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from buzzflow.config.steps import fields_by_type
from buzzflow.diagnostics import PipelineError
from tests.backends.local.projects import Project

PAGE = Path(__file__).parents[4] / "docs" / "local.md"
# a pipeline of each type that needs nothing but itself
ALONE = {
    "processing": "{type: processing, code: extract.py}",
    "training": "{type: training, code: train.py}",
    "tuning": "{type: tuning, code: train.py, metrics: {a: 'a=(.*)'},"
    " search: {objective: {maximize: a}, max_jobs: 2, ranges: {d: {integer: [1, 9]}}}}",
    "transform": "{type: transform, model: mine, inputs: {records: s3://b/r/}}",
    "model": "{type: model, image: img, model: s3://b/model.tar.gz}",
    "register_model": "{type: register_model, model_group: g, image: img, model: s3://b/m.tar.gz, registry: sagemaker}",
    "condition": "{type: condition, if: 1 < 2, then: [other]}",
    "fail": "{type: fail, message: stop}",
    "foreach": "{type: foreach, items: '${param:days}', steps: {one: {type: processing, code: extract.py}}}",
    "lambda": "{type: lambda, function: f}",
    "callback": "{type: callback, queue: https://sqs.eu-west-1.amazonaws.com/111122223333/q}",
    "quality_check": "{type: quality_check, check: data_quality, model_group: g,"
    " inputs: {dataset: {from: s3://b/d/, format: csv}}}",
    "clarify_check": "{type: clarify_check, check: data_bias, model_group: g, inputs: {dataset: s3://b/d/},"
    " analysis: {dataset_type: text/csv, label: l, methods: {pre_training_bias: {methods: all}}}}",
    "automl": "{type: automl, target: t, inputs: {training: s3://b/t/}}",
    "notebook": "{type: notebook, image: img, code: explore.ipynb}",
    "emr": "{type: emr, arguments: {ClusterId: j-1, StepConfig: {HadoopJarStep: {Jar: s3://b/j.jar}}}}",
    "emr_serverless": "{type: emr_serverless, arguments: {ApplicationId: a, JobConfig: {}}}",
    "endpoint_config": "{type: endpoint_config, arguments: {EndpointConfigName: c}}",
    "endpoint": "{type: endpoint, arguments: {EndpointName: e, EndpointConfigName: c}}",
    "inference_component": "{type: inference_component, arguments: {InferenceComponentName: c}}",
    "lineage": "{type: lineage, arguments: {Artifacts: []}}",
    "job": "{type: job, arguments: {JobCategory: c}}",
    "cleanup": "{type: cleanup, arguments: {Resources: {}}}",
    "raw": "{type: raw, step_type: Lambda, arguments: {}}",
}


def documented() -> dict[str, str]:
    """Return what the page says of each type: its first word."""
    table = PAGE.read_text("utf-8").partition("<!-- kinds -->")[2].partition("<!-- /kinds -->")[0]
    rows = re.findall(r"^\| (`[^|]+) \| (\w+)", table, re.MULTILINE)
    return {kind: word for kinds, word in rows for kind in re.findall(r"`(\w+)`", kinds)}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_every_type_of_the_language_has_a_row() -> None:
    assert set(documented()) == set(fields_by_type()) == set(ALONE)


@pytest.mark.parametrize("kind", ALONE)
def test_what_the_page_says_of_a_type_is_so(kind: str, project: Project) -> None:
    told = documented()[kind]
    pipeline = f"parameters: {{days: '[1, 2]'}}\nsteps:\n  it: {ALONE[kind]}\n"
    if kind == "condition":
        pipeline += "  other: {type: processing, code: extract.py}\n"
    if told == "result" or kind == "transform":
        with pytest.raises(PipelineError) as caught:
            project.run(pipeline)
        [found] = [d for d in caught.value.diagnostics if d.code in ("BF531", "BF534")]
        assert found.hint is not None
        assert "local: {steps: {it: {result: {" in found.hint
        return

    def learns(_task: object, log: object, _stop: object) -> int:
        assert callable(log)
        log(b"a=1\n")
        return 0

    ran = project.run(pipeline, acts={"it": learns})

    assert ran.states["it"] == ("failed" if kind == "fail" else "succeeded")
    if told == "recorded":
        assert (ran["it"].how or "").startswith("recorded")
        assert "it" not in ran.executor.tasks
    elif kind not in ("condition", "fail"):
        assert {"it", "one-0"} & set(ran.executor.tasks)


@pytest.mark.parametrize("kind", [k for k in ALONE if k not in ("condition", "fail", "foreach")])
def test_any_step_can_be_answered_for(kind: str, project: Project) -> None:
    ran = project.run(f"steps:\n  it: {ALONE[kind]}\n", "local: {steps: {it: {result: {}}}}")

    assert (ran.states, ran["it"].how) == ({"it": "succeeded"}, "answered by local.steps.it.result")
    assert not ran.executor.tasks
