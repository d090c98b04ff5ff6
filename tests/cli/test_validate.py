"""`validate` over files, folders and trees, in every format."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RIGHT = "steps: {stop: {type: fail, message: stop}}\n"
WRONG = "steps: {stop: {type: fail, mesage: stop}}\n"


def validate(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "buzzflow", "validate", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in (("a", RIGHT), ("b", WRONG), (".hidden", WRONG), ("venv", WRONG)):
        (tmp_path / "projects" / name).mkdir(parents=True)
        (tmp_path / "projects" / name / "pipeline.yaml").write_text(text)
    (tmp_path / "projects" / "venv" / "pyvenv.cfg").write_text("")
    (tmp_path / "projects" / "venv" / "pipeline.yaml").unlink()
    (tmp_path / "projects" / "a" / "second.pipeline.yaml").write_text(RIGHT)
    return tmp_path


def test_a_tree_is_validated_whole(tree: Path) -> None:
    done = validate("projects", folder=tree)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "projects/a/pipeline.yaml: 1 step, valid for local",
        "projects/a/second.pipeline.yaml: 1 step, valid for local",
        "3 pipelines, 1 with errors",
    ]
    assert "projects/b/pipeline.yaml:1:28" in done.stderr
    assert done.stderr.rstrip().endswith("2 errors")


def test_several_paths_are_validated_once_each(tree: Path) -> None:
    done = validate("projects/a", "projects/a/pipeline.yaml", folder=tree)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "2 pipelines, none with errors"


def test_many_pipelines_go_to_several_processes_and_come_back_in_order(tmp_path: Path) -> None:
    for i in range(30):
        (tmp_path / f"p{i:02}").mkdir()
        (tmp_path / f"p{i:02}" / "pipeline.yaml").write_text(WRONG if i == 17 else RIGHT)
    done = validate("--json", ".", folder=tmp_path)
    told = json.loads(done.stdout)
    assert [p["file"] for p in told["pipelines"]] == [f"p{i:02}/pipeline.yaml" for i in range(30)]
    assert [p["file"] for p in told["pipelines"] if not p["ok"]] == ["p17/pipeline.yaml"]
    assert {d["file"] for d in told["diagnostics"]} == {"p17/pipeline.yaml"}


def test_github_shows_each_problem_on_its_line(tree: Path) -> None:
    done = validate("projects/b", "--format", "github", folder=tree)
    assert done.returncode == 1
    first = "::error file=projects/b/pipeline.yaml,line=1,col=28,title=BF203::there is no field 'mesage' in step 'stop'"
    assert f"{first}%0Ahelp: did you mean 'message'?" in done.stdout.splitlines()


def test_sarif_holds_every_problem_with_its_place(tree: Path) -> None:
    log = json.loads(validate("projects", "--format=sarif", folder=tree).stdout)
    run = log["runs"][0]
    assert (log["version"], run["tool"]["driver"]["name"]) == ("2.1.0", "buzzflow")
    assert (
        {r["ruleId"] for r in run["results"]} == {"BF203", "BF204"} == {r["id"] for r in run["tool"]["driver"]["rules"]}
    )
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "projects/b/pipeline.yaml"
    assert place["region"]["startLine"] == 1


def test_an_unknown_format_is_wrong_usage(tree: Path) -> None:
    done = validate("--format", "xml", folder=tree)
    assert done.returncode == 2
    assert "'xml' is not one of human, json, sarif, github" in done.stderr


def test_a_tree_without_pipelines_is_told(tmp_path: Path) -> None:
    done = validate(folder=tmp_path)
    assert done.returncode == 1
    assert "BF100" in done.stderr


@pytest.mark.parametrize("form", ["human", "json", "sarif", "github"])
def test_a_known_result_is_told_in_the_same_bytes(form: str, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tree / ".user-cache"))
    (tree / "projects/a/pipeline.yaml").write_text(
        "steps: {a: {type: processing, image: 'python:3.11', code: a.py}}  # \u00fc\n"
    )
    (tree / "projects/a/a.py").write_text("import importlib\nimportlib.import_module(__name__)\n")
    cold = validate("projects", "--format", form, "--no-cache", folder=tree)
    assert not (tree / ".user-cache").exists()
    assert "BF203" in cold.stdout + cold.stderr
    assert "BF134" in cold.stdout + cold.stderr
    for _ in range(2):
        warm = validate("projects", "--format", form, folder=tree)
        assert (warm.returncode, warm.stdout, warm.stderr) == (cold.returncode, cold.stdout, cold.stderr)
    assert len([*(tree / ".user-cache/buzzflow/validate").iterdir()]) == 3


def test_only_pipelines_that_a_change_affects_are_validated(tree: Path) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *arguments], cwd=tree, check=True, capture_output=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    done = validate("projects", "--changed-since", "HEAD", folder=tree)
    assert (done.returncode, done.stdout) == (
        0,
        "0 of 3 pipelines affected by changes since HEAD, none with errors\n",
    )
    (tree / "projects/a/second.pipeline.yaml").write_text(WRONG)
    done = validate("projects", "--changed-since=HEAD", folder=tree)
    assert (done.returncode, done.stdout) == (1, "1 of 3 pipelines affected by changes since HEAD, 1 with errors\n")
    assert "projects/b" not in done.stderr
    told = json.loads(validate("projects", "--changed-since=HEAD", "--json", folder=tree).stdout)
    assert (told["changed_since"], told["of"], len(told["pipelines"])) == ("HEAD", 3, 1)
    done = validate("projects", "--changed-since=--help", folder=tree)
    assert done.returncode == 1
    assert "error[BF147]: Git knows no revision '--help'" in done.stderr


def test_without_git_a_change_is_not_known(tree: Path) -> None:
    command = [sys.executable, "-m", "buzzflow", "validate", "--json", "--changed-since", "main"]
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert [d["code"] for d in json.loads(done.stdout)["diagnostics"]] == ["BF146"]
