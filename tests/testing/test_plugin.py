"""The pytest plugin in a project of its own, outside of this repository."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PIPELINE = """\
name: flights
parameters: {rows: {type: integer, default: 2}}
defaults: {image: docker.io/library/python:3.11}
steps:
  extract:
    type: processing
    code: extract.py
    inputs: {raw: s3://example-raw/flights}
    arguments: {rows: "${param:rows}"}
    environment_variables: {SEPARATOR: ","}
    outputs: [train]
  train:
    type: training
    code: train.py
    inputs: {train: "${step:extract.outputs.train}"}
    hyperparameters: {depth: 3}
    metrics: {rows: 'rows=([0-9]+)'}
  evaluate:
    type: processing
    code: evaluate.py
    inputs: {model: "${step:train.model}"}
    outputs: [report]
  gate: {type: condition, if: "${step:train.metrics.rows} > 0", else: [reject]}
  reject: {type: fail, message: "no rows"}
"""
SCRIPTS = {
    "extract": """\
import os, pathlib, sys
rows = int(sys.argv[sys.argv.index("--rows") + 1])
[raw] = pathlib.Path(os.environ["BUZZFLOW_INPUT_RAW"]).iterdir()
lines = raw.read_text().splitlines()[:rows]
pathlib.Path("/opt/ml/processing/output/train/rows.txt").write_text(os.environ["SEPARATOR"].join(lines))
print("read", raw.name)
""",
    "train": """\
import os, pathlib
rows = pathlib.Path(os.environ["BUZZFLOW_INPUT_TRAIN"], "rows.txt").read_text().split(",")
if rows == [""]:
    raise SystemExit("there are no rows")
pathlib.Path(os.environ["BUZZFLOW_MODEL_DIR"], "model.txt").write_text(os.environ["SM_HP_DEPTH"])
print(f"rows={len(rows)}")
""",
    "evaluate": """\
import os, pathlib, tarfile
import pytest  # a package of the tests
[packed] = pathlib.Path(os.environ["BUZZFLOW_INPUT_MODEL"]).iterdir()
with tarfile.open(packed) as tar:
    pathlib.Path(os.environ["BUZZFLOW_OUTPUT_REPORT"], "r.txt").write_text(tar.extractfile("model.txt").read().decode())
""",
}


@pytest.fixture
def tests(pytester: pytest.Pytester) -> Path:
    """A project in the current folder; its folder for tests."""
    pytester.makefile(".yaml", pipeline=PIPELINE)
    pytester.makepyfile(**SCRIPTS)
    (pytester.path / ".git").mkdir()
    folder = pytester.path / "tests"
    folder.mkdir()
    return folder


def run(pytester: pytest.Pytester, tests: Path, text: str, *arguments: str) -> pytest.RunResult:
    (tests / "test_it.py").write_text(text)
    return pytester.runpytest_subprocess("-q", *arguments)


def test_a_test_gets_the_pipeline_above_it(pytester: pytest.Pytester, tests: Path) -> None:
    (tests / "deep").mkdir()
    text = """
def test_it(pipeline):
    assert pipeline.name == "flights"
    assert pipeline.steps["train"].inputs["train"].source == "${step:extract.outputs.train}"
    assert pipeline.steps["train"].needs == ("extract",)
    assert pipeline.steps["train"].definition["type"] == "training"
"""
    (tests / "deep" / "test_deep.py").write_text(text)
    run(pytester, tests, text, "--strict-markers", "-W", "error").assert_outcomes(passed=2)


def test_a_marker_names_another_pipeline_and_values(pytester: pytest.Pytester, tests: Path) -> None:
    (pytester.path / "small.pipeline.yaml").write_text(PIPELINE.replace("name: flights", "name: small"))
    text = """
import pytest

@pytest.mark.pipeline("../small.pipeline.yaml", set=["steps.train.instance.type=ml.m5.large"])
def test_it(pipeline):
    assert pipeline.name == "small"
    assert pipeline.steps["train"].instance.type == "ml.m5.large"

def test_several(pipeline): ...
"""
    done = run(pytester, tests, text, "--strict-markers")
    done.assert_outcomes(passed=1, errors=1)
    done.stdout.fnmatch_lines(["*holds pipeline.yaml, small.pipeline.yaml: name one with @pytest.mark.pipeline*"])


def test_an_option_names_the_pipeline_and_values_for_all_tests(pytester: pytest.Pytester, tests: Path) -> None:
    (pytester.path / "other").mkdir()
    (pytester.path / "other" / "pipeline.yaml").write_text("steps: {stop: {type: fail, message: m}}\n")
    text = """
def test_it(pipeline):
    assert pipeline.name == "other"
    assert pipeline.owner == "ops"
"""
    run(pytester, tests, text, "--pipeline", "other", "--pipeline-set", "owner=ops").assert_outcomes(passed=1)


def test_a_pipeline_with_a_mistake_fails_the_test_with_the_screen(pytester: pytest.Pytester, tests: Path) -> None:
    (pytester.path / "pipeline.yaml").write_text(PIPELINE.replace("outputs.train}", "outputs.trian}"))
    done = run(pytester, tests, "def test_it(pipeline): ...")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["error?BF302?: step 'extract' has no output 'trian'", "*help: did you mean 'train'?"])


def test_without_a_pipeline_the_test_says_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(pipeline): ...")
    done = pytester.runpytest_subprocess("-q")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*no pipeline.yaml in a folder above*name one with @pytest.mark.pipeline*"])


def test_steps_run_on_sample_data_one_after_another(pytester: pytest.Pytester, tests: Path) -> None:
    text = """
def test_it(run_step, tmp_path):
    (tmp_path / "raw.txt").write_text("a\\nb\\nc\\nd\\n")
    extract = run_step("extract", inputs={"raw": tmp_path}, parameters={"rows": 3}, environment={"SEPARATOR": ","})
    assert (extract.outputs["train"] / "rows.txt").read_text() == "a,b,c"
    assert (extract.exit_code, extract.log, extract.model) == (0, "read raw.txt\\n", None)
    train = run_step("train", inputs={"train": extract.outputs["train"]}, hyperparameters={"depth": 5})
    assert (train.model_dir / "model.txt").read_text() == "5"
    assert train.metrics == {"rows": 3.0}
    evaluate = run_step("evaluate", inputs={"model": train.model})
    assert (evaluate.outputs["report"] / "r.txt").read_text() == "5"
    again = run_step("extract", inputs={"raw": tmp_path / "raw.txt"}, environment={"SEPARATOR": "|"})
    assert (again.outputs["train"] / "rows.txt").read_text() == "a|b"
"""
    run(pytester, tests, text).assert_outcomes(passed=1)
    assert not (pytester.path / ".buzzflow").exists()


def test_a_step_that_fails_fails_the_test_with_its_last_lines(pytester: pytest.Pytester, tests: Path) -> None:
    text = """
def test_fails(run_step, tmp_path):
    (tmp_path / "rows.txt").write_text("")
    run_step("train", inputs={"train": tmp_path})

def test_looks(run_step, tmp_path):
    (tmp_path / "rows.txt").write_text("")
    result = run_step("train", inputs={"train": tmp_path}, check=False)
    assert (result.state, result.exit_code, result.succeeded) == ("failed", 1, False)
    assert "there are no rows" in result.log
"""
    done = run(pytester, tests, text)
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*StepFailed: step train failed: exit code 1: there are no rows"])


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ('"trian"', "there is no step 'trian' to run"),
        ('"reject"', "step 'reject' is a fail step"),
        ('"train"', "input 'train' of step 'train' has no data in this test"),
        ('"train", inputs={"trian": tmp_path}', "step 'train' has no input 'trian'"),
        ('"train", inputs={"train": tmp_path / "none"}', "for input 'train' there is no file or folder *none"),
    ],
)
def test_what_a_step_lacks_is_told_before_it_runs(call: str, told: str, pytester: pytest.Pytester, tests: Path) -> None:
    done = run(pytester, tests, f"def test_it(run_step, tmp_path): run_step({call})")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines([f"*error?BF171?: {told}*"])


def test_data_from_outside_that_nobody_names_is_told(pytester: pytest.Pytester, tests: Path) -> None:
    done = run(pytester, tests, 'def test_it(run_step): run_step("extract")')
    done.stdout.fnmatch_lines(["*error?BF501?: there is no data for s3://example-raw/flights on this machine"])


def test_sample_data_of_the_local_layer_is_used(pytester: pytest.Pytester, tests: Path) -> None:
    (tests / "sample").mkdir()
    (tests / "sample" / "raw.txt").write_text("x\n")
    layer = "local: {data: {s3://example-raw/flights: tests/sample}}\n"
    (pytester.path / "pipeline.local.yaml").write_text(layer)
    text = """
def test_it(run_step):
    assert (run_step("extract").outputs["train"] / "rows.txt").read_text() == "x"
"""
    run(pytester, tests, text).assert_outcomes(passed=1)


GOLDEN = """
def test_it(pipeline, golden):
    golden(pipeline.compile())
    golden(pipeline.graph(), "graph.mmd")
    golden({"steps": len(pipeline.steps)}, "steps.json")
"""


def test_a_golden_is_written_when_asked_and_then_compared(
    pytester: pytest.Pytester, tests: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("UPDATE_GOLDEN", raising=False)
    done = run(pytester, tests, GOLDEN)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*there is no *run-plan.json: write it with UPDATE_GOLDEN=1 pytest*"])
    monkeypatch.setenv("UPDATE_GOLDEN", "1")
    run(pytester, tests, GOLDEN).assert_outcomes(passed=1)
    assert {p.name for p in (tests / "golden").iterdir()} == {"run-plan.json", "graph.mmd", "steps.json"}
    monkeypatch.delenv("UPDATE_GOLDEN")
    run(pytester, tests, GOLDEN).assert_outcomes(passed=1)
    (pytester.path / "train.py").write_text(SCRIPTS["train"] + "# another digest\n")
    run(pytester, tests, GOLDEN).assert_outcomes(passed=1)
    (pytester.path / "pipeline.yaml").write_text(PIPELINE.replace("depth: 3", "depth: 4"))
    done = run(pytester, tests, GOLDEN)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(['*-*"depth": "3"*', '*+*"depth": "4"*'])


def test_ci_writes_no_golden(pytester: pytest.Pytester, tests: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("UPDATE_GOLDEN", "1")
    run(pytester, tests, GOLDEN).assert_outcomes(failed=1)
    assert not (tests / "golden").exists()


def test_where_no_test_asks_for_it_nothing_heavy_is_loaded(pytester: pytest.Pytester, tests: Path) -> None:
    text = """
import sys

def test_it():
    found = {name for name in sys.modules if name.startswith("buzzflow")}
    assert found == {"buzzflow", "buzzflow.diagnostics", "buzzflow.testing", "buzzflow.testing.plugin"}
"""
    run(pytester, tests, text).assert_outcomes(passed=1)


@pytest.mark.docker
def test_a_step_runs_in_its_image(pytester: pytest.Pytester, tests: Path, python_image: str) -> None:
    (pytester.path / "pipeline.yaml").write_text(PIPELINE.replace("docker.io/library/python:3.11", python_image))
    text = """
def test_it(run_step, tmp_path):
    (tmp_path / "rows.txt").write_text("a,b")
    result = run_step("train", inputs={"train": tmp_path})
    assert (result.model_dir / "model.txt").read_text() == "3"
"""
    run(pytester, tests, text, "--pipeline-executor", "docker").assert_outcomes(passed=1)
