"""The pipeline that is deployed over and over: an old and a new state, which differ in all that is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

State = Literal["old", "new"]
BUCKET = "example-research-ml"
NAME = "research-demo"
# Stand in this process's environment only, and must never leave it.
CANARIES = {
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "DATABASE_PASSWORD": "canary-7f3d9b1c5e",
}
_ENVIRONMENT = """\
name: research
deploy_from: [laptop, ci]
account: "111122223333"
region: us-west-2
role: arn:aws:iam::111122223333:role/buzzflow-research-execution
bucket: example-research-ml
name_prefix: research-
tags: {environment: research}
"""
_PIPELINE = """\
name: demo
description: DESCRIPTION
owner: ads-ml
tags: {TAGS}
parameters:
  day: {type: string, default: "2026-01-01"}
steps:
  extract:
    type: processing
    image: {framework: sklearn, version: "1.2-1"}
    code: {entry_point: extract.py}
    arguments: [--day, "${param:day}"]
    outputs: [data]
  train:
    type: training
    image: {framework: sklearn, version: "1.2-1"}
    code: {entry_point: train.py}
    inputs: {data: "${step:extract.outputs.data}"}
    hyperparameters: {depth: DEPTH}
"""
_VALUES: Mapping[State, Mapping[str, str]] = {
    "old": {"DESCRIPTION": "as it was", "TAGS": "team: ads, stage: first", "DEPTH": "6"},
    "new": {"DESCRIPTION": "as it is to be", "TAGS": "team: search", "DEPTH": "8"},
}
_SCRIPTS: Mapping[State, Mapping[str, str]] = {
    "old": {"extract.py": "print('extract')\n", "train.py": "print('train')\n"},
    "new": {"extract.py": "print('extract')\n", "train.py": "print('train better')\n"},
}


def write_project(folder: Path, state: State) -> Path:
    """Write a repository with the pipeline in *state* below *folder*, and return the pipeline's folder."""
    project = folder / state / "projects" / "research" / "demo"
    project.mkdir(parents=True)
    (folder / state / ".git").mkdir()  # ends the search for the root of the repository
    (project.parent / "environment.yaml").write_text(_ENVIRONMENT)
    text = _PIPELINE
    for name, value in _VALUES[state].items():
        text = text.replace(name, value)
    (project / "pipeline.yaml").write_text(text)
    for name, script in _SCRIPTS[state].items():
        (project / name).write_text(script)
    return project
