"""What the language gives a step, seen from inside the step: `create --local=process` on real scripts."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

Buzzflow = Callable[..., subprocess.CompletedProcess[str]]
LOCAL = ("create", "--local=process")
PIPELINE = """\
name: small
defaults: {image: python:3.11-slim}
steps:
  train:
    type: training
    foreach: {size: [s, m]}
    code: {entry_point: train.py, inference: serving}
    inputs: {settings: ./settings, schema: ./settings/schema.json}
    hyperparameters: {size: "${each:size}"}
  compare:
    type: processing
    code: compare.py
    secrets: {DB_PASSWORD: ctr/database}
    inputs:
      models: {from: "${step:train.*.model}", extract: true}
      clicks: {athena: {query: select 1, database: ads, to: s3://example/answers/}}
    outputs: {report: {json: best.json}}
  best:
    type: condition
    if: ${json:compare.report.best} == 'm'
    else: [wrong]
  wrong: {type: fail, message: "${json:compare.report.best} won"}
"""
LOCAL_LAYER = "local: {data: {steps.compare.inputs.clicks: samples}}\n"
FILES = {
    "train.py": """\
import os, pathlib, sys
size = sys.argv[sys.argv.index("--size") + 1]
settings = pathlib.Path(os.environ["BUZZFLOW_INPUT_SETTINGS"])
assert sorted(p.name for p in settings.rglob("*") if p.is_file()) == ["schema.json", "weights.txt"], settings
assert [p.name for p in pathlib.Path(os.environ["BUZZFLOW_INPUT_SCHEMA"]).iterdir()] == ["schema.json"]
weight = dict(line.split() for line in (settings / "deep/weights.txt").read_text().splitlines())[size]
pathlib.Path(os.environ["BUZZFLOW_MODEL_DIR"], "weight.txt").write_text(weight)
""",
    "compare.py": """\
import json, os, pathlib
models = pathlib.Path(os.environ["BUZZFLOW_INPUT_MODELS"])
weights = {p.name: float((p / "weight.txt").read_text()) for p in models.iterdir()}
assert pathlib.Path(os.environ["BUZZFLOW_INPUT_CLICKS"], "clicks.csv").read_text() == "a,b\\n"
print("password", os.environ["DB_PASSWORD"][:4], flush=True)
print("password is", os.environ["DB_PASSWORD"])
assert "BUZZFLOW_SECRETS" not in os.environ
report = {"best": max(weights, key=weights.get), "models": len(weights)}
pathlib.Path(os.environ["BUZZFLOW_OUTPUT_REPORT"], "best.json").write_text(json.dumps(report))
""",
    "settings/schema.json": "{}",
    "settings/deep/weights.txt": "s 0.1\nm 0.7\n",
    "settings/.hidden": "stays at home",
    "serving/inference.py": "def model_fn(folder): ...\n",
    "samples/clicks.csv": "a,b\n",
    "pipeline.local.yaml": LOCAL_LAYER,
}
SECRET = "correct-horse-battery"


@pytest.fixture
def project(tmp_path: Path, make_project: Callable[..., Path]) -> Path:
    folder = tmp_path / "small"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    return make_project(folder, pipeline=PIPELINE, **FILES)


def test_files_copies_archives_serving_code_and_secrets_reach_the_steps(buzzflow: Buzzflow, project: Path) -> None:
    done = buzzflow(*LOCAL, "--json", DB_PASSWORD=SECRET)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    states = {name: step["state"] for name, step in told["steps"].items()}
    assert states == {
        "train-s": "succeeded",
        "train-m": "succeeded",
        "compare": "succeeded",
        "best": "succeeded",
        "wrong": "skipped",
    }
    [model] = project.glob(".buzzflow/runs/*/outputs/train-m/model/*/output/model.tar.gz")
    with tarfile.open(model) as tar:
        assert {"weight.txt", "code/inference.py"} <= set(tar.getnames())


def test_a_secret_stands_in_no_file_and_on_no_screen(buzzflow: Buzzflow, project: Path) -> None:
    done = buzzflow(*LOCAL, DB_PASSWORD=SECRET)
    assert done.returncode == 0, done.stderr
    [log] = project.glob(".buzzflow/runs/*/steps/compare/log.txt")
    assert log.read_text() == "password corr\npassword is ***\n"
    assert SECRET not in done.stdout + done.stderr
    holding = [f for f in project.rglob("*") if f.is_file() and SECRET.encode() in f.read_bytes()]
    assert holding == []


def test_a_secret_that_the_shell_lacks_is_told_before_anything_starts(buzzflow: Buzzflow, project: Path) -> None:
    done = buzzflow(*LOCAL)
    assert done.returncode == 1
    assert "error[BF506]: secret 'DB_PASSWORD' is not set on this machine" in done.stderr
    assert "pipeline.yaml:13:28" in done.stderr
    assert "export DB_PASSWORD=…" in done.stderr
    assert not (project / ".buzzflow" / "runs").exists()


def test_a_query_without_sample_data_is_told_before_anything_starts(buzzflow: Buzzflow, project: Path) -> None:
    (project / "pipeline.local.yaml").unlink()
    done = buzzflow(*LOCAL, DB_PASSWORD=SECRET)
    assert done.returncode == 1
    assert "error[BF501]: input 'clicks' has no data on this machine" in done.stderr
    assert "{steps.compare.inputs.clicks: path/to/folder}" in done.stderr


def test_sample_data_for_an_input_that_no_step_has_is_told(buzzflow: Buzzflow, project: Path) -> None:
    layer = "local: {data: {steps.compare.inputs.clics: samples}}\n"
    (project / "pipeline.local.yaml").write_text(layer)
    done = buzzflow(*LOCAL, DB_PASSWORD=SECRET)
    assert done.returncode == 1
    assert "BF504" in done.stderr
    assert "did you mean 'steps.compare.inputs.clicks'?" in done.stderr
