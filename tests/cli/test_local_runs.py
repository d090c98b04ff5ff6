"""`create --local=process` through the real command: what runs, what is shown, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from fcntl import ioctl
from pathlib import Path

import pytest

Buzzflow = Callable[..., subprocess.CompletedProcess[str]]
RUN = r"\d{8}-\d{6}-[0-9a-f]{4}"
LOCAL = ("create", "--local=process")


def test_a_run_that_succeeds_exits_0_and_ends_with_its_verdict(buzzflow: Buzzflow, project: Path) -> None:
    done = buzzflow(*LOCAL, "--param", "rows=7")
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()[2:7]}
    assert rows == {
        "extract": "succeeded",
        "train": "succeeded",
        "evaluate": "succeeded",
        "gate": "succeeded",
        "reject": "skipped",
    }
    assert "\ntrain: rows=7\n" in done.stdout
    assert "\ngate: 0.7 >= 0.5: yes\n" in done.stdout
    last = done.stdout.splitlines()[-1]
    match = re.fullmatch(rf"run ({RUN}) succeeded in [0-9.]+ s  \.buzzflow/runs/({RUN})", last)
    assert match
    assert match[1] == match[2]
    manifest = json.loads((project / ".buzzflow" / "runs" / match[1] / "manifest.json").read_text())
    assert manifest["parameters"] == {"rows": 7, "min_score": 0.5}


def test_a_fail_step_exits_4_with_its_message(buzzflow: Buzzflow) -> None:
    done = buzzflow(*LOCAL)
    assert done.returncode == 4
    assert "step reject failed: score 0.3 is below 0.5\n" in done.stderr
    assert re.search(rf"\nrun {RUN} failed in ", done.stdout)


def test_a_step_that_fails_exits_4_with_reason_last_lines_and_log(buzzflow: Buzzflow, project: Path) -> None:
    done = buzzflow(*LOCAL, "-p", "rows=0")
    assert done.returncode == 4
    screen = done.stderr[done.stderr.index("step train failed") :]
    reason, tail, log = screen.splitlines()
    assert reason == "step train failed: exit code 1: there are no rows"
    assert tail == "  | there are no rows"
    match = re.fullmatch(rf"  log: (\.buzzflow/runs/{RUN}/steps/train/log\.txt)", log)
    assert match
    assert (project / match[1]).read_text() == "there are no rows\n"
    assert "evaluate: skipped (train failed)\n" in done.stderr


def test_a_run_is_told_as_json(buzzflow: Buzzflow) -> None:
    done = buzzflow(*LOCAL, "--json", "--param", "rows=9")
    told = json.loads(done.stdout)
    assert (done.returncode, told["state"]) == (0, "succeeded")
    assert told["steps"]["train"]["result"] == "rows=9"
    assert told["steps"]["train"]["wall_seconds"] > 0


def test_a_second_run_of_the_project_works_and_leaves_the_first(buzzflow: Buzzflow, project: Path) -> None:
    codes = [buzzflow(*LOCAL, "--param", f"rows={n}").returncode for n in (3, 7)]
    assert codes == [4, 0]
    assert len(list((project / ".buzzflow" / "runs").iterdir())) == 2


def test_set_changes_what_runs(buzzflow: Buzzflow) -> None:
    assert buzzflow(*LOCAL, "--set", "parameters.rows.default=8").returncode == 0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("rows=many", "error[BF500]: --param rows: 'many' is not a whole number"),
        ("row=1", "error[BF500]: there is no parameter 'row'"),
        ("rows", "error[BF500]: --param rows: a name, = and a value are needed"),
    ],
)
def test_a_wrong_parameter_exits_1_and_writes_nothing(given: str, told: str, buzzflow: Buzzflow, project: Path) -> None:
    done = buzzflow(*LOCAL, "--param", given)
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert not (project / ".buzzflow").exists()


def test_missing_data_is_told_before_anything_runs(buzzflow: Buzzflow, project: Path) -> None:
    done = buzzflow(*LOCAL, "--set", "steps.extract.inputs.raw=s3://raw/day/")
    assert done.returncode == 1
    assert "error[BF501]: there is no data for s3://raw/day/ on this machine" in done.stderr
    assert not (project / ".buzzflow").exists()


def test_the_local_layer_names_sample_data(buzzflow: Buzzflow, project: Path) -> None:
    (project / "sample").mkdir()
    layer = project / "pipeline.local.yaml"
    layer.write_text("local: {data: {s3://raw/day: sample}}\n")
    more = ("--param", "rows=7", "--set", "steps.extract.inputs.raw=s3://raw/day/")
    assert buzzflow(*LOCAL, *more).returncode == 0
    layer.write_text("local: {data: {s3://raw/day: absent}}\n")
    done = buzzflow(*LOCAL, *more)
    assert done.returncode == 1
    assert "error[BF504]: there is no file or folder absent\n  --> pipeline.local.yaml:1:" in done.stderr


# ------------------------------------------------------------------ Docker that is not there


def test_docker_that_is_asked_for_and_does_not_answer_is_told(buzzflow: Buzzflow) -> None:
    done = buzzflow("create", "--local=docker", DOCKER_HOST="unix:///nonexistent")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error[BF502]: ")
    assert "DOCKER_HOST=unix:///nonexistent" in done.stderr
    assert "help: start Docker, or use --local=process" in done.stderr


def test_without_docker_steps_run_as_processes_and_one_line_says_so(buzzflow: Buzzflow) -> None:
    done = buzzflow("create", "--local", "--param", "rows=7", DOCKER_HOST="unix:///nonexistent")
    assert done.returncode == 0
    told = [line for line in done.stderr.splitlines() if line.endswith("steps run as processes of this machine")]
    assert len(told) == 1
    assert "(process)" in done.stderr


# ------------------------------------------------------------------ a pipe and a terminal


def test_a_pipe_gets_plain_lines(buzzflow: Buzzflow) -> None:
    done = buzzflow(*LOCAL, "--param", "rows=7", TERM="xterm-256color")
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert "train: started" in lines
    assert "train | rows=7" in lines
    assert any(re.fullmatch(r"train: succeeded in [0-9.]+ s \(rows=7\)", line) for line in lines)


def test_a_terminal_of_80_columns_gets_a_live_view(project: Path, command: str) -> None:
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "CI", "COLUMNS", "LINES")}
    process = subprocess.Popen(
        [command, *LOCAL, "--param", "rows=7"],
        cwd=project,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=kept | {"TERM": "xterm-256color"},
    )
    os.close(theirs)
    screen = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the last one with the terminal has closed it
            break
        if not part:
            break
        screen += part
    os.close(ours)
    assert process.wait(10) == 0
    text = screen.decode()
    assert "\x1b[?25l" in text  # the cursor is hidden while the rows are redrawn
    assert "\x1b[?25h" in text.rpartition("\x1b[?25l")[2]  # and comes back
    assert "✓" in text
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    assert max(len(line) for part in plain.split("\r") for line in part.split("\n")) <= 80
    assert re.search(rf"run {RUN} succeeded in", plain)


# ------------------------------------------------------------------ interrupts

SLEEPS = """\
name: sleeps
defaults: {image: docker.io/library/python:3.11}
steps:
  one: {type: processing, code: sleep.py}
  two: {type: processing, code: sleep.py}
  after: {type: processing, code: sleep.py, depends_on: [one]}
