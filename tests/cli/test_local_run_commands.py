"""`runs`, `report` and `logs` of runs on this machine, through the real command."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from buzzflow.backends.local.events import State
from buzzflow.backends.local.records.manifest import LeftRecord, read_manifest, write_manifest
from tests.views.report.made import failed, good, make_run

Buzzflow = Callable[..., subprocess.CompletedProcess[str]]
GOOD, BAD, DEAD = "20261120-101500-3f9a", "20261121-101500-fa11", "20261122-101500-dead"


@pytest.fixture
def runs(project: Path) -> Path:
    """The folder of three runs: one that succeeded, one that failed, one that was killed."""
    folder = project / ".buzzflow" / "runs"
    make_run(folder / GOOD, good())
    make_run(folder / BAD, failed(), state=State.FAILED, pipeline="churn", parameters={"max_depth": 8})
    make_run(folder / DEAD, good()[:2], state="running", its_owner="999999:1")
    return folder


def rows(text: str) -> dict[str, list[str]]:
    lines = [line.split() for line in text.splitlines() if re.match(r"\d{8}-", line)]
    return {line[0]: line[1:] for line in reversed(lines)}


# ------------------------------------------------------------------ the list


def test_runs_are_listed_the_newest_first_with_what_they_found(runs: Path, buzzflow: Buzzflow) -> None:
    done = buzzflow("runs")
    assert done.returncode == 0, done.stderr
    found = rows(done.stdout)
    assert [*reversed(found)] == [DEAD, BAD, GOOD]
    assert found[GOOD][:2] == ["flight-delays", "succeeded"]
    assert found[DEAD][:2] == ["flight-delays", "killed"]
    assert "5/10, 1 failed" in done.stdout
    assert f"{GOOD}  train.auc 0.787, train.loss 0.1188, baseline.auc 0.702" in done.stdout
    assert done.stderr == "3 of 3 runs\n"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--state", "failed", "--state", "killed"), {BAD, DEAD}),
        (("churn",), {BAD}),
        (("list", "flight-delays", "--limit", "1"), {DEAD}),
        (("--metric", "auc>0.78"), {GOOD}),
        (("--since", "2026-11-21T00:00:00Z"), {GOOD, BAD, DEAD}),  # all made runs began on the 22nd
        (("--since", "2026-11-23T00:00:00Z"), set()),
        (("pipeline.yaml",), set()),
    ],
)
def test_filters_choose(arguments: tuple[str, ...], found: set[str], runs: Path, buzzflow: Buzzflow) -> None:
    done = buzzflow("runs", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert {run["run"] for run in json.loads(done.stdout)} == found


def test_a_run_as_data_has_all_that_the_list_has(runs: Path, buzzflow: Buzzflow) -> None:
    [run] = json.loads(buzzflow("runs", "--metric", "auc>0.7", "--state", "succeeded", "--json").stdout)
    assert run["pipeline"] == "flight-delays"
    assert run["parameters"] == {"run_date": "2026-11-21", "max_depth": 6}
    assert run["metrics"]["evaluate.report.auc"] == 0.7812
    assert run["steps"]["holidays"] == "cached"
    assert run["bytes"] > 10_000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--state", "odd"), "'odd' is not one of succeeded, failed"),
        (("--metric", "auc"), "'auc' is no condition"),
        (("--since", "soon"), "'soon' is no time"),
        (("prune",), "say what may stay: --keep, --older-than or --max-size"),
        (("prune", "--max-size", "much"), "'much' is no size"),
    ],
)
def test_wrong_usage_exits_2(arguments: tuple[str, ...], told: str, buzzflow: Buzzflow) -> None:
    done = buzzflow("runs", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in " ".join(done.stderr.split())


def test_where_nothing_has_run_the_list_says_what_to_do(buzzflow: Buzzflow) -> None:
    done = buzzflow("runs")
    assert (done.returncode, done.stdout) == (0, "")
    assert "buzzflow create --local" in done.stderr


# ------------------------------------------------------------------ two runs


def test_two_runs_are_compared(runs: Path, buzzflow: Buzzflow) -> None:
    done = buzzflow("runs", "compare", "3f9a", BAD)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    for line in (
        ["max_depth", "6", "8", "+2"],
        ["run_date", "2026-11-21", "-"],
        ["train.auc", "0.787", "-"],
        ["train", "succeeded", "failed"],
        ["train", "22", "s", "3.1", "s", "-86%"],
    ):
        assert line in lines
    assert ["extract-flights", "8.4", "s", "8.4", "s"] not in lines
    everything = buzzflow("runs", "compare", "3f9a", BAD, "--all").stdout
    assert ["extract-flights", "8.4", "s", "8.4", "s"] in [line.split() for line in everything.splitlines()]
    data = json.loads(buzzflow("runs", "compare", "3f9a", BAD, "--json").stdout)
    assert (data["left"], data["right"]) == (GOOD, BAD)
    assert {"section": "parameters", "name": "max_depth", "left": 6, "right": 8, "unit": None, "differs": True} in data[
        "rows"
    ]


def test_equal_runs_are_told_to_be_so(runs: Path, buzzflow: Buzzflow) -> None:
    done = buzzflow("runs", "compare", "3f9a", "3f9a")
    assert done.stdout.startswith("nothing differs")


# ------------------------------------------------------------------ less of them


def test_runs_are_deleted_when_that_is_confirmed(runs: Path, buzzflow: Buzzflow) -> None:
    refused = buzzflow("runs", "delete", BAD)
    assert refused.returncode == 1
    assert "error[BF640]" in refused.stderr
    assert (runs / BAD).exists()
    done = buzzflow("runs", "delete", BAD, "dead", "--yes")
    assert done.returncode == 0, done.stderr
    assert [run.name for run in runs.iterdir()] == [GOOD]


def test_a_run_that_another_uses_is_not_deleted(runs: Path, buzzflow: Buzzflow) -> None:
    manifest = read_manifest(runs / BAD)
    manifest.steps["holidays"].left = LeftRecord(addresses={"data": f"s3://b/flight-delays/{GOOD}/holidays/data/"})
    write_manifest(manifest, runs / BAD)
    done = buzzflow("runs", "delete", GOOD, "--yes", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["deleted"], told["stays"]) == ([], {GOOD: f"run {BAD} uses its results"})
    assert told["diagnostics"][0]["code"] == "BF521"
    assert (runs / GOOD).exists()


def test_prune_shows_then_deletes_what_is_beyond(runs: Path, buzzflow: Buzzflow) -> None:
    seen = buzzflow("runs", "prune", "--keep", "1", "--dry-run")
    assert (seen.returncode, len([*runs.iterdir()])) == (0, 3)
    assert "would be deleted: 2 runs, " in seen.stderr
    done = buzzflow("runs", "prune", "--keep", "1", "--older-than", "2026-01-01", "--yes")
    assert done.returncode == 0, done.stderr
    assert [run.name for run in runs.iterdir()] == [DEAD]
    assert "nothing to delete" in buzzflow("runs", "prune", "--max-size", "10GB").stderr


# ------------------------------------------------------------------ the report


def test_a_run_ends_with_its_report(buzzflow: Buzzflow, project: Path) -> None:
    done = buzzflow("create", "--local=process", "--param", "rows=7")
    match = re.search(r"^report: (\.buzzflow/runs/.*/report\.html)$", done.stdout, re.MULTILINE)
    assert match
    page = (project / match[1]).read_text("utf-8")
    assert "evaluate" in page
    assert page.startswith("<!doctype html>")


def test_a_report_that_cannot_be_written_is_a_warning(buzzflow: Buzzflow, project: Path) -> None:
    script = project / "evaluate.py"
    runs = f"pathlib.Path({str(project / '.buzzflow' / 'runs')!r})"
    in_the_way = f"import pathlib\n[run] = {runs}.iterdir()\n(run / 'report.html').mkdir()\n"
    script.write_text(in_the_way + script.read_text())
    done = buzzflow("create", "--local=process", "--param", "rows=7", "--json")
    assert done.returncode == 0, done.stderr
    assert "warning[BF520]: the report cannot be written" in done.stderr
    assert json.loads(done.stdout)["report"] is None


def test_report_writes_anew_for_a_run_that_was_killed(runs: Path, buzzflow: Buzzflow, project: Path) -> None:
    done = buzzflow("report", "dead")
    assert (done.returncode, done.stdout) == (0, f".buzzflow/runs/{DEAD}/report.html\n")
    assert "The run was killed" in (project / done.stdout.strip()).read_text("utf-8")
    done = buzzflow("report", GOOD, "--output", "mine.html", "--json")
    assert json.loads(done.stdout) == {"run": GOOD, "report": str(project / "mine.html")}
    assert not (runs / GOOD / "report.html").exists()


def test_report_tells_what_is_wrong(runs: Path, buzzflow: Buzzflow) -> None:
    assert "error[BF510]" in buzzflow("report", "ffff").stderr
    assert "error[BF520]" in buzzflow("report", GOOD, "--output", "absent/x.html").stderr


# ------------------------------------------------------------------ logs


def test_logs_of_a_run_on_this_machine_are_printed(runs: Path, buzzflow: Buzzflow) -> None:
    done = buzzflow("logs", "extract-flights", "--run", GOOD)
    assert (done.returncode, done.stdout) == (0, "read 336776 flights of 2013\nwrote 3 files\n")
    done = buzzflow("logs", "--run", GOOD, "--tail", "1")
    assert done.stdout.startswith("extract-flights | wrote 3 files\nextract-weather | one line\n")
    done = buzzflow("logs", "extract-flights", "--run", GOOD, "--json", "-n", "1", "--follow")
    assert json.loads(done.stdout) == {"step": "extract-flights", "message": "wrote 3 files"}


def test_logs_that_are_not_there_are_told(runs: Path, buzzflow: Buzzflow) -> None:
    done = buzzflow("logs", "holidays", "--run", GOOD)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "holidays has no log: it has not run\n")
    done = buzzflow("logs", "trian", "--run", GOOD)
    assert "error[BF523]: run 20261120-101500-3f9a has no step 'trian'\n  help: did you mean 'train'?" in done.stderr
    assert "error[BF510]" in buzzflow("logs", "--run", "20260101-000000-0000").stderr
    assert buzzflow("logs", "--run", GOOD, "--since", "1h").returncode == 2
