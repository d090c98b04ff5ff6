"""`reproduce` through the real command: from the run's folder alone, and what it says of the difference."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Buzzflow = Callable[..., subprocess.CompletedProcess[str]]
LOCAL = ("create", "--local=process", "-p", "rows=7")
CANARY = "hunter2-c4n4ry"
PRINTS = """
import random
report = {"score": 0.6 + random.random() / 100, "list": [1, {"a": "b"}], "time": __import__("time").time()}
pathlib.Path(os.environ["BUZZFLOW_OUTPUT_REPORT"], "metrics.json").write_text(json.dumps(report))
"""


def only_run(project: Path) -> Path:
    [run] = (project / ".buzzflow" / "runs").iterdir()
    return run


def manifest(run: Path) -> dict[str, Any]:
    return json.loads((run / "manifest.json").read_text())


def git(folder: Path, *arguments: str) -> None:
    own = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *own, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_run_is_done_again_without_the_files_that_it_came_from(
    buzzflow: Buzzflow, project: Path, tmp_path: Path
) -> None:
    buzzflow(*LOCAL)
    run = only_run(project)
    moved = tmp_path / "elsewhere" / "that-run"
    shutil.copytree(run, moved)
    shutil.rmtree(project / ".buzzflow")
    for file in project.iterdir():
        file.unlink() if file.is_file() else None
    done = buzzflow("reproduce", str(moved))
    assert done.returncode == 0, done.stderr
    assert re.search(r"^evaluate +succeeded +same ", done.stdout, re.MULTILINE)
    assert done.stdout.endswith(f"run {only_run(project).name} left the same as run {run.name}\n")
    assert manifest(only_run(project))["parameters"]["rows"] == 7


def test_what_differs_is_told_value_by_value(buzzflow: Buzzflow, project: Path) -> None:
    with (project / "evaluate.py").open("a") as file:
        file.write(PRINTS)
    buzzflow(*LOCAL)
    done = buzzflow("reproduce", "last")
    assert done.returncode == 5, done.stderr
    assert re.search(r"^evaluate +succeeded +1 of 1 differ ", done.stdout, re.MULTILINE)
    assert "\nevaluate: output report differs: metrics.json\n" in done.stdout
    assert re.search(
        r"^evaluate: report\.score: 0\.60\d+, now 0\.60\d+ \(0\.0\d+ apart, relative\)$", done.stdout, re.M
    )
    assert "differs from run" in done.stdout.splitlines()[-1]
    found = json.loads(buzzflow("reproduce", "last", "--json").stdout)
    assert found["same"] is False
    [evaluate] = [step for step in found["steps"] if not step["same"]]
    assert [value["name"] for value in evaluate["values"]] == ["report.score", "report.time"]
    assert evaluate["outputs"] == [{"name": "report", "files": ["metrics.json"]}]
    assert found["report"]["state"] == "succeeded"


def test_a_step_that_fails_now_is_a_failure(buzzflow: Buzzflow, project: Path, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    (project / "extract.py").write_text(f"open({str(flag)!r})\n" + (project / "extract.py").read_text())
    assert buzzflow(*LOCAL).returncode == 0
    flag.unlink()
    done = buzzflow("reproduce", "last")
    assert done.returncode == 4
    assert re.search(r"^extract +succeeded, now failed ", done.stdout, re.MULTILINE)


def test_sample_data_is_named_and_must_be_there(buzzflow: Buzzflow, project: Path) -> None:
    (project / "sample").mkdir()
    (project / "sample" / "a.txt").write_text("1")
    (project / "pipeline.local.yaml").write_text("local: {data: {s3://raw/day: sample}}\n")
    buzzflow(*LOCAL, "--set", "steps.extract.inputs.raw=s3://raw/day/")
    run = only_run(project)
    data = manifest(run)["provenance"]["data"]["extract.raw"]
    assert (data["source"], data["bytes"], data["files"]) == ("s3://raw/day/", 1, 1)
    (project / "sample" / "a.txt").write_text("2")
    done = buzzflow("reproduce", run.name)
    assert done.returncode == 0  # nothing reads it
    assert "extract: data of raw: " in done.stdout
    shutil.rmtree(project / "sample")
    done = buzzflow("reproduce", run.name)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        f"error[BF554]: run {run.name} read {project}/sample for s3://raw/day, and there is nothing now" in done.stderr
    )


def test_a_manifest_says_what_the_run_was_made_of(buzzflow: Buzzflow, project: Path) -> None:
    shutil.rmtree(project / ".git")
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "all")
    (project / "train.py").write_text((project / "train.py").read_text() + f"# password={CANARY}\nimport extra\n")
    (project / "extra.py").write_text("")
    buzzflow(*LOCAL)
    run = only_run(project)
    found = manifest(run)["provenance"]
    assert (run / found["resolved"]).read_text().startswith("name: small\n")
    assert found["git"]["changed"] == ["train.py"]
    assert [*found["git"]["untracked"]] == ["extra.py"]
    assert "+import extra\n" in (run / found["git"]["diff"]).read_text()
    assert re.fullmatch("[0-9a-f]{40}", found["git"]["commit"])
    assert found["git"]["branch"] == "main"
    assert found["platform"]["cores"] > 0
    [packages] = {image["packages"] for image in found["images"].values()}
    assert re.fullmatch(r"3\.\d+\.\d+.*", found["packages"][packages]["python"])


def test_no_secret_is_written_anywhere(buzzflow: Buzzflow, project: Path) -> None:
    shutil.rmtree(project / ".git")
    git(project, "init", "--quiet")
    (project / ".env").write_text("")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "all")
    (project / ".env").write_text(f"PASSWORD={CANARY}\n")
    text = (project / "pipeline.yaml").read_text()
    secret = "    secrets: {DB_PASSWORD: prod/db}\n    cache: 1d\n    code: extract.py"
    (project / "pipeline.yaml").write_text(text.replace("    code: extract.py", secret))
    done = buzzflow(*LOCAL, DB_PASSWORD=CANARY)
    assert done.returncode == 0, done.stderr
    buzzflow("reproduce", "last", DB_PASSWORD=CANARY)
    written = [file for file in (project / ".buzzflow").rglob("*") if file.is_file() and not file.is_symlink()]
    assert [file for file in written if CANARY.encode() in file.read_bytes()] == []


@pytest.mark.parametrize("file", ["run-plan.json", "request.json", "code"])
def test_a_folder_that_is_not_whole_is_told(buzzflow: Buzzflow, project: Path, file: str) -> None:
    buzzflow("create", "--local=process", "--param", "rows=0")  # fails soon
    path = only_run(project) / file
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    done = buzzflow("reproduce", "last")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[BF553]" in done.stderr
