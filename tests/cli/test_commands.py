"""What the commands print and how they end, through the real command."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Buzzflow = Callable[..., subprocess.CompletedProcess[str]]


def test_a_right_pipeline_is_told_in_one_line(buzzflow: Buzzflow) -> None:
    done = buzzflow("validate")
    assert (done.returncode, done.stdout, done.stderr) == (0, "pipeline.yaml: 5 steps, valid for local\n", "")


def test_a_right_pipeline_is_told_as_json(buzzflow: Buzzflow) -> None:
    done = buzzflow("validate", "--json")
    pipeline = {"file": "pipeline.yaml", "ok": True, "backend": "local", "steps": 5}
    told = {"ok": True, "diagnostics": [], "pipelines": [pipeline]}
    assert (done.returncode, json.loads(done.stdout)) == (0, told)


WRONG = """\
steps:
  extract: {type: processing, image: docker.io/library/python:3.11, entrypoint: [x], outputs: [data]}
  train:
    type: training
    image: docker.io/library/python:3.11
    entrypoint: [x]
    inputs: {data: "${step:extract.outputs.dat}"}
    depends_on: [extrakt]
"""
SCREEN = """\
error[BF302]: step 'extract' has no output 'dat'
  --> pipeline.yaml:7:20
  7 |     inputs: {data: "${step:extract.outputs.dat}"}
    |                    ^
  at: steps.train.inputs.data.from
  help: did you mean 'data'?

error[BF301]: there is no step 'extrakt'
  --> pipeline.yaml:8:18
  8 |     depends_on: [extrakt]
    |                  ^
  at: steps.train.depends_on.0
  help: did you mean 'extract'?

2 errors
"""


@pytest.mark.parametrize("arguments", [("validate",), ("create", "--dry-run"), ("create", "--local=process")])
def test_what_is_wrong_is_told_on_its_lines(arguments: tuple[str, ...], buzzflow: Buzzflow, project: Path) -> None:
    (project / "pipeline.yaml").write_text(WRONG)
    done = buzzflow(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", SCREEN)
    assert not (project / ".buzzflow").exists()


def test_what_is_wrong_is_told_as_json(buzzflow: Buzzflow, project: Path) -> None:
    (project / "pipeline.yaml").write_text(WRONG)
    done = buzzflow("validate", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"], done.stderr) == (1, False, "")
    assert told["diagnostics"][0] == {
        "code": "BF302",
        "severity": "error",
        "summary": "step 'extract' has no output 'dat'",
        "hint": "did you mean 'data'?",
        "note": None,
        "path": ["steps", "train", "inputs", "data", "from"],
        "file": "pipeline.yaml",
        "line": 7,
        "column": 20,
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-command",),
        ("validate", "--no-such-option"),
        ("create", "--local", "--dry-run"),
        ("create", "--local=cloud"),
        ("create", "--local", "--jobs", "0"),
    ],
)
def test_wrong_usage_exits_2(arguments: tuple[str, ...], buzzflow: Buzzflow, project: Path) -> None:
    done = buzzflow(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage: buzzflow" in done.stderr
    assert not (project / ".buzzflow").exists()


def test_a_folder_without_pipeline_is_told(buzzflow: Buzzflow, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = buzzflow("validate", str(tmp_path / "empty"))
    assert done.returncode == 1
    assert "error[BF100]: no pipeline.yaml in" in done.stderr


def test_help_names_the_commands(buzzflow: Buzzflow) -> None:
    for flag in ("--help", "-h"):
        done = buzzflow(flag)
        assert done.returncode == 0
        assert all(f"\n  {name} " in done.stdout for name in ("validate", "create", "doctor"))
    assert "--dry-run" in buzzflow("create", "--help").stdout


def test_version_is_told(buzzflow: Buzzflow) -> None:
    assert buzzflow("--version").stdout.startswith("buzzflow 0.")


# ------------------------------------------------------------------ create --dry-run


def test_a_dry_run_with_json_prints_only_the_artifact(buzzflow: Buzzflow) -> None:
    done = buzzflow("create", "--dry-run", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert [s["name"] for s in json.loads(done.stdout)["steps"]] == ["extract", "train", "evaluate", "gate", "reject"]


def test_a_dry_run_shows_the_steps_and_writes_nothing(buzzflow: Buzzflow, project: Path) -> None:
    done = buzzflow("create", "--dry-run")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines() if line[:1].isalpha()] == [
        "step",
        "extract",
        "train",
        "evaluate",
        "gate",
        "reject",
        "small:",
    ]
    assert not (project / ".buzzflow").exists()


def test_a_pipeline_with_an_environment_is_for_sagemaker(buzzflow: Buzzflow, project: Path) -> None:
    role = "arn:aws:iam::111122223333:role/R"
    (project / "environment.yaml").write_text(f"{{name: research, region: eu-west-1, bucket: b-1, role: '{role}'}}\n")
    done = buzzflow("create", "--dry-run", "--json")
    assert done.returncode == 0
    definition = json.loads(done.stdout)
    assert definition["Version"] == "2020-12-01"
    assert [s["Name"] for s in definition["Steps"]] == ["extract", "train", "evaluate", "gate"]
    assert json.loads(buzzflow("create", "--dry-run", "--json", "--backend", "local").stdout)["version"] == 1


def test_an_unknown_backend_is_told(buzzflow: Buzzflow) -> None:
    done = buzzflow("validate", "--backend", "locale")
    assert done.returncode == 1
    assert "error[BF400]: no backend is called 'locale'" in done.stderr
    assert "did you mean 'local'?" in done.stderr


def test_a_set_value_wins(buzzflow: Buzzflow) -> None:
    done = buzzflow("create", "--dry-run", "--json", "--set", "steps.train.timeout=2h", "--set", "name=other")
    definition = json.loads(done.stdout)
    assert definition["pipeline"] == "other"
    assert definition["steps"][1]["container"]["timeout"] == 7200


def test_a_wrong_set_value_is_told(buzzflow: Buzzflow) -> None:
    done = buzzflow("validate", "--set", "steps.train.timeout=soon")
    assert done.returncode == 1
    assert "--set" in done.stderr


# ------------------------------------------------------------------ doctor


def test_doctor_tells_what_is_there(buzzflow: Buzzflow) -> None:
    done = buzzflow("doctor", DOCKER_HOST="unix:///nonexistent")
    assert done.returncode == 0
    assert "ok       backends: local, sagemaker" in done.stdout
    assert "warning  Docker: " in done.stdout
    told = json.loads(buzzflow("doctor", "--json").stdout)
    assert {"name", "state", "told"} == set(told[0])
    assert {f["state"] for f in told} <= {"ok", "warning"}
