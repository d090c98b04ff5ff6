"""A step is tried again as its policies say, and after an interruption with its checkpoints."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from buzzflow.backends.local import plan
from buzzflow.backends.local.evaluate import Known
from buzzflow.backends.local.events import Event, State, StepFinished, StepRetried
from buzzflow.backends.local.executor import End, Outcome, Setting, Task
from buzzflow.backends.local.request.request import RunRequest
from buzzflow.backends.local.request.trials import Trial
from buzzflow.backends.local.steps import attempts
from buzzflow.backends.local.steps.attempts import run_attempts
from buzzflow.backends.local.steps.job import run_step
from buzzflow.backends.local.steps.results import Left, StepPlace
from buzzflow.metrics import Usage

Act = Callable[[int, Path, threading.Event], Outcome]
ADDRESS = "s3://bucket/checkpoints/"


def good(_number: int, _checkpoints: Path, _stop: threading.Event) -> Outcome:
    return Outcome(End.EXITED, 0, Usage(0.1))


@dataclass
class StandIn:
    """An executor that calls *act* with the attempt's number, its checkpoint folder, and what stops it."""

    act: Act = good
    tasks: list[Task] = field(default_factory=list)
    name: str = "stand-in"
    notes: list[str] = field(default_factory=list)

    def prepare(self, *_: object) -> None: ...

    def run(self, task: Task, log: Callable[[bytes], None], stop: threading.Event) -> Outcome:
        self.tasks.append(task)
        log(b"attempt\n")
        mounted = next((m.source for m in task.mounts if m.target == "/opt/ml/checkpoints"), Path())
        return self.act(len(self.tasks), mounted, stop)

    def close(self) -> None: ...


@dataclass
class Tried:
    """A step that was tried."""

    done: StepFinished
    events: list[Event]
    executor: StandIn
    request: RunRequest

    @property
    def states(self) -> list[str]:
        return [attempt.state for attempt in self.done.attempts]

    @property
    def retried(self) -> list[StepRetried]:
        return [event for event in self.events if isinstance(event, StepRetried)]


