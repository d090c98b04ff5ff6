"""The real command in a process of its own, and a small project whose steps are plain Python."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).with_name("buzzflow"))
PIPELINE = """\
name: small
parameters:
  rows: {type: integer, default: 3}
  min_score: {type: float, default: 0.5}
defaults: {image: IMAGE}
steps:
  extract:
    type: processing
    code: extract.py
    arguments: {rows: "${param:rows}"}
    outputs: [data]
  train:
    type: training
    code: train.py
    inputs: {data: "${step:extract.outputs.data}"}
    metrics: {rows: 'rows=([0-9]+)'}
  evaluate:
    type: processing
    code: evaluate.py
    inputs: {model: "${step:train.model}"}
    outputs: {report: {json: metrics.json}}
  gate:
    type: condition
    if: ${json:evaluate.report.score} >= ${param:min_score}
    else: [reject]
  reject: {type: fail, message: "score ${json:evaluate.report.score} is below ${param:min_score}"}
"""
SCRIPTS = {
    "extract.py": """\
import os, pathlib, sys
rows = int(sys.argv[sys.argv.index("--rows") + 1])
pathlib.Path(os.environ["BUZZFLOW_OUTPUT_DATA"], "rows.txt").write_text("x\\n" * rows)
""",
    "train.py": """\
import os, pathlib
rows = pathlib.Path(os.environ["BUZZFLOW_INPUT_DATA"], "rows.txt").read_text().splitlines()
if not rows:
    raise SystemExit("there are no rows")
pathlib.Path(os.environ["BUZZFLOW_MODEL_DIR"], "model.txt").write_text(str(len(rows)))
print(f"rows={len(rows)}")
""",
    "evaluate.py": """\
import json, os, pathlib, tarfile
[packed] = pathlib.Path(os.environ["BUZZFLOW_INPUT_MODEL"]).iterdir()
with tarfile.open(packed) as tar:
    rows = int(tar.extractfile("model.txt").read())
report = {"score": rows / 10}
pathlib.Path(os.environ["BUZZFLOW_OUTPUT_REPORT"], "metrics.json").write_text(json.dumps(report))
""",
}
Buzzflow = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def command() -> str:
    """The installed command."""
    return COMMAND


@pytest.fixture(scope="session")
def make_project() -> Callable[..., Path]:
    """Writes files into a folder; without files, a small project of five steps."""

    def make_project(folder: Path, *, image: str = "docker.io/library/python:3.11", **files: str) -> Path:
        (folder / ".git").mkdir(parents=True)  # a repository of its own: runs are kept in it
        for name, text in ({"pipeline": PIPELINE.replace("IMAGE", image), **SCRIPTS} | files).items():
            (folder / (f"{name}.yaml" if name == "pipeline" else name)).write_text(text)
        return folder

    return make_project


@pytest.fixture
def project(tmp_path: Path, make_project: Callable[..., Path]) -> Path:
    return make_project(tmp_path / "small")


@pytest.fixture
def buzzflow(project: Path) -> Buzzflow:
    """Runs the command in the project's folder, and returns how it ended."""

    def buzzflow(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "COLUMNS")}
        return subprocess.run(
            [COMMAND, *arguments],
            cwd=project,
            env=kept | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return buzzflow
