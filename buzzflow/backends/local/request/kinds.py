"""What becomes of each step type on this machine: it runs, it is only recorded, or somebody must say its result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from buzzflow.backends.local import plan
from buzzflow.backends.local.request.here import StepHere

# steps that change nothing for those after them: what they ask of the service is kept as a file
RECORDED = frozenset(("endpoint_config", "endpoint", "inference_component", "lineage", "cleanup"))
# of these, what comes after is likely to use what they make, even where no reference says so
_USED_BY_WHAT_FOLLOWS = frozenset(("endpoint", "inference_component"))
WHY: Mapping[str, str] = {
    "callback": "nobody answers a queue of Amazon SQS here",
    "quality_check": "Model Monitor's image is the service's own",
    "clarify_check": "Clarify's image is the service's own",
    "automl": "AutoML runs on the service only",
    "notebook": "the images with kernels are the service's own",
    "emr": "Amazon EMR is not here",
    "emr_serverless": "Amazon EMR Serverless is not here",
    "job": "a job of this kind runs on the service only",
    "raw": "it is in the service's own words",
    "endpoint": "endpoints are on the service only, and steps come after it",
    "inference_component": "endpoints are on the service only, and steps come after it",
}


def is_answered(step: plan.Step, here: Mapping[str, StepHere]) -> bool:
    """Whether *step* is not run, but answers with what the user says."""
    return step.written in here and here[step.written].result is not None


def why_not_here(step: plan.Step, here: Mapping[str, StepHere], others: Iterable[plan.Step]) -> str | None:
    """Return why *step* can run only when somebody says its result, None when it can; *others* is the whole plan."""
    match step:
        case plan.LambdaStep() if step.written not in here or here[step.written].function is None:
            return "functions of AWS Lambda are not here"
        case plan.CallbackStep():
            return WHY["callback"]
        case plan.TrainingStep() if step.container.training and step.container.training.algorithm:
            return "an algorithm resource exists on the service only"
        case plan.ServiceStep(type=kind) if kind not in RECORDED:
            return WHY[kind]
        case plan.ServiceStep(type=kind) if kind in _USED_BY_WHAT_FOLLOWS:
            after = any(need.step == step.name for other in others if runs(other, here) for need in other.needs)
            return WHY[kind] if after else None
        case _:
            return None


def runs(step: plan.Step, here: Mapping[str, StepHere]) -> bool:
    """Whether *step* does something here, and so uses what others left: it is neither answered nor only recorded."""
    return not is_answered(step, here) and not (isinstance(step, plan.ServiceStep) and step.type in RECORDED)
