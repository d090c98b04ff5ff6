"""The command: what it writes, what it never overwrites, what it prints."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from buzzflow.backends.sagemaker.semantics import same_definition

DEFINITION = Path(__file__).parent / "definitions" / "churn-sdk-v2.json"
COMMAND = str(Path(sys.executable).with_name("buzzflow"))
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments], cwd=tmp_path, input=given, capture_output=True, text=True, check=False, timeout=60
        )

    return run


def test_the_project_compiles_to_the_same_definition(run: Run, tmp_path: Path) -> None:
    done = run("import", str(DEFINITION), "--output", "deep/er/churn")

    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (tmp_path / "deep/er/churn").iterdir()) == ["environment.yaml", "pipeline.yaml"]
    assert "wrote deep/er/churn/pipeline.yaml" in done.stdout
    assert "warning[BF661]" in done.stderr
    compiled = run("create", "deep/er/churn", "--dry-run", "--json")
    assert same_definition(json.loads(compiled.stdout), json.loads(DEFINITION.read_text()))


def test_the_folder_and_the_name_are_those_of_the_file(run: Run, tmp_path: Path) -> None:
    assert run("import", str(DEFINITION)).returncode == 0
    assert "\nname: churn-sdk-v2\n" in (tmp_path / "churn-sdk-v2" / "pipeline.yaml").read_text()
    assert run("import", str(DEFINITION), "--name", "mine").returncode == 0
    assert "\nname: mine\n" in (tmp_path / "mine" / "pipeline.yaml").read_text()


def test_a_definition_comes_from_a_pipe_too(run: Run) -> None:
    done = run("import", "-", "--output", "out", "--json", given=DEFINITION.read_text())

    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert told["ok"]
    assert told["files"] == ["out/pipeline.yaml", "out/environment.yaml"]
    assert {step["name"]: step["how"] for step in told["steps"]}["GoodEnough"] == "typed"
    assert {d["code"] for d in told["diagnostics"]} >= {"BF660", "BF661", "BF662", "BF663", "BF665"}


def test_nothing_is_overwritten_without_force(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "pipeline.yaml").write_text("mine")
    (tmp_path / "out" / "notes.txt").write_text("mine")

    refused = run("import", str(DEFINITION), "--output", "out")

    assert refused.returncode == 1
    assert "BF659" in refused.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["notes.txt", "pipeline.yaml"]
    assert (tmp_path / "out" / "pipeline.yaml").read_text() == "mine"
    assert run("import", str(DEFINITION), "--output", "out", "--force").returncode == 0
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
    assert (tmp_path / "out" / "pipeline.yaml").read_text() != "mine"


def test_an_editor_finds_the_schema_where_there_is_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "pipeline.schema.json").write_text("{}")

    assert run("import", str(DEFINITION), "--output", "projects/churn").returncode == 0

    first = (tmp_path / "projects" / "churn" / "pipeline.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../schemas/pipeline.schema.json"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nobody.json",), "BF650"),
        (("folder/nobody",), "BF650"),
        (("nobody.py",), "BF656"),
        (("a name",), "BF657"),
        ((str(DEFINITION), "--name", "no name"), "BF141"),
    ],
)
def test_what_cannot_be_imported_is_told_and_nothing_is_written(
    arguments: tuple[str, ...], code: str, run: Run, tmp_path: Path
) -> None:
    done = run("import", *arguments, "--output", "out")

    assert done.returncode == 1
    assert f"error[{code}]" in done.stderr
    assert not (tmp_path / "out").exists()
    told = json.loads(run("import", *arguments, "--output", "out", "--json").stdout)
    assert not told["ok"]
