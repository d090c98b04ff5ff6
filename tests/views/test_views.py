"""Figures and problems as people read them, and runs on a console."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from rich.console import Console

from buzzflow.backends.local.events import (
    Attempt,
    Notice,
    RunFinished,
    RunStarted,
    State,
    StepFinished,
    StepLine,
    StepRetried,
    StepStarted,
    Transfer,
)
from buzzflow.backends.local.run import Report
from buzzflow.diagnostics import Diagnostic, Severity, Span
from buzzflow.metrics import Usage
from buzzflow.views import figures, problems, summary
from buzzflow.views.progress import StepRows, _PlainView, progress


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")],
)
def test_a_duration_is_told_in_two_figures(seconds: float, told: str) -> None:
    assert figures.duration(seconds) == told


def test_memory_and_cores_are_told_or_a_dash() -> None:
    assert [figures.memory(n) for n in (None, 412 * 2**20, 1536 * 2**20)] == ["-", "412 MiB", "1.5 GiB"]
    assert [figures.cores(n) for n in (None, 0.934)] == ["-", "0.93"]


ERROR = Diagnostic("BF301", "there is no step 'a'", ("steps", "b", 0), "did you mean 'b'?", Span("p.yaml", 3, 5))
WARNING = Diagnostic("BF318", "no image", severity=Severity.WARNING)


def test_a_problem_is_told_with_its_line_and_a_mark() -> None:
    told = problems.human([ERROR, WARNING], lambda _span: "    a: 1")
    assert told == (
        "error[BF301]: there is no step 'a'\n  --> p.yaml:3:5\n  3 |     a: 1\n    |     ^\n"
        "  at: steps.b.0\n  help: did you mean 'b'?\n\nwarning[BF318]: no image"
    )
    assert problems.count([ERROR, ERROR, WARNING]) == "2 errors, 1 warning"


def test_of_a_long_line_the_part_around_the_mark_is_shown() -> None:
    line = "x" * 500 + "here" + "y" * 500
    at = Diagnostic("BF301", "wrong", span=Span("p.yaml", 1, 501))
    _, _, source, mark = problems.human([at], lambda _span: line).splitlines()
    assert len(source) < 180
    assert source[mark.index("^")] == "h"


def report(**events: StepFinished) -> Report:
    state = State.FAILED if any(e.state is State.FAILED for e in events.values()) else State.SUCCEEDED
    return Report("r1", Path("/state/runs/r1"), state, 3.2, events)


def printed(*things: object) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=100, highlight=False, markup=False, emoji=False)
    for thing in things:
        console.print(thing, soft_wrap=True)
    return stream.getvalue()


FAILED = StepFinished("bad", State.FAILED, Usage(1.5), reason="exit code 1: [bold]", tail=("[red]no",), exit_code=1)


def test_a_failure_is_told_as_it_is_with_brackets() -> None:
    assert printed(*summary.failures(report(bad=FAILED))) == "step bad failed: exit code 1: [bold]\n  | [red]no\n"


def test_a_table_has_a_row_for_each_step_and_says_what_conditions_chose() -> None:
    gate = StepFinished("gate", State.SUCCEEDED, result="1 > 0: yes")
    skipped = StepFinished("other", State.SKIPPED, reason="gate chose the other branch")
    told = printed(summary.table(report(bad=FAILED, gate=gate, other=skipped)))
    assert [line.split()[:2] for line in told.splitlines()[2:5]] == [
        ["bad", "failed"],
        ["gate", "succeeded"],
        ["other", "skipped"],
    ]
    assert told.endswith("\ngate: 1 > 0: yes\n")


def test_steps_that_did_not_run_are_told_by_what_began_it() -> None:
    next_one = StepFinished("next", State.SKIPPED, reason="bad failed")
    last = StepFinished("last", State.SKIPPED, reason="next was skipped, as bad failed")
    told = printed(summary.table(report(bad=FAILED, next=next_one, last=last)))
    assert told.endswith("\nskipped, as bad failed: next, last\n")


def test_what_is_fetched_and_tried_again_is_drawn_as_it_goes() -> None:
    rows = StepRows()
    rows.take(RunStarted("r", "flights", "docker", Path("/runs/r"), (("train", "training"),)))
    rows.take(StepStarted("train"))
    rows.take(StepRetried("train", 2, 4, "capacity_error", 2.0, 600.0))
    rows.take(Transfer("image team/model:1", 126_000_000, 300_000_000))
    told = " ".join(drawn(rows, 9))
    assert "attempt 2 of 4 in 2.0 s (10 min 00 s on SageMaker)" in told
    assert "image team/model:1" in told
    assert "42 %  120 MiB of 286 MiB" in told
    rows.take(Transfer("image team/model:1", None, None))
    assert "image" not in " ".join(drawn(rows, 9))


def test_attempts_are_told_in_their_order() -> None:
    attempts = (Attempt("failed", "capacity_error, as --fail asked", 0.0), Attempt("succeeded", None, 2.0))
    train = StepFinished("train", State.SUCCEEDED, attempts=attempts)
    told = printed(summary.table(report(train=train)))
    assert told.endswith("\ntrain: 2 attempts: capacity_error, as --fail asked; succeeded\n")


def test_plain_progress_is_a_line_for_each_event() -> None:
    stream = io.StringIO()
    with progress(Console(file=stream, width=40, highlight=False)) as emit:
        emit(RunStarted("r1", "delays", "process", Path("/state/runs/r1"), (("a", "processing"),)))
        emit(Notice("spot is not tried", warning=True))
        emit(StepStarted("a"))
        emit(StepLine("a", "[bold]" + "x" * 60))
        emit(StepFinished("a", State.SUCCEEDED, Usage(2), result="auc=0.5"))
        emit(RunFinished(State.SUCCEEDED, 2))
    assert stream.getvalue().splitlines() == [
        "run r1 of delays (process), in /state/runs/r1",
        "warning: spot is not tried",
        "a: started",
        "a | [bold]" + "x" * 60,
        "a: succeeded in 2.0 s (auc=0.5)",
    ]


def test_a_quiet_minute_in_a_pipe_says_what_still_runs() -> None:
    stream = io.StringIO()
    view = _PlainView(Console(file=stream, width=80, highlight=False), quiet_seconds=0.1)
    with view.told_to_be_alive():
        view.take(StepStarted("train"))
        time.sleep(0.35)
        view.take(StepFinished("train", State.SUCCEEDED, Usage(0.3)))
        time.sleep(0.25)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "train: started"
    assert lines[-1] == "train: succeeded in 0.3 s"
    assert {line.partition(" (")[0] for line in lines[1:-1]} == {"still running: train"}


def drawn(rows: StepRows, most: int) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=80, highlight=False, force_terminal=False).print(rows.draw(most))
    return stream.getvalue().splitlines()


def test_of_more_steps_than_a_screen_has_lines_those_that_matter_are_shown() -> None:
    rows = StepRows()
    rows.take(RunStarted("r1", "delays", "process", Path("/r"), tuple((f"s{i:02}", "processing") for i in range(40))))
    for i in range(20):
        rows.take(StepStarted(f"s{i:02}"))
        rows.take(StepFinished(f"s{i:02}", State.FAILED if i == 3 else State.SUCCEEDED, reason="exit code 1"))
    rows.take(StepStarted("s20"))
    lines = drawn(rows, 6)
    assert len(lines) == 6
    assert [line.split()[1] for line in lines[:5]] == ["s03", "s20", "s21", "s22", "s23"]
    assert lines[5].strip() == "… 19 succeeded, 16 waiting"
    assert len(drawn(rows, 40)) == 40


def test_a_long_name_leaves_room_for_the_line() -> None:
    rows = StepRows()
    rows.take(RunStarted("r1", "delays", "process", Path("/r"), (("x" * 64, "processing"),)))
    rows.take(StepStarted("x" * 64))
    rows.take(StepLine("x" * 64, "epoch 1 " + "." * 200))
    [line] = drawn(rows, 6)
    assert len(line) <= 80
    assert "epoch 1" in line
