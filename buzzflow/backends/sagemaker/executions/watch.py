"""Look at a run again and again until it has ended, through trouble with the network, and tell each change."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors
from buzzflow.backends.sagemaker.executions.definition import Definition
from buzzflow.backends.sagemaker.executions.find import definition_of
from buzzflow.backends.sagemaker.executions.progress import Snapshot, snapshot
from buzzflow.backends.sagemaker.executions.runs import Run, describe_run
from buzzflow.backends.sagemaker.executions.steps import list_steps
from buzzflow.diagnostics import Diagnostic, PipelineError

T = TypeVar("T")

INTERVAL, SLOWEST = 5.0, 15.0  # seconds between two looks: after a change, and when nothing happens
SLOWER = 1.25
PATIENCE = 900.0  # seconds without an answer until it is given up
_NO_ANSWER = "BF603"


class Clock(Protocol):
    """The time, in seconds, and how to let it pass."""

    def monotonic(self) -> float: ...  # noqa: D102
    def sleep(self, seconds: float, /) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look: every *interval* seconds after a change, more rarely while nothing changes."""

    interval: float = INTERVAL
    patience: float = PATIENCE
    clock: Clock = field(default=time)

    @property
    def slowest(self) -> float:
        """The longest time between two looks."""
        return max(SLOWEST, self.interval) if self.interval >= INTERVAL else self.interval


def look(account: Account, run: Run, definition: Definition | None = None) -> Snapshot:
    """Return how far *run* is now; *definition* is asked for when it is not given."""
    with aws_errors():
        known = definition or definition_of(account, run.summary.arn)
        now = replace(describe_run(account, run.summary.arn, run.pipeline), elsewhere=run.elsewhere)
        steps = list_steps(account, run.summary.arn)  # after the run: of one that has ended they are the last word
    return snapshot(known, now, steps)


def watch(
    account: Account, run: Run, pace: Pace, trouble: Callable[[str], None], *, look_first: bool = True
) -> Iterator[Snapshot]:
    """Yield the run as it is, after each look, until it has ended.

    While AWS does not answer, *trouble* is told once, and PipelineError raised when it lasts longer than the patience.
    *look_first* False waits before the first look.
    """
    with aws_errors():
        definition = definition_of(account, run.summary.arn)
    before: Snapshot | None = None
    wait = pace.interval
    if not look_first:
        pace.clock.sleep(wait)
    while True:
        now = patiently(lambda: look(account, run, definition), pace, trouble)
        yield now
        if now.run.summary.ended:
            return
        wait = min(wait * SLOWER, pace.slowest) if now == before else pace.interval
        before = now
        pace.clock.sleep(wait)


def patiently(ask: Callable[[], T], pace: Pace, trouble: Callable[[str], None]) -> T:
    """Return what *ask* returns, and ask again while AWS does not answer."""
    since, told = pace.clock.monotonic(), False
    while True:
        try:
            found = ask()
        except PipelineError as e:
            if any(d.code != _NO_ANSWER for d in e.diagnostics):
                raise
            waited = pace.clock.monotonic() - since
            if waited > pace.patience:
                raise PipelineError([_given_up(e.diagnostics[0].summary, waited)]) from e
            if not told:
                trouble(f"{e.diagnostics[0].summary}; trying on")
            told = True
            pace.clock.sleep(pace.interval)
        else:
            if told:
                trouble("AWS answers again")
            return found


def _given_up(summary: str, waited: float) -> Diagnostic:
    hint = "the run goes on without this command: look again with buzzflow status"
    return Diagnostic("BF641", f"nothing has been heard of the run for {waited / 60:.0f} minutes: {summary}", hint=hint)
