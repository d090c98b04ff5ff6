"""What happens while a pipeline runs, as data: views show it, nothing here prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from buzzflow.metrics import Usage


class State(StrEnum):
    """What became of a step."""

    SUCCEEDED = "succeeded"
    CACHED = "cached"  # an earlier run's results were taken
    FAILED = "failed"
    SKIPPED = "skipped"
    STOPPED = "stopped"

    @property
    def is_good(self) -> bool:
        """Whether steps that need this one may run."""
        return self in (State.SUCCEEDED, State.CACHED)


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The first event: *steps* in their order, with their types."""

    run: str
    pipeline: str
    executor: str
    folder: Path
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something worth a line that belongs to no step."""

    text: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Transfer:
    """How far something large has come, in bytes: an image, or data. *done* None is its end, good or bad."""

    what: str
    done: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step began to run."""

    step: str


@dataclass(frozen=True, slots=True)
class StepRetried:
    """A step is tried again, as attempt number *attempt* of *most* (None: until a time has passed), after *wait* s.

    *reason* is how the attempt before ended, *real_wait* what the service would wait.
    """

    step: str
    attempt: int
    most: int | None
    reason: str
    wait: float = 0.0
    real_wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One of several tries of a step: *state* is failed, interrupted, stopped, succeeded."""

    state: str
    reason: str | None
    seconds: float
    log: Path | None = None


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step wrote a line."""

    step: str
    line: str


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step came to its end; *result* is what a condition chose, or a report said, in a few words.

    *reason* says why it failed or was skipped, *tail* are the last lines of the log. *warnings* are about a step that
    succeeded, and yet. *how* says what stood in for the service, where the step did not simply run. *error* is the
    name that retry policies have for the failure, if any; *attempts* are all tries where there was more than one.
    """

    step: str
    state: State
    usage: Usage | None = None
    result: str | None = None
    reason: str | None = None
    tail: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    log: Path | None = None
    exit_code: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    how: str | None = None
    error: str | None = None
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The last event."""

    state: State
    seconds: float


Event = RunStarted | Notice | Transfer | StepStarted | StepRetried | StepLine | StepFinished | RunFinished
