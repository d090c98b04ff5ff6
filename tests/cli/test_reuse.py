"""Cached results, parts of a pipeline, `resume` and `explain cache`, through the real command."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Buzzflow = Callable[..., subprocess.CompletedProcess[str]]
LOCAL = ("create", "--local=process")
CACHED = (
    ("    code: extract.py", "    cache: 30d\n    code: extract.py"),
    ("    code: train.py", "    cache: 1d\n    code: train.py"),
)


@pytest.fixture
def cached(project: Path) -> Path:
    """The project, its first two steps with a cache."""
    replace(project / "pipeline.yaml", *CACHED, ("default: 0.5", "default: 0.1"))
    return project


def replace(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


def runs(project: Path) -> list[Path]:
    return sorted(
        (project / ".buzzflow" / "runs").iterdir(), key=lambda run: (run / "run-plan.json").stat().st_mtime_ns
    )


def manifest(run: Path) -> dict[str, Any]:
    return json.loads((run / "manifest.json").read_text())


def states(project: Path) -> dict[str, str]:
    return {name: step["state"] for name, step in manifest(runs(project)[-1])["steps"].items()}


def whys(project: Path) -> dict[str, str]:
    steps = manifest(runs(project)[-1])["steps"]
    return {name: step["cache"]["why"] for name, step in steps.items() if "cache" in step}


# ------------------------------------------------------------------ cache


def test_what_has_not_changed_is_taken_from_the_run_that_made_it(buzzflow: Buzzflow, cached: Path) -> None:
    assert buzzflow(*LOCAL, "-p", "rows=7").returncode == 0
    assert whys(cached) == {"extract": "no earlier run", "train": "no earlier run"}
    for _ in range(2):
        done = buzzflow(*LOCAL, "-p", "rows=7")
        assert done.returncode == 0, done.stderr
        assert states(cached) | {"reject": ""} == {
            "extract": "cached", "train": "cached", "evaluate": "succeeded", "gate": "succeeded", "reject": ""
        }  # fmt: skip
        first = runs(cached)[0].name
        assert re.search(rf"^train: rows=7, taken from run {first}, [0-9]+ s ago$", done.stdout, re.MULTILINE)
        assert "gate: 0.7 >= 0.1: yes" in done.stdout
    last = manifest(runs(cached)[-1])["steps"]["train"]
    assert last["metrics"] == {"rows": 7.0}
    assert f"/{first}/train/model/" in last["left"]["properties"]["model"]


def test_a_change_of_a_step_runs_it_and_what_uses_it(buzzflow: Buzzflow, cached: Path) -> None:
    buzzflow(*LOCAL)
    replace(cached / "extract.py", ("import os", "# edited\nimport os"))
    assert buzzflow(*LOCAL).returncode == 0
    steps = manifest(runs(cached)[-1])["steps"]
    assert steps["extract"]["cache"]["changed"] == ["code.src/extract.py"]
    assert steps["train"]["cache"]["changed"] == ["inputs.data"]
    buzzflow(*LOCAL)
    assert states(cached)["train"] == "cached"
    replace(cached / "extract.py", ("# edited\n", ""))  # what was, is found again
    buzzflow(*LOCAL)
    assert whys(cached) == {"extract": "hit", "train": "hit"}


def test_force_runs_all_and_its_results_count_later(buzzflow: Buzzflow, cached: Path) -> None:
    buzzflow(*LOCAL)
    buzzflow(*LOCAL, "--force")
    assert whys(cached) == {"extract": "forced", "train": "forced"}
    buzzflow(*LOCAL)
    assert manifest(runs(cached)[-1])["steps"]["train"]["cache"]["run"] == runs(cached)[1].name


# ------------------------------------------------------------------ explain cache


def test_explain_tells_what_the_next_run_would_do(buzzflow: Buzzflow, cached: Path) -> None:
    assert buzzflow("explain", "cache", "train").stdout.startswith(
        "train: the next run runs it, because no earlier run has left a result\n"
    )
    buzzflow(*LOCAL)
    run = runs(cached)[0].name
    taken = buzzflow("explain", "cache", "train").stdout
    assert taken.startswith(
        f"train: the next run takes its result, because nothing that it depends on has changed since run {run}\n"
    )
    assert re.search(r"^  the result is [0-9.]+ s old; it counts for 1 d$", taken, re.MULTILINE)
    replace(cached / "train.py", ("import os", "# edited\nimport os"))
    told = buzzflow("explain", "cache", "train", "-p", "rows=4").stdout
    assert "because 2 fields differ" in told
    assert "\n  code.src/train.py was edited\n" in told
    assert "\n    extract runs again: arguments.1\n" in told
    told = buzzflow("explain", "cache", "extract", ".", "-p", "rows=4").stdout
    assert "\n  arguments.1 has changed\n    then: 3\n    now : 4\n" in told


def test_explain_as_json_and_of_an_earlier_run(buzzflow: Buzzflow, cached: Path) -> None:
    buzzflow(*LOCAL)
    buzzflow(*LOCAL, "-p", "rows=4")
    found = json.loads(buzzflow("explain", "cache", "extract", "--run", "last", "--json").stdout)
    assert found["taken"] is False
    assert found["compared_with"] == runs(cached)[0].name
    [change] = found["changes"]
    assert (change["field"], change["then"], change["now"]) == ("arguments.1", "3", "4")
    assert found["key"] == json.loads(buzzflow("explain", "cache", "extract", "-p", "rows=4", "--json").stdout)["key"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("evaluate",), "BF555", "step 'evaluate' is not cached: it always runs"),
        (("gate",), "BF555", "step 'gate' is not cached: it always runs"),
        (("tran",), "BF550", "did you mean 'train'?"),
        (("train", "--run", "nothing"), "BF510", "nothing has run"),
    ],
)
def test_explain_says_what_it_cannot(
    buzzflow: Buzzflow, cached: Path, arguments: tuple[str, ...], code: str, told: str
) -> None:
    done = buzzflow("explain", "cache", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"error[{code}]" in done.stderr
    assert told in done.stderr


def test_the_words_of_explain_go_together(buzzflow: Buzzflow, cached: Path) -> None:
    assert buzzflow("explain", "cache").returncode == 2
    assert buzzflow("explain", ".", "steps.train.type", "--run", "last").returncode == 2
    assert buzzflow("explain", ".", "steps.train.type").returncode == 0


# ------------------------------------------------------------------ parts


def test_from_runs_a_step_and_all_after_it(buzzflow: Buzzflow, project: Path) -> None:
    buzzflow(*LOCAL, "-p", "rows=7")
    done = buzzflow(*LOCAL, "--from", "evaluate")
    assert done.returncode == 0, done.stderr
    found = states(project)
    assert (found["extract"], found["train"], found["evaluate"]) == ("cached", "cached", "succeeded")
    assert f"extract: kept from run {runs(project)[0].name}" in done.stdout
    assert "gate: 0.7 >= 0.5: yes" in done.stdout


def test_only_runs_nothing_else(buzzflow: Buzzflow, project: Path) -> None:
    buzzflow(*LOCAL)
    buzzflow(*LOCAL, "--only", "train", "--only", "extract")
    assert states(project) == {
        "extract": "succeeded", "train": "succeeded", "evaluate": "skipped", "gate": "skipped", "reject": "skipped"
    }  # fmt: skip
    assert manifest(runs(project)[-1])["steps"]["evaluate"]["reason"] == "not asked for"
    buzzflow(*LOCAL, "--only", "evaluate")  # its model is of the last run that made one
    assert f"/{runs(project)[1].name}/" in manifest(runs(project)[-1])["steps"]["train"]["left"]["properties"]["model"]


def test_a_named_step_runs_although_it_is_cached(buzzflow: Buzzflow, cached: Path) -> None:
    buzzflow(*LOCAL)
    buzzflow(*LOCAL, "--from", "train")
    assert whys(cached) == {"extract": "kept", "train": "forced"}


@pytest.mark.parametrize("option", ["--from", "--only"])
def test_results_that_are_nowhere_are_told_at_once(buzzflow: Buzzflow, project: Path, option: str) -> None:
    done = buzzflow(*LOCAL, option, "evaluate")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[BF551]: evaluate cannot run: results of extract, train are needed" in done.stderr
    assert f"{option} extract {option} train {option} evaluate" in done.stderr
    assert not (project / ".buzzflow").exists()


def test_a_step_that_is_not_there_and_options_that_exclude_each_other(buzzflow: Buzzflow, project: Path) -> None:
    done = buzzflow(*LOCAL, "--only", "trian")
    assert done.returncode == 1
    assert "error[BF550]: the pipeline has no step 'trian'\n  help: did you mean 'train'?" in done.stderr
    assert buzzflow(*LOCAL, "--only", "train", "--from", "train").returncode == 2
    assert buzzflow("create", "--only", "train").returncode == 2
    assert buzzflow("create", "--force").returncode == 2


# ------------------------------------------------------------------ resume


def test_a_failed_run_goes_on_with_the_code_that_it_had(buzzflow: Buzzflow, project: Path) -> None:
    (project / "evaluate.py").write_text("import sys\nsys.exit('not today')\n")
    assert buzzflow(*LOCAL, "-p", "rows=7").returncode == 4
    failed = runs(project)[0].name
    for name in ("extract.py", "train.py", "evaluate.py", "pipeline.yaml"):
        (project / name).unlink()  # a run is resumed without them
    done = buzzflow("resume", failed)
    assert done.returncode == 4
    assert states(project) == {
        "extract": "cached", "train": "cached", "evaluate": "failed", "gate": "skipped", "reject": "skipped"
    }  # fmt: skip
    assert "not today" in done.stderr
    found = manifest(runs(project)[-1])
    assert (found["resumed"], found["parameters"]["rows"]) == (failed, 7)
    assert found["steps"]["train"]["cache"] == {"why": "kept", "run": failed, "fields": {}, "changed": []}


def test_new_code_goes_on_with_the_pipeline_as_it_is(buzzflow: Buzzflow, project: Path) -> None:
    right = (project / "evaluate.py").read_text()
    (project / "evaluate.py").write_text("import sys\nsys.exit('not today')\n")
    buzzflow(*LOCAL, "-p", "rows=7")
    (project / "evaluate.py").write_text(right)
    done = buzzflow("resume", "--local", "--new-code", "-p", "min_score=0.9")
    assert done.returncode == 4
    assert "score 0.7 is below 0.9" in done.stderr
    assert states(project)["train"] == "cached"
    done = buzzflow("resume", "last", "--from", "evaluate", "--param", "min_score=0.1")
    assert done.returncode == 0, done.stderr
    assert "gate: 0.7 >= 0.1: yes" in done.stdout


def test_what_cannot_be_resumed_is_told(buzzflow: Buzzflow, project: Path) -> None:
    assert "error[BF510]: pipeline.yaml has not run on this machine" in buzzflow("resume", "--local").stderr
    buzzflow(*LOCAL, "-p", "rows=7")
    done = buzzflow("resume", "--local")
    assert done.returncode == 1
    assert re.search(r"error\[BF552\]: run \S+ has succeeded: there is nothing to resume", done.stderr)
    assert buzzflow("resume", "last", "--param", "rows=8").returncode == 2
    assert buzzflow("resume", "last", "--region", "eu-west-1").returncode == 2
    (runs(project)[-1] / "request.json").unlink()
    assert "error[BF553]" in buzzflow("reproduce", "last").stderr


SLEEPS = """\
name: small
steps:
  first: {type: processing, image: python:3.11, code: first.py, outputs: [data]}
  second: {type: processing, image: python:3.11, code: second.py, inputs: {data: "${step:first.outputs.data}"}}
