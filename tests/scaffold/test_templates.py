"""The templates as files: what each holds, and that the tests which it brings pass."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from buzzflow.diagnostics import PipelineError
from buzzflow.scaffold import TEMPLATES, plan_project

ROOT = Path(__file__).parents[2]


def test_the_templates_are_the_folders() -> None:
    folders = {p.name for p in (ROOT / "buzzflow/scaffold/templates").iterdir()}
    assert folders == set(TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_script_of_a_pipeline_is_there_and_nothing_that_python_compiled(template: str, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", ROOT / "buzzflow/scaffold/templates" / template], check=True
    )
    files = plan_project(tmp_path / "churn", template)
    steps = yaml.safe_load(files["pipeline.yaml"])["steps"].values()
    scripts = {step["code"] for step in steps if "code" in step}
    assert scripts <= set(files)
    assert "tests/test_steps.py" in files
    assert [name for name in files if "__pycache__" in name or name.endswith(".pyc")] == []


@pytest.mark.parametrize("template", [t for t in TEMPLATES if t != "minimal"])
def test_requirements_have_a_lower_and_an_upper_bound(template: str, tmp_path: Path) -> None:
    text = plan_project(tmp_path / "churn", template)["requirements.txt"].decode()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[a-z-]+>=[0-9.]+,<[0-9.]+", line)] == []


def test_the_minimal_pipeline_has_ten_lines(tmp_path: Path) -> None:
    files = plan_project(tmp_path / "churn", "minimal")
    assert len(files["pipeline.yaml"].splitlines()) <= 10
    assert "requirements.txt" not in files


@pytest.mark.parametrize(
    "template", ["minimal", *(pytest.param(t, marks=pytest.mark.slow) for t in ("sklearn", "batch-transform"))]
)
def test_the_tests_of_a_new_project_pass(template: str, tmp_path: Path) -> None:
    for name, content in plan_project(tmp_path / "churn", template).items():
        file = tmp_path / "churn" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=tmp_path / "churn",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_an_unknown_template_is_told(tmp_path: Path) -> None:
    with pytest.raises(PipelineError) as caught:
        plan_project(tmp_path / "churn", "pytroch")
    assert [(d.code, d.hint) for d in caught.value.diagnostics] == [("BF141", "did you mean 'pytorch'?")]