"""
SLEEP = """\
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(333.25)"])
print("sleeping", flush=True)
time.sleep(333.25)
"""


def sleeping() -> set[str]:
    """Return the processes that the sleeping steps started, and that still run."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"333.25" in (process / "cmdline").read_bytes() or b"sleep.py" in (process / "cmdline").read_bytes():
                found.add(process.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_run_within_five_seconds_and_leaves_no_process(
    number: signal.Signals, tmp_path: Path, make_project: Callable[..., Path], command: str
) -> None:
    before = sleeping()
    folder = make_project(tmp_path / "sleeps", pipeline=SLEEPS, **{"sleep.py": SLEEP})
    process = subprocess.Popen(
        [command, *LOCAL, "--jobs", "2"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    seen = ""
    while seen.count(" | sleeping") < 2:
        line = process.stderr.readline()
        assert line, seen
        seen += line
    begun = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - begun < 5
    assert process.returncode == 130
    assert f"stopping ({number.name}); once more to end at once" in err
    assert [line.split()[:2] for line in out.splitlines()[2:5]] == [
        ["one", "stopped"],
        ["two", "stopped"],
        ["after", "skipped"],
    ]
    assert re.search(rf"\nrun {RUN} stopped in ", out)
    assert sleeping() - before == set()


def test_a_file_in_place_of_the_state_folder_is_told(buzzflow: Buzzflow, project: Path) -> None:
    (project / ".buzzflow").write_text("")
    done = buzzflow(*LOCAL)
    assert done.returncode == 1
    assert "error[BF50" in done.stderr  # BF505, or BF502 when an executor meets it first
    assert "Traceback" not in done.stderr


def test_a_value_of_local_may_stand_apart(buzzflow: Buzzflow) -> None:
    assert "(process)" in buzzflow("create", "--local", "process").stderr


def test_a_dry_run_takes_no_parameters(buzzflow: Buzzflow) -> None:
    done = buzzflow("create", "--dry-run", "--param", "rows=7")
    assert done.returncode == 2
    assert "a dry run starts nothing" in done.stderr
