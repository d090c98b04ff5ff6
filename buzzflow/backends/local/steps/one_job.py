"""Run one job, on as many machines as it asks for, when there is a place for it."""

from __future__ import annotations

from buzzflow.backends.local import evaluate
from buzzflow.backends.local.events import State, StepFinished
from buzzflow.backends.local.executor import Setting
from buzzflow.backends.local.steps.hosts import count_of, run_hosts
from buzzflow.backends.local.steps.job import run_step
from buzzflow.backends.local.steps.means import Means
from buzzflow.backends.local.steps.results import ContainerStep, Left, StepPlace


def run_job(place: StepPlace[ContainerStep], setting: Setting, means: Means) -> tuple[StepFinished, Left]:
    """Run the job to its end; a job takes one place, however many machines it has."""
    name = place.step.name
    try:
        count = count_of(place.step.container, place.known)
    except evaluate.EvaluationError as e:
        return StepFinished(name, State.FAILED, reason=f"it cannot start: {e}"), Left()
    with means.slot() as has_one:
        if not has_one:
            return StepFinished(name, State.STOPPED, reason="stopped"), Left()
        if count > 1:
            return run_hosts(place, count, setting, means.executor, means.emit, means.stop)
        return run_step(place, setting, means.executor, means.emit, means.stop)
