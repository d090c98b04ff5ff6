"""Say how a container failed that no script of a job runs in: a function, a model's server."""

from __future__ import annotations

from pathlib import Path

from buzzflow.backends.local.events import State, StepFinished
from buzzflow.backends.local.executor import End, Outcome
from buzzflow.backends.local.steps.job import ended
from buzzflow.backends.local.steps.log import StepLog


def failed(
    step: str, outcome: Outcome, log: StepLog, log_path: Path, how: str | None, before: str = ""
) -> StepFinished:
    """Return the end of *step* with the last line of its log."""
    state = State.STOPPED if outcome.end is End.STOPPED else State.FAILED
    last = next((line.strip() for line in reversed(log.tail) if line.strip()), None)
    reason = ended(outcome)
    if last is not None and outcome.end is End.EXITED and outcome.detail is None:
        reason = f"{reason}: {last[:200]}"
    tail = tuple(log.tail) if state is State.FAILED else ()
    code = outcome.exit_code
    return StepFinished(
        step, state, outcome.usage, reason=before + reason, tail=tail, log=log_path, exit_code=code, how=how
    )
