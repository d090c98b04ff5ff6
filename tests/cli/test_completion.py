"""What the shell is told at a Tab, through the protocol of the scripts that `--install-completion` installs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

LISTS = """
import sys
sys.argv[0] = "buzzflow"
from buzzflow.cli.main import main
try:
    main()
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""
Complete = Callable[[str], list[str]]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "projects/research/churn",
        "projects/research/ctr",
        "projects/prod/churn",
        "several",
        ".hidden",
        "venv",
    ):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "pipeline.yaml").write_text("steps: {stop: {type: fail, message: stop}}\n")
    (tmp_path / "several/a.pipeline.yaml").write_text("")
    (tmp_path / "venv/pyvenv.cfg").write_text("")
    (tmp_path / "projects/research/data").mkdir()
    return tmp_path


@pytest.fixture
def complete(tree: Path, command: str) -> Complete:
    """Returns what bash is offered after a line, in a folder of the tree."""

    def complete(line: str) -> list[str]:
        words = line.split(" ")
        protocol = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_BUZZFLOW_COMPLETE": "complete_bash"}
        done = subprocess.run(
            [command],
            cwd=tree,
            env=os.environ | protocol,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stderr == ""
        return done.stdout.split()

    return complete


EVERYTHING = [
    "projects/prod/churn",
    "projects/research/churn",
    "projects/research/ctr",
    "several/a.pipeline.yaml",
    "several/pipeline.yaml",
]


@pytest.mark.parametrize("line", ["buzzflow validate ", "buzzflow create ", "buzzflow validate several "])
def test_folders_with_a_pipeline_are_offered(line: str, complete: Complete) -> None:
    assert complete(line) == EVERYTHING


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("projects/research/c", ["projects/research/churn", "projects/research/ctr"]),
        ("./projects/p", ["./projects/prod/churn"]),
        ("projects/prod/churn/", ["projects/prod/churn/pipeline.yaml"]),
        ("churn", ["projects/prod/churn", "projects/research/churn"]),
        ("ct", ["projects/research/ctr"]),
        ("nothing", []),
        ("absent/x", []),
    ],
)
def test_a_path_or_the_name_of_a_project_is_completed(typed: str, offered: list[str], complete: Complete) -> None:
    assert complete(f"buzzflow validate {typed}") == offered


def test_an_absolute_path_is_completed(complete: Complete, tree: Path) -> None:
    assert complete(f"buzzflow create {tree}/projects/prod/") == [f"{tree}/projects/prod/churn"]


def test_after_local_come_executors_and_pipelines(complete: Complete) -> None:
    assert complete("buzzflow create --local ") == ["docker", "process", *EVERYTHING]
    assert complete("buzzflow create --local d") == ["docker"]


def test_templates_are_offered(complete: Complete) -> None:
    assert complete("buzzflow init churn --template ") == [
        "minimal",
        "sklearn",
        "xgboost",
        "pytorch",
        "batch-transform",
    ]


def test_the_completion_can_be_installed(command: str) -> None:
    done = subprocess.run([command, "--help"], capture_output=True, text=True, timeout=60, check=True)
    assert "--install-completion" in done.stdout


# ------------------------------------------------------------------ keys


@pytest.fixture
def written(tree: Path) -> None:
    (tree / "projects/base.yaml").write_text("steps: {extract: {}, train: {instance: {type: a, count: 1}}}\n")
    (tree / "projects/prod/churn/pipeline.yaml").write_text(
        "name: x\nextends: ../../base.yaml\ninclude: [more.yaml, absent.yaml]\n"
        'steps: {train: {type: training}, test: {inputs: {a: "${step:train.model}"}}}\n'
    )
    (tree / "projects/prod/churn/more.yaml").write_text("extends: pipeline.yaml\nsteps: {report: {}}\n")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", ["extends", "include", "name", "steps"]),
        ("s", ["steps.extract", "steps.report", "steps.test", "steps.train"]),
        ("steps.t", ["steps.test", "steps.train"]),
        ("steps.train.", ["steps.train.instance", "steps.train.type"]),
        ("steps.train.i", ["steps.train.instance.count", "steps.train.instance.type"]),
        ("steps.te", ["steps.test.inputs.a"]),
        ("steps.train.type.", []),
        ("absent", []),
    ],
)
@pytest.mark.usefixtures("written")
def test_the_keys_of_the_pipeline_on_the_line_are_offered(typed: str, offered: list[str], complete: Complete) -> None:
    assert sorted(complete(f"buzzflow explain projects/prod/churn {typed}")) == offered


def test_explain_offers_pipelines_first(complete: Complete) -> None:
    assert complete("buzzflow explain ") == EVERYTHING


@pytest.mark.parametrize("text", ["steps: [", "- a", "steps: 3", "steps:", "\x00"])
def test_a_pipeline_that_is_wrong_offers_no_steps(text: str, complete: Complete, tree: Path) -> None:
    (tree / "projects/research/ctr/pipeline.yaml").write_text(text)
    assert complete("buzzflow explain projects/research/ctr steps.") == []
    assert complete("buzzflow explain absent steps.") == []
    assert complete("buzzflow explain BF302 steps.") == []


def test_completing_a_path_loads_neither_models_nor_yaml_nor_aws(tree: Path) -> None:
    protocol = {"COMP_WORDS": "buzzflow validate ", "COMP_CWORD": "2", "_BUZZFLOW_COMPLETE": "complete_bash"}
    done = subprocess.run(
        [sys.executable, "-c", LISTS],
        cwd=tree,
        env=os.environ | protocol,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines() == EVERYTHING
    loaded = set(done.stderr.split())
    assert loaded & {"buzzflow.config", "buzzflow.loader", "yaml", "omegaconf", "boto3", "docker", "psutil"} == set()