class Steps:
    """Tries steps, run after run in one state folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.runs = folder, 0
        self.stop = threading.Event()

    def __call__(
        self, *failures: str, retry: list[plan.Retry] | None = None, act: Act = good, after: float | None = None
    ) -> Tried:
        self.runs += 1
        output = plan.Output(name="model", path="/opt/ml/model")
        training = plan.Training(checkpoints="/opt/ml/checkpoints", checkpoints_to=ADDRESS if self.shared else None)
        container = plan.Container(image="img", outputs=[output], training=training)
        step = plan.TrainingStep(name="train", retry=retry or [], container=container)
        made = plan.RunPlan(pipeline="delays", prefix="s3://buzzflow-local/delays/", steps=[step])
        request = RunRequest(f"r{self.runs}", made, {}, self.folder / "state", self.folder)
        place = StepPlace(step, request, Known({}, {"id": "r1"}))
        events: list[Event] = []
        executor = StandIn(act)
        trial = Trial(failures, () if after is None else (after,))

        def attempt(stop: threading.Event) -> tuple[StepFinished, Left]:
            return run_step(place, Setting("img"), executor, events.append, stop)

        done, _ = run_attempts(place, attempt, events.append, self.stop, trial)
        return Tried(done, events, executor, request)

    shared = False


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    monkeypatch.setattr(attempts, "LONGEST_WAIT", 0.01)
    return Steps(tmp_path)


def policy(*errors: str, most: int | None = 3, **more: object) -> plan.Retry:
    return plan.Retry(errors=[*errors], max_attempts=most, **more)


# ------------------------------------------------------------------ retries


def test_a_step_that_goes_well_has_one_attempt_and_lists_none(steps: Steps) -> None:
    tried = steps()
    assert (tried.done.state, tried.states, tried.retried) == (State.SUCCEEDED, [], [])


def test_a_policy_tries_again_and_says_which_of_how_many(steps: Steps) -> None:
    tried = steps("capacity_error", "capacity_error", retry=[policy("capacity_error", interval=60, backoff=3.0)])
    assert tried.done.state is State.SUCCEEDED
    assert tried.states == ["failed", "failed", "succeeded"]
    assert [(e.attempt, e.most, e.wait, e.real_wait) for e in tried.retried] == [
        (2, 4, 0.01, 60.0),
        (3, 4, 0.01, 180.0),
    ]
    assert tried.done.attempts[0].reason == "capacity_error, as --fail asked"
    assert len(tried.executor.tasks) == 1


def test_after_its_last_attempt_a_step_has_failed(steps: Steps) -> None:
    tried = steps(*["capacity_error"] * 9, retry=[policy("capacity_error", most=2)])
    assert tried.done.state is State.FAILED
    assert tried.done.reason == "capacity_error, as --fail asked; it was attempt 3"
    assert tried.states == ["failed"] * 3


@pytest.mark.parametrize("error", ["exit=3", "out_of_memory", "timeout", "resource_limit"])
def test_what_no_policy_names_is_not_tried_again(error: str, steps: Steps) -> None:
    tried = steps(error, retry=[policy("capacity_error", "throttling")])
    assert (tried.done.state, tried.states) == (State.FAILED, [])
    assert tried.done.exit_code == (3 if error == "exit=3" else None)


def test_errors_of_the_step_itself_are_tried_again_without_a_policy(steps: Steps) -> None:
    assert steps("throttling", "service_fault").states == ["failed", "failed", "succeeded"]
    assert len(steps(*["throttling"] * 9).states) == 6
    assert steps("capacity_error").done.state is State.FAILED


def test_each_family_of_a_policy_counts_for_itself(steps: Steps) -> None:
    retry = [policy("throttling", "capacity_error", most=1)]
    assert steps("throttling", "capacity_error", retry=retry).done.state is State.SUCCEEDED
    assert steps("capacity_error", "capacity_error", retry=retry).done.state is State.FAILED


def test_give_up_after_counts_the_times_of_the_service(steps: Steps) -> None:
    retry = [policy("capacity_error", most=None, give_up_after=100, interval=30, backoff=2.0)]
    tried = steps(*["capacity_error"] * 9, retry=retry)
    assert [e.real_wait for e in tried.retried] == [30.0, 60.0]
    assert {e.most for e in tried.retried} == {None}


def test_an_engine_that_goes_away_is_an_internal_error(steps: Steps) -> None:
    def lost_once(number: int, *_: object) -> Outcome:
        return Outcome(End.LOST if number == 1 else End.EXITED, None if number == 1 else 0, Usage(0.1))

    tried = steps(retry=[policy("job_internal_error")], act=lost_once)
    assert tried.states == ["failed", "succeeded"]
    kept = tried.request.folder / "steps" / "train" / "attempts" / "1"
    assert {item.name for item in kept.iterdir()} == {"log.txt", "opt-ml"}
    assert tried.done.attempts[0].log == kept / "log.txt"
    assert steps(act=lost_once).done.state is State.FAILED


def test_a_program_that_fails_is_not_tried_again(steps: Steps) -> None:
    every = [policy("throttling", "service_fault", "job_internal_error", "capacity_error", "resource_limit")]
    tried = steps(retry=every, act=lambda *_: Outcome(End.EXITED, 1, Usage(0.1)))
    assert (tried.done.state, len(tried.executor.tasks)) == (State.FAILED, 1)


def test_a_stop_ends_the_wait_for_the_next_attempt(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "LONGEST_WAIT", 30.0)
    threading.Timer(0.2, steps.stop.set).start()
    began = time.monotonic()
    tried = steps("throttling", retry=[policy("throttling", interval=600)])
    assert time.monotonic() - began < 5
    assert (tried.done.state, tried.executor.tasks) == (State.STOPPED, [])


# ------------------------------------------------------------------ interruptions


def until_stopped(number: int, checkpoints: Path, stop: threading.Event) -> Outcome:
    """Write how many attempts there were; the first goes on until it is stopped."""
    file = checkpoints / "epoch"
    file.write_text(str(int(file.read_text()) + 1 if file.exists() else 1))
    if number == 1:
        assert stop.wait(10)
        return Outcome(End.STOPPED, 143, Usage(0.1))
    return Outcome(End.EXITED, 0, Usage(0.1))


def test_an_interrupted_training_goes_on_from_its_checkpoints(steps: Steps) -> None:
    tried = steps(act=until_stopped, after=0.2)
    assert tried.done.state is State.SUCCEEDED
    assert tried.states == ["interrupted", "succeeded"]
    assert [(e.attempt, e.most, e.wait) for e in tried.retried] == [(2, None, 0.0)]
    kept = tried.request.folder / "outputs" / "train" / "checkpoints" / "epoch"
    assert kept.read_text() == "2"
    assert not steps.stop.is_set()


def test_checkpoints_at_an_address_are_there_in_the_next_run(steps: Steps) -> None:
    steps.shared = True
    steps(act=until_stopped, after=0.2)
    tried = steps(act=until_stopped, after=0.2)
    assert (steps.folder / "state/s3/bucket/checkpoints/epoch").read_text() == "4"
    assert tried.done.state is State.SUCCEEDED


def test_a_training_that_ends_before_its_interruption_says_so(steps: Steps) -> None:
    tried = steps(after=60.0)
    assert (tried.done.state, tried.states) == (State.SUCCEEDED, [])
    assert "it ended before --interrupt came, after 60 s" in tried.done.warnings


def test_a_stop_is_no_interruption(steps: Steps) -> None:
    threading.Timer(0.2, steps.stop.set).start()
    tried = steps(act=until_stopped, after=30.0)
    assert (tried.done.state, tried.states) == (State.STOPPED, [])
