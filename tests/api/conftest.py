"""A small project, in whose parent folder the examples of the docstrings run."""

from __future__ import annotations

from pathlib import Path

import pytest

PIPELINE = """\
name: flights
description: Counts
owner: ops
parameters: {rows: {type: integer, default: 2, description: How many}}
defaults: {image: docker.io/library/python:3.11}
steps:
  extract:
    type: processing
    code: extract.py
    arguments: {rows: "${param:rows}"}
    outputs: [train]
  train:
    type: training
    code: train.py
    inputs: {train: "${step:extract.outputs.train}"}
    hyperparameters: {depth: 3, label: "n=${param:rows}"}
    metrics: {rows: 'rows=([0-9]+)'}
    instance: {type: ml.m5.2xlarge}
    timeout: 1h
  gate: {type: condition, if: "${step:train.metrics.rows} > 0", else: [reject]}
  reject: {type: fail, message: "no rows"}
"""
SCRIPTS = {
    "extract.py": """\
import os, pathlib, sys
rows = int(sys.argv[sys.argv.index("--rows") + 1])
pathlib.Path(os.environ["BUZZFLOW_OUTPUT_TRAIN"], "rows.txt").write_text("x\\n" * rows)
""",
    "train.py": """\
import os, pathlib
rows = pathlib.Path(os.environ["BUZZFLOW_INPUT_TRAIN"], "rows.txt").read_text().splitlines()
pathlib.Path(os.environ["BUZZFLOW_MODEL_DIR"], "model.txt").write_text(str(len(rows)))
print(f"rows={len(rows)} depth={os.environ['SM_HP_DEPTH']}")
""",
}


@pytest.fixture
def flights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "flights"
    (tmp_path / ".git").mkdir()
    folder.mkdir()
    for name, text in {"pipeline.yaml": PIPELINE, **SCRIPTS}.items():
        (folder / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return folder
