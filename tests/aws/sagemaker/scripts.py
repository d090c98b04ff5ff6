"""What a test wants executions to do. Without a script each step succeeds at once, in an order that fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A line of a job's log, *after* so many seconds of the job."""

    text: str
    after: float = 0.0


@dataclass(frozen=True)
class Attempt:
    """One try of a step: so long Starting, then so long Executing, then Failed if there is a *failure*.

    A failure is a reason such as "AlgorithmError: ExecuteUserScriptError, exit code: 1".
    """

    seconds: float = 0.0
    failure: str | None = None
    starting: float = 0.0
    lines: Sequence[str | Line] = ()


@dataclass(frozen=True)
class StepScript:
    """What one step does: its tries one after the other, each *pause* seconds after the one before it failed.

    Attributes:
        cached_from: The execution whose result is taken from the cache, so that nothing runs.
        outcome: Which branch a condition takes.
        waits: Runs until SendPipelineExecutionStepSuccess or …Failure comes, as a callback step does.
        stopping: How long the step needs to stop.
    """

    attempts: Sequence[Attempt] = (Attempt(),)
    pause: float = 0.0
    cached_from: str | None = None
    outcome: bool = True
    waits: bool = False
    stopping: float = 0.0


SUCCEEDS = StepScript()


def step(
    seconds: float = 0.0, failure: str | None = None, *, starting: float = 0.0, lines: Sequence[str | Line] = ()
) -> StepScript:
    """Return the script of a step with a single try."""
    return StepScript((Attempt(seconds, failure, starting, lines),))