"""
FIRST = 'import os, pathlib\npathlib.Path(os.environ["BUZZFLOW_OUTPUT_DATA"], "a").write_text("1")\n'
SECOND = 'import os, pathlib, time\nif not pathlib.Path("FLAG").exists():\n    time.sleep(60)\n'


@pytest.fixture
def killed(tmp_path: Path, project: Path, command: str) -> Iterator[Path]:
    """A run whose second step was running when all of it was killed."""
    (project / "pipeline.yaml").write_text(SLEEPS)
    (project / "first.py").write_text(FIRST)
    (project / "second.py").write_text(SECOND.replace("FLAG", str(tmp_path / "flag")))
    process = subprocess.Popen(
        [command, *LOCAL], cwd=project, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    give_up = time.monotonic() + 30
    while not (project / ".buzzflow/runs").exists() or states(project).get("second") != "running":
        assert time.monotonic() < give_up
        time.sleep(0.05)
    yield project
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_killed_run_can_be_resumed_and_a_living_one_not(killed: Path, tmp_path: Path, buzzflow: Buzzflow) -> None:
    done = buzzflow("resume", "last")
    assert "error[BF552]" in done.stderr
    assert "has not ended" in done.stderr
    pid = int(manifest(runs(killed)[0])["owner"].partition(":")[0])
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    (tmp_path / "flag").touch()
    done = buzzflow("resume", "last")
    assert done.returncode == 0, done.stderr
    assert states(killed) == {"first": "cached", "second": "succeeded"}
