"""`.pre-commit-hooks.yaml`: which files start the hook, and that its command does what it is for."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RIGHT = "steps: {stop: {type: fail, message: stop}}\n"


@pytest.fixture(scope="module")
def hook() -> dict[str, Any]:
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    return hook


def test_the_hook_has_what_pre_commit_asks_for(hook: dict[str, Any]) -> None:
    assert hook["id"] == "buzzflow-validate"
    assert (hook["language"], hook["pass_filenames"]) == ("python", False)
    assert not hook.get("always_run")


@pytest.mark.parametrize(
    ("changed", "starts"),
    [
        ("projects/research/churn/pipeline.yaml", True),
        ("projects/research/churn/a.pipeline.yaml", True),
        ("projects/research/churn/pipeline.local.yaml", True),
        ("projects/research/environment.yaml", True),
        ("projects/base/layer.yml", True),
        ("projects/research/churn/src/train.py", True),
        ("projects/research/churn/query/flights.sql", True),
        ("projects/research/churn/requirements.txt", True),
        ("projects/research/churn/.buzzflowignore", True),
        ("environment.yaml", True),
        ("global_common/step.py", True),
        ("projects/research/churn/README.md", False),
        ("projects/research/churn/data.parquet", False),
        ("docs/pipeline.yaml", False),
        ("my_projects/a/pipeline.yaml", False),
        ("setup.py", False),
    ],
)
def test_a_change_starts_the_hook_where_a_pipeline_may_break(changed: str, starts: bool, hook: dict[str, Any]) -> None:
    assert bool(re.search(hook["files"], changed)) is starts  # pre-commit searches, too


def test_the_hook_stops_a_commit_that_breaks_a_pipeline(hook: dict[str, Any], tmp_path: Path, command: str) -> None:
    folder = tmp_path / "projects/research/churn"
    folder.mkdir(parents=True)
    (folder / "pipeline.yaml").write_text(RIGHT)
    git = {"GIT_CONFIG_GLOBAL": "", "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, env=os.environ | git, check=True)

    def commit() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*shlex.split(hook["entry"]), *hook["args"]],
            cwd=tmp_path,
            env=os.environ | {"PATH": f"{Path(command).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert commit().returncode == 0
    (folder / "pipeline.yaml").write_text(RIGHT.replace("message", "mesage"))
    done = commit()
    assert done.returncode == 1
    assert "did you mean 'message'?" in done.stderr
