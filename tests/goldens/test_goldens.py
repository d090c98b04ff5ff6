"""A right pipeline is a folder with what every backend compiles it to; `UPDATE_GOLDEN=1 pytest` writes that anew."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from buzzflow.driver import check, compile_artifact

HERE = Path(__file__).parent
PIPELINES = sorted(file.parent for file in HERE.glob("*/pipeline.yaml"))
ARTIFACTS = ("run-plan.json", "pipeline-definition.json")


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a copy without the compiled files, which would travel with the code."""
    environment = tmp_path / "projects" / "research"
    folder: Path = request.param
    shutil.copytree(folder, environment / folder.name, ignore=shutil.ignore_patterns(*ARTIFACTS))
    shutil.copy(HERE / "environment.yaml", environment)
    return environment / folder.name


@pytest.mark.parametrize("backend", ["local", "sagemaker"])
@pytest.mark.parametrize("project", PIPELINES, ids=lambda folder: folder.name, indirect=True)
def test_a_right_pipeline_compiles_to_what_stands_beside_it(project: Path, backend: str) -> None:
    artifact = compile_artifact(check(project, backend=backend))
    golden = HERE / project.name / artifact.name
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(artifact.readable(), "utf-8")
    assert artifact.name in ARTIFACTS
    assert artifact.readable() == golden.read_text("utf-8")


def test_there_are_goldens() -> None:
    assert len(PIPELINES) >= 4
