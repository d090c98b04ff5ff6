"""Run a step of any kind that takes time: its kind says how."""

from __future__ import annotations

from typing import assert_never

from buzzflow.backends.local import plan
from buzzflow.backends.local.events import StepFinished
from buzzflow.backends.local.steps.answered import answer
from buzzflow.backends.local.steps.function import call_function
from buzzflow.backends.local.steps.means import Means
from buzzflow.backends.local.steps.one_job import run_job
from buzzflow.backends.local.steps.recorded import record_model, record_service
from buzzflow.backends.local.steps.registering import register_model
from buzzflow.backends.local.steps.results import Left, StepPlace
from buzzflow.backends.local.steps.transform import transform
from buzzflow.backends.local.steps.tuning import tune

# kinds that take no time: the scheduler itself decides them, or makes copies of their steps
Inline = plan.ConditionStep | plan.FailStep | plan.ForeachStep
Working = (
    plan.ProcessingStep
    | plan.TrainingStep
    | plan.TuningStep
    | plan.TransformStep
    | plan.ModelStep
    | plan.RegisterModelStep
    | plan.LambdaStep
    | plan.CallbackStep
    | plan.ServiceStep
)


def run_step_of_kind(place: StepPlace[Working], means: Means) -> tuple[StepFinished, Left]:
    """Run a step to its end and return how it ended and what it left. It raises only for a bug."""
    step = place.step
    here = place.request.here.get(step.written)
    if here is not None and here.result is not None:
        return answer(place, here.result, means.stop)
    match step:
        case plan.ProcessingStep() | plan.TrainingStep():
            return run_job(place.of(step), means.setting(step), means)
        case plan.TuningStep():
            return tune(place.of(step), means, here)
        case plan.TransformStep():
            return transform(place.of(step), means)
        case plan.ModelStep():
            return record_model(place.of(step))
        case plan.RegisterModelStep():
            return register_model(place.of(step))
        case plan.LambdaStep():
            assert here is not None
            assert here.function is not None  # `answer_problems` lets no other pass
            return call_function(place.of(step), here.function, means)
        case plan.ServiceStep():
            return record_service(place.of(step))
        case plan.CallbackStep():
            raise AssertionError("`answer_problems` lets no callback pass that has no result")
        case _:
            assert_never(step)
