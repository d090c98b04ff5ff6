"""One container step: its log, its metrics, what it leaves, and why it failed."""

from __future__ import annotations

import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from buzzflow.backends.local import plan
from buzzflow.backends.local.evaluate import Known
from buzzflow.backends.local.events import Event, State, StepFinished, StepLine
from buzzflow.backends.local.executor import End, Outcome, Setting, Task
from buzzflow.backends.local.request.request import RunRequest
from buzzflow.backends.local.steps.job import run_step
from buzzflow.backends.local.steps.results import Left, StepPlace
from buzzflow.backends.printable import printable
from buzzflow.metrics import Usage

Act = Callable[[Path, Callable[[bytes], None]], int]


class StandIn:
    """An executor that calls *act* with the step's /opt/ml and its log."""

    name, notes = "stand-in", ()

    def __init__(self, act: Act) -> None:
        self.act = act
        self.task: Task | None = None

    def prepare(self, *_: object) -> None: ...

    def run(self, task: Task, log: Callable[[bytes], None], stop: threading.Event) -> Outcome:
        self.task = task
        folder = next(m.source for m in task.mounts if m.target == "/opt/ml")
        return Outcome(End.EXITED, self.act(folder, log), Usage(0.1))

    def close(self) -> None: ...


class Steps:
    """Runs one step in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []

    def __call__(self, step: plan.ProcessingStep | plan.TrainingStep, act: Act) -> tuple[StepFinished, Left, Task]:
        made = plan.RunPlan(pipeline="delays", prefix="s3://buzzflow-local/delays/", steps=[step])
        request = RunRequest("r1", made, {}, self.folder / "state", self.folder / "project")
        executor = StandIn(act)
        known = Known({}, {"id": "r1"})
        done, left = run_step(StepPlace(step, request, known), Setting("img"), executor, self._take, threading.Event())
        assert executor.task is not None
        return done, left, executor.task

    def _take(self, event: Event) -> None:
        assert isinstance(event, StepLine)
        self.lines.append(event.line)


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    return Steps(tmp_path)


def processing(**fields: Any) -> plan.ProcessingStep:
    return plan.ProcessingStep(name="extract", container=plan.Container(image="img", **fields))


def training(**fields: Any) -> plan.TrainingStep:
    outputs = [plan.Output(name="model", path="/opt/ml/model", to=fields.pop("to", None))]
    container = plan.Container(image="img", outputs=outputs, training=plan.Training(**fields))
    return plan.TrainingStep(name="train", container=container)


def says(*parts: bytes, code: int = 0) -> Act:
    def act(_folder: Path, log: Callable[[bytes], None]) -> int:
        for part in parts:
            log(part)
        return code

    return act


# ------------------------------------------------------------------ the log


def test_a_log_is_kept_as_it_is_and_told_by_lines(steps: Steps) -> None:
    done, _, _ = steps(processing(), says(b"on", b"e\ntw\xc3", b"\xa4o\n\xff\nno end"))
    assert steps.lines == ["one", "twäo", "\ufffd", "no end"]
    assert done.log is not None
    assert done.log.read_bytes() == b"one\ntw\xc3\xa4o\n\xff\nno end"


def test_a_line_cannot_move_the_readers_cursor(steps: Steps) -> None:
    steps(processing(), says(b"\x1b[31mred\x1b[0m\x1b]0;title\x07\x08\x7f \x1b[2Jend\n", b"10%\r50%\r100%\r\n"))
    assert steps.lines == ["red end", "100%"]


@pytest.mark.parametrize("text", ["\x9b31mred", "a\u202eb", "\x1b", "\x85", "\u2028", "a\ud800b"])
def test_no_control_character_is_printed(text: str) -> None:
    assert all(c.isprintable() for c in printable(text))


def test_a_line_without_end_is_cut(steps: Steps) -> None:
    steps(processing(), says(b"x" * 100_000, b"\n"))
    assert max(map(len, steps.lines)) == 2_000
    assert steps.lines[0].endswith("…")


def test_a_failed_step_tells_its_last_thirty_lines(steps: Steps) -> None:
    done, _, _ = steps(processing(), says(*(f"line {n}\n".encode() for n in range(50)), code=3))
    assert done.state is State.FAILED
    assert done.exit_code == 3
    assert done.tail == tuple(f"line {n}" for n in range(20, 50))


def test_a_step_that_succeeded_tells_no_tail(steps: Steps) -> None:
    assert steps(processing(), says(b"line\n"))[0].tail == ()


# ------------------------------------------------------------------ metrics


def test_the_last_match_of_a_metric_wins(steps: Steps) -> None:
    step = training(
        metrics={"auc": r"auc=([0-9.]+)", "loss": r"loss=(\S+)", "never": "never=(.*)", "whole": "[0-9]{4}"}
    )
    done, left, _ = steps(step, says(b"auc=0.5 loss=high\n", b"auc=0.75\nauc=. loss=1e-3 2026\n"))
    assert done.result == "auc=0.75 loss=0.001 whole=2026"
    values = {word: value for (_, word), value in left.properties.items() if word.startswith("metrics.")}
    assert values == {"metrics.auc": 0.75, "metrics.loss": 0.001, "metrics.whole": 2026}


def test_a_metric_is_found_behind_colours(steps: Steps) -> None:
    _, left, _ = steps(training(metrics={"auc": r"auc=([0-9.]+)"}), says(b"auc=\x1b[1m0.5\x1b[0m\n"))
    assert left.properties["train", "metrics.auc"] == 0.5


# ------------------------------------------------------------------ what it leaves


@pytest.mark.parametrize("to", [None, "s3://kept/models", "s3://kept/models/"])
def test_a_model_is_packed_where_the_service_puts_it(to: str | None, steps: Steps, tmp_path: Path) -> None:
    def act(folder: Path, _log: object) -> int:
        (folder / "model" / "m.bin").write_text("model")
        (folder / "output" / "data" / "plot.png").write_text("plot")
        return 0

    _, left, task = steps(training(to=to), act)
    base = "s3://buzzflow-local/delays/r1/train/model/" if to is None else "s3://kept/models/"
    assert left.properties["train", "model"] == f"{base}r1-train/output/model.tar.gz"
    assert left.properties["train", "output_uri"] == base
    assert left.properties["train", "job_name"] == task.environment["TRAINING_JOB_NAME"] == "r1-train"
    state = tmp_path / "state"
    root = state / "runs" / "r1" / "outputs" / "train" / "model" if to is None else state / "s3" / "kept" / "models"
    with tarfile.open(root / "r1-train" / "output" / "model.tar.gz") as tar:
        assert tar.getnames() == ["m.bin"]
    with tarfile.open(root / "r1-train" / "output" / "output.tar.gz") as tar:
        assert tar.getnames() == ["plot.png"]


def test_a_failed_step_leaves_nothing(steps: Steps, tmp_path: Path) -> None:
    def act(folder: Path, _log: object) -> int:
        (folder / "model" / "m.bin").write_text("half")
        return 1

    _, left, _ = steps(training(), act)
    assert left == Left()
    assert not (tmp_path / "state" / "runs" / "r1" / "outputs").exists()


# ------------------------------------------------------------------ why it failed


def test_the_last_line_of_a_failed_step_is_its_reason(steps: Steps) -> None:
    assert steps(processing(), says(b"a\nKeyError: 'x'\n\n", code=1))[0].reason == "exit code 1: KeyError: 'x'"


def test_what_a_step_says_of_its_failure_is_told(steps: Steps) -> None:
    def act(folder: Path, _log: object) -> int:
        (folder / "output" / "failure").write_text("no rows for this day\nmore\n")
        return 1

    assert steps(processing(), act)[0].reason == "exit code 1; it says: no rows for this day"


def test_what_a_step_says_of_its_failure_cannot_move_the_readers_cursor(steps: Steps) -> None:
    def act(folder: Path, _log: object) -> int:
        (folder / "output" / "failure").write_text("\x1b[2Jno rows\x07")
        return 1

    assert steps(processing(), act)[0].reason == "exit code 1; it says: no rows"


@pytest.mark.parametrize("module", ["helper.py", "helper/__init__.py"])
def test_a_module_of_the_project_that_did_not_travel_gets_a_hint(module: str, steps: Steps, tmp_path: Path) -> None:
    file = tmp_path / "project" / module
    file.parent.mkdir(parents=True)
    file.write_text("")
    told = says(b"Traceback\n", b"ModuleNotFoundError: No module named 'helper.deep'\n", code=1)
    reason = steps(processing(), told)[0].reason
    name = module.partition("/")[0]
    assert reason == (
        "exit code 1: ModuleNotFoundError: No module named 'helper.deep'; "
        f"{name} is in the project, but nothing that the step imports names it: add it to code.include"
    )


def test_a_module_that_is_nowhere_in_the_project_may_be_a_package(steps: Steps) -> None:
    told = says(b"ModuleNotFoundError: No module named 'pandas'\n", code=1)
    reason = "exit code 1: ModuleNotFoundError: No module named 'pandas'"
    hint = "if pandas is a package of an index, add it to requirements.txt beside the script"
    assert steps(processing(), told)[0].reason == f"{reason}; {hint}"


def test_a_step_that_writes_nothing_is_warned_about(steps: Steps) -> None:
    done = steps(processing(outputs=[plan.Output(name="train", path="/opt/ml/processing/output/train")]), says(b""))[0]
    assert (done.state, done.warnings) == (
        "succeeded",
        ("it left nothing as output 'train': /opt/ml/processing/output/train is empty",),
    )
