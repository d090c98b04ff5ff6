"""Do the work of a step: take an earlier result, try it as often as its policies say, or just run it."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial

from buzzflow.backends.local import plan
from buzzflow.backends.local.events import StepFinished
from buzzflow.backends.local.request.kinds import is_answered
from buzzflow.backends.local.request.trials import Trial
from buzzflow.backends.local.reuse.cache import StepCache
from buzzflow.backends.local.steps.attempts import run_attempts
from buzzflow.backends.local.steps.dispatch import Working, run_step_of_kind
from buzzflow.backends.local.steps.means import Means
from buzzflow.backends.local.steps.one_job import run_job
from buzzflow.backends.local.steps.results import Left, StepPlace


def work(place: StepPlace[Working], means: Means, cache: StepCache) -> tuple[StepFinished, Left]:
    """Return how a step ended and what it left. It raises only for a bug."""
    step = place.step
    if not isinstance(step, plan.ProcessingStep | plan.TrainingStep) or is_answered(step, place.request.here):
        return run_step_of_kind(place, means)
    job, setting = place.of(step), means.setting(step)

    def attempt(stop: threading.Event) -> tuple[StepFinished, Left]:
        return run_job(job, setting, replace(means, stop=stop))

    trial = means.ready.trials.get(step.written, Trial())
    go = partial(run_attempts, job, attempt, means.emit, means.stop, trial)
    return cache.take_or_run(job, setting, go, means.emit, means.stop)
