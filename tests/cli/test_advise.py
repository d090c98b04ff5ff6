"""`advise` on a real run: what fits, what is left open, and the lines after `create --local`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Buzzflow = Callable[..., subprocess.CompletedProcess[str]]
LOCAL = ("create", "--local=process")
WORKING = """\
import os, pathlib, time
held = bytearray(b"x" * 100_000_000)
began = time.monotonic()
while time.monotonic() - began < 1.3:
    pass
pathlib.Path(os.environ["BUZZFLOW_OUTPUT_DATA"], "rows.txt").write_text("x")
"""
PIPELINE = """\
name: sizes
parameters: {day: 2}
defaults:
  image: docker.io/library/python:3.11
  instance: {type: ml.m5.4xlarge}   # all of them
steps:
  extract:
    type: processing
    code: extract.py
    inputs: {raw: s3://raw/day/}
    outputs: [data]
  load:
    type: processing
    code: load.py
    inputs: {data: "${step:extract.outputs.data}"}
    instance: {type: ml.t3.medium}   # small
  gate: {type: condition, if: "${param:day} == 1", then: [end]}
  end: {type: fail, message: it is the first}
"""


@pytest.fixture
def project(tmp_path: Path, make_project: Callable[..., Path]) -> Path:
    files = {"pipeline": PIPELINE, "extract.py": WORKING, "load.py": "print(1)\n"}
    folder = make_project(tmp_path / "sizes", **files)
    (folder / "sample").mkdir()
    (folder / "sample" / "rows.csv").write_bytes(b"1\n" * 2**20)
    (folder / "pipeline.local.yaml").write_text("local: {data: {s3://raw/day: sample}}\n")
    return folder


@pytest.fixture
def ran(buzzflow: Buzzflow) -> subprocess.CompletedProcess[str]:
    done = buzzflow(*LOCAL)
    assert done.returncode == 0, done.stderr
    return done


def test_a_run_ends_with_a_line_where_another_instance_would_do(ran: subprocess.CompletedProcess[str]) -> None:
    [line] = [line for line in ran.stdout.splitlines() if "ml.m5.4xlarge" in line]
    assert line.startswith("extract: ")
    assert " of ml.m5.4xlarge: ml." in line
    assert line.endswith(" % cheaper")
    assert len(line) <= 80
    assert "\nwith sample data; more: buzzflow advise\n" in ran.stdout


def test_a_run_as_json_has_the_advice(buzzflow: Buzzflow) -> None:
    steps = json.loads(buzzflow(*LOCAL, "--json").stdout)["steps"]
    assert steps["extract"]["advice"]["verdict"] == "cheaper"
    assert steps["extract"]["advice"]["sample_data"] == {"raw": 2 * 2**20}
    assert steps["load"]["advice"]["confidence"] == "low"
    assert steps["gate"]["advice"] is None


@pytest.mark.usefixtures("ran")
def test_each_step_is_told_what_fits_it_and_what_is_unknown(buzzflow: Buzzflow) -> None:
    done = buzzflow("advise")
    assert done.returncode == 0, done.stderr
    extract, load, *_ = done.stdout.split("\n\n")
    assert extract.startswith("extract  ml.")
    assert "fits, " in extract.splitlines()[0]
    assert "cheaper than ml.m5.4xlarge  (medium confidence)" in extract
    assert "measured with sample data (2 MiB): memory and time grow with the data" in extract
    assert "30 % more, and 0.5 GiB for the instance itself" in extract
    assert load.startswith("load  ml.t3.medium is right  (low confidence)\n")
    assert "comes after sample data (in extract)" in load
    assert "prices: on demand, of " in done.stdout
    assert ", in us-east-1, as no region is known" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.usefixtures("ran")
def test_the_region_is_that_of_the_environment(buzzflow: Buzzflow, project: Path) -> None:
    (project / "environment.yaml").write_text("name: research\nregion: eu-west-1\n")
    assert ", in us-east-1, for want of those of eu-west-1" in buzzflow("advise").stdout
    assert "as no region\n" not in buzzflow("advise", "--region", "us-east-1").stdout


@pytest.mark.usefixtures("ran")
def test_advice_as_json_has_one_step_and_the_margin(buzzflow: Buzzflow, project: Path) -> None:
    run = next((project / ".buzzflow" / "runs").iterdir()).name
    told = json.loads(buzzflow("advise", run[-4:], "--step", "extract", "--margin", "100%", "--json").stdout)
    assert (told["run"], told["pipeline"], told["margin"]) == (run, "sizes", 1.0)
    step = told["steps"]["extract"]
    gib = step["used"]["memory_bytes"] / 2**30
    assert step["need"]["memory_gib"] == pytest.approx(2 * gib + 0.5)
    assert [*told["steps"]] == ["extract"]
    assert len(step["others"]) == 2


@pytest.mark.usefixtures("ran")
def test_what_is_wrong_is_told(buzzflow: Buzzflow) -> None:
    step = buzzflow("advise", "--step", "extrac")
    assert (step.returncode, step.stdout) == (1, "")
    assert "error[BF512]: run " in step.stderr
    assert "help: did you mean 'extract'?" in step.stderr
    run = buzzflow("advise", "nothing")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("error[BF510]: there is no run 'nothing'\n")
    margin = buzzflow("advise", "--margin", "much")
    assert margin.returncode == 2
    assert buzzflow("advise", "--step", "gate").stdout == "gate  no advice: it asks for no machine\n"


def test_before_the_first_run_the_command_says_how_to_make_one(buzzflow: Buzzflow) -> None:
    done = buzzflow("advise")
    assert done.returncode == 1
    assert "error[BF510]: pipeline.yaml has not run on this machine\n" in done.stderr
    assert "help: run it: buzzflow create --local pipeline.yaml" in done.stderr


# ------------------------------------------------------------------ --apply


@pytest.mark.usefixtures("ran")
def test_what_fits_is_written_into_the_step_and_defaults_stay(buzzflow: Buzzflow, project: Path) -> None:
    before = (project / "pipeline.yaml").read_text().splitlines()
    done = buzzflow("advise", "--apply")
    assert done.returncode == 0, done.stderr
    after = (project / "pipeline.yaml").read_text().splitlines()
    [new] = [line for line in after if line not in before]
    assert new.startswith("    instance: {type: ml.")
    assert after[after.index(new) - 1] == "    type: processing"
    assert [line for line in after if line != new] == before
    assert done.stdout.startswith("--- pipeline.yaml\n+++ pipeline.yaml\n@@ ")
    assert f"\n+{new}\n" in done.stdout
    assert "\nload: not changed: ml.t3.medium stays\n" in done.stdout
    assert "\nwrote pipeline.yaml: extract asks for ml." in done.stdout
    assert buzzflow("validate").returncode == 0
    again = buzzflow("advise", "--apply")
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, "pipeline.yaml is as it was")


@pytest.mark.usefixtures("ran")
def test_a_chosen_type_counts_before_the_advice(buzzflow: Buzzflow, project: Path) -> None:
    told = json.loads(buzzflow("advise", "--apply", "--choose", "load=ml.c5.xlarge", "--step", "load", "--json").stdout)
    assert (told["changes"], told["written"], told["diagnostics"]) == ({"load": "ml.c5.xlarge"}, True, [])
    assert "    instance: {type: ml.c5.xlarge}   # small\n" in (project / "pipeline.yaml").read_text()


@pytest.mark.usefixtures("ran")
def test_what_cannot_be_chosen_is_told(buzzflow: Buzzflow, project: Path) -> None:
    before = (project / "pipeline.yaml").read_text()
    assert "error[BF405]" in buzzflow("advise", "--apply", "--choose", "load=ml.c5.lrge").stderr
    assert "error[BF512]" in buzzflow("advise", "--apply", "--choose", "lode=ml.c5.xlarge").stderr
    assert buzzflow("advise", "--apply", "--choose", "load").returncode == 2
    assert buzzflow("advise", "--choose", "load=ml.c5.xlarge").returncode == 2
    assert (project / "pipeline.yaml").read_text() == before


@pytest.mark.usefixtures("ran")
def test_a_step_that_cannot_be_changed_exits_1(buzzflow: Buzzflow, project: Path) -> None:
    file = project / "pipeline.yaml"
    file.write_text(file.read_text().replace("{type: ml.m5.4xlarge}", "{type: ml.m5.large}"))
    done = buzzflow("advise", "--apply")
    assert done.returncode == 1
    assert "error[BF513]: step 'extract' asked for ml.m5.4xlarge in the run" in done.stderr
    assert "--> pipeline.yaml:" in done.stderr
    file.unlink()
    assert "error[BF514]: the file of pipeline 'sizes' is not there any more" in buzzflow("advise", "--apply").stderr
