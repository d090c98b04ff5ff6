"""Run one container step as often as its retry policies, and what the caller lets go wrong, ask for.

The policies are SageMaker's (Developer Guide, "Retry Policy for Pipeline Steps"): each counts its own retries, the
first that names the error counts, and an error of the step itself is tried again also without a policy. What a program
does wrong, an exit code or too much memory, is no error that a policy can name.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from buzzflow.backends.local import plan
from buzzflow.backends.local.events import Attempt, Event, State, StepFinished, StepRetried
from buzzflow.backends.local.request.trials import EXIT, OUT_OF_MEMORY, RETRIED, TIMEOUT, Trial
from buzzflow.backends.local.steps.results import ContainerStep, Left, StepPlace
from buzzflow.backends.service import JOB_ERRORS, STEP_ERRORS

LONGEST_WAIT = 2.0  # seconds, instead of the minutes that a policy may ask for
_UNASKED = plan.Retry(errors=[*STEP_ERRORS], interval=1, backoff=2.0, max_attempts=5)  # the guide's defaults
_LOOK_SECONDS = 0.05


Ending = tuple[StepFinished, Left]


def run_attempts(
    place: StepPlace[ContainerStep],
    run: Callable[[threading.Event], Ending],
    emit: Callable[[Event], None],
    stop: threading.Event,
    trial: Trial,
) -> Ending:
    """Do *run*, which ends when its event is set, to the last attempt; return how that ended, with all attempts."""
    return _Attempts(place, run, emit, stop, trial).to_the_end()


class _Attempts:
    """The attempts of one step, one after another."""

    def __init__(
        self,
        place: StepPlace[ContainerStep],
        run: Callable[[threading.Event], Ending],
        emit: Callable[[Event], None],
        stop: threading.Event,
        trial: Trial,
    ) -> None:
        self._place, self._run, self._emit, self._stop = place, run, emit, stop
        self._failures, self._interruptions = iter(trial.failures), deque(trial.interruptions)
        self._policies = _Policies(place.step.retry)
        self._ended: list[Attempt] = []

    def to_the_end(self) -> tuple[StepFinished, Left]:
        while True:
            began = time.monotonic()
            done, left, cut_after = self._one()
            if cut_after is None:
                attempt = Attempt(done.state.value, done.reason, time.monotonic() - began, done.log)
                again = self._policies.again(done.error, len(self._ended) + 1)
            else:
                reason = f"an interruption after {cut_after:g} s, as --interrupt asked"
                attempt = Attempt("interrupted", reason, time.monotonic() - began, done.log)
                again = _Again(None, 0.0)
            self._ended.append(attempt)
            if again is None or self._stop.is_set():
                return self._last(done), left
            if not self._waited(attempt, again):
                return self._last(replace(done, state=State.STOPPED, reason="stopped")), Left()

    def _one(self) -> tuple[StepFinished, Left, float | None]:
        """Return how an attempt ended and what it left, and after how many seconds it was interrupted, if it was."""
        failure = next(self._failures, None)
        if failure is not None:
            return _on_purpose(self._place.step.name, failure), Left(), None
        if not self._interruptions:
            return *self._run(self._stop), None
        seconds = self._interruptions.popleft()
        with _cut(self._stop, seconds) as cut:
            done, left = self._run(cut)
        if self._stop.is_set():
            return done, left, None
        if done.state is State.STOPPED:
            return done, left, seconds
        told = f"it ended before --interrupt came, after {seconds:g} s"
        return replace(done, warnings=(*done.warnings, told)), left, None

    def _waited(self, attempt: Attempt, again: _Again) -> bool:
        """Tell of another attempt, and wait for it; False when the run is stopped meanwhile."""
        number = len(self._ended)
        if attempt.log is not None:
            self._ended[-1] = replace(attempt, log=_set_aside(self._place.folder, number))
        wait = again.wait if self._place.request.real_time else min(again.wait, LONGEST_WAIT)
        told = attempt.reason or attempt.state
        self._emit(StepRetried(self._place.step.name, number + 1, again.most, told, wait, again.wait))
        return not self._stop.wait(wait)

    def _last(self, done: StepFinished) -> StepFinished:
        if len(self._ended) == 1:
            return done
        reason = done.reason
        if reason is not None and done.state is State.FAILED:
            reason = f"{reason}; it was attempt {len(self._ended)}"
        return replace(done, reason=reason, attempts=tuple(self._ended))


# ------------------------------------------------------------------ whether to try again


@dataclass(frozen=True, slots=True)
class _Again:
    """There is to be another attempt: of *most* in all, after *wait* seconds."""

    most: int | None
    wait: float


class _Policies:
    """The retry policies of a step, and what is left of them. The clock runs as if every wait were in full."""

    def __init__(self, written: Sequence[plan.Retry]) -> None:
        families = (STEP_ERRORS, JOB_ERRORS)  # the service has a policy for each
        split = [(r, {*r.errors} & family.keys()) for r in written for family in families]
        self._policies = [(retry, errors) for retry, errors in split if errors]
        self._used = [0] * (len(self._policies) + 1)
        self._policies.append((_UNASKED, {*_UNASKED.errors}))
        self._waited = 0.0
        self._first: float | None = None

    def again(self, error: str | None, number: int) -> _Again | None:
        """Return how to go on after attempt *number* ended in *error*; None when it is not to be tried again."""
        at = next((i for i, (_, errors) in enumerate(self._policies) if error in errors), None)
        if at is None:
            return None
        policy, used = self._policies[at][0], self._used[at]
        if self._first is None:
            self._first = time.monotonic()
        wait = policy.interval * policy.backoff**used
        if policy.max_attempts is not None and used >= policy.max_attempts:
            return None
        passed = time.monotonic() - self._first + self._waited
        if policy.give_up_after is not None and passed + wait > policy.give_up_after:
            return None
        self._used[at] += 1
        self._waited += wait
        return _Again(None if policy.max_attempts is None else number + policy.max_attempts - used, wait)


# ------------------------------------------------------------------ what goes wrong on purpose


def _on_purpose(step: str, failure: str) -> StepFinished:
    """Return the end of an attempt that fails before anything runs."""
    asked = "as --fail asked"
    if failure.startswith(EXIT):
        code = int(failure.removeprefix(EXIT))
        return StepFinished(step, State.FAILED, reason=f"exit code {code}, {asked}", exit_code=code)
    told = {OUT_OF_MEMORY: "out of memory", TIMEOUT: "timed out"}.get(failure, failure)
    error = failure if failure in RETRIED else None
    return StepFinished(step, State.FAILED, reason=f"{told}, {asked}", error=error)


@contextmanager
def _cut(stop: threading.Event, seconds: float | None) -> Iterator[threading.Event]:
    """Yield what ends an attempt: *stop*, or an event that is also set when *seconds* have passed."""
    if seconds is None:
        yield stop
        return
    cut, over = threading.Event(), threading.Event()
    deadline = time.monotonic() + seconds

    def watch() -> None:
        while not over.wait(_LOOK_SECONDS):
            if stop.is_set() or time.monotonic() >= deadline:
                cut.set()
                return

    thread = threading.Thread(target=watch, name="buzzflow-interrupt", daemon=True)
    thread.start()
    try:
        yield cut
    finally:
        over.set()
        thread.join()


# ------------------------------------------------------------------ what stays


def _set_aside(folder: Path, number: int) -> Path:
    """Move what an attempt left from the step's *folder* to one of its own in it; return its log."""
    kept = folder / "attempts" / str(number)
    kept.mkdir(parents=True)
    for item in [*folder.iterdir()]:
        if item.name != "attempts":
            if item.is_dir() and not item.is_symlink():
                with contextlib.suppress(OSError):
                    item.chmod(item.stat().st_mode | 0o700)  # who moves a folder changes its `..`
            item.rename(kept / item.name)
    return kept / "log.txt"
