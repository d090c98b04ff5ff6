"""The stages joined: every problem has its place, and each is told once."""

from __future__ import annotations

from pathlib import Path

import pytest

from buzzflow.diagnostics import PipelineError
from buzzflow.driver import check, compile_artifact

STEP = "{type: processing, image: docker.io/library/python:3.11, entrypoint: [x]"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "projects" / "research" / "delays"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def test_problems_stand_in_the_order_of_the_file(project: Path) -> None:
    lines = [f"  s{n}: {STEP}, depends_on: [t{n}]}}" for n in range(12)]
    (project / "pipeline.yaml").write_text("\n".join(["steps:", *lines]))
    with pytest.raises(PipelineError) as caught:
        check(project)
    assert [d.span.line for d in caught.value.diagnostics if d.span] == list(range(2, 14))


def test_a_problem_in_a_layer_is_told_in_the_layers_file(project: Path) -> None:
    (project / "pipeline.yaml").write_text(f"steps:\n  a: {STEP}}}\n")
    (project / "pipeline.local.yaml").write_text("steps:\n  a:\n    depends_on: [b]\n")
    assert check(project).pipeline.step("a").needs == ()
    with pytest.raises(PipelineError) as caught:
        check(project, local=True)
    [found] = caught.value.diagnostics
    assert found.span is not None
    assert (found.span.file, found.span.line) == ("pipeline.local.yaml", 3)


def test_a_pipeline_is_for_sagemaker_where_there_is_an_environment(project: Path) -> None:
    (project / "pipeline.yaml").write_text(f"steps:\n  a: {STEP}}}\n")
    assert check(project).backend.name == "local"
    role = "arn:aws:iam::111122223333:role/R"
    environment = project.parent / "environment.yaml"
    environment.write_text(f"{{name: research, region: eu-west-1, bucket: b-1, role: '{role}'}}\n")
    checked = check(project)
    assert checked.backend.name == "sagemaker"
    assert compile_artifact(checked).name == "pipeline-definition.json"
    assert compile_artifact(check(project, backend="local")).name == "run-plan.json"


def test_checking_writes_nothing(project: Path) -> None:
    (project / "pipeline.yaml").write_text(f"steps:\n  a: {STEP}}}\n")
    compile_artifact(check(project))
    assert [p.name for p in project.iterdir()] == ["pipeline.yaml"]
