"""Where the logs of a step are.

Amazon SageMaker AI Developer Guide, "CloudWatch Logs for Amazon SageMaker AI": the group is of the kind of job, and the
streams of a job begin with its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.executions.steps import Made, StepRun

TRAINING, PROCESSING, TRANSFORM = (f"/aws/sagemaker/{kind}Jobs" for kind in ("Training", "Processing", "Transform"))
_GROUPS = {
    "TrainingJob": TRAINING,
    "ProcessingJob": PROCESSING,
    "TransformJob": TRANSFORM,
    "QualityCheck": PROCESSING,
    "ClarifyCheck": PROCESSING,
}
_CANDIDATES = {
    "AWS::SageMaker::TrainingJob": TRAINING,
    "AWS::SageMaker::ProcessingJob": PROCESSING,
    "AWS::SageMaker::TransformJob": TRANSFORM,
}
_WITHOUT = {
    "Condition": "a condition is decided by the service itself",
    "Fail": "a fail step runs nothing",
    "Model": "making a model runs nothing",
    "RegisterModel": "registering a model runs nothing",
    "Callback": "what answers a callback logs where it runs",
    "ForEach": "the steps of its body have logs",
}


@dataclass(frozen=True, slots=True)
class LogPlace:
    """The streams of *group* whose names begin with *prefix*; of shared ones, only the time in which the step ran.

    *label* tells one of the many jobs of a step from the others.
    """

    step: str
    group: str
    prefix: str = ""
    since: datetime | None = None
    until: datetime | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class NoLog:
    """Why a step has no log that could be read."""

    step: str
    because: str


def log_places(account: Account, step: StepRun) -> Sequence[LogPlace | NoLog]:
    """Return where *step* logs; asks AWS only which jobs a tuning or AutoML step has started; its errors are raised."""
    name, made = step.shown_name, step.made
    if made is None:
        return [NoLog(name, "it has started no job" if step.ended else "its job has not started yet")]
    match made:
        case Made(kind="TuningJob", name=str(job)):
            return [LogPlace(name, TRAINING, f"{found}/", label=found) for found in _tuned(account, job)]
        case Made(kind="AutoMLJob", name=str(job)):
            return [
                LogPlace(name, group, f"{found}/", label=found) for found, group in _candidates(account, job).items()
            ]
        case Made(kind="Lambda", arn=str(arn)):
            return [LogPlace(name, f"/aws/lambda/{_function(arn)}", since=step.started, until=step.ended)]
        case Made(log_path=str(path)):
            return [NoLog(name, f"its log is in {path}")]
        case Made(kind="EMR" | "EMRServerless"):
            return [NoLog(name, "EMR writes its log to the log URI of the cluster or application")]
        case Made(kind=kind, name=str(job)) if kind in _GROUPS:
            return [LogPlace(name, _GROUPS[kind], f"{job}/")]
        case Made(kind=kind):
            return [NoLog(name, _WITHOUT.get(kind, f"{kind} leaves none in CloudWatch that is known"))]


def _tuned(account: Account, job: str) -> Iterator[str]:
    pages = account.sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=job, SortBy="CreationTime", SortOrder="Ascending"
    )
    for page in pages:
        yield from (found["TrainingJobName"] for found in page["TrainingJobSummaries"])


def _candidates(account: Account, job: str) -> Mapping[str, str]:
    """Return the jobs of an AutoML job's candidates, which share some, with their log groups."""
    pages = account.sagemaker.get_paginator("list_candidates_for_auto_ml_job").paginate(AutoMLJobName=job)
    return {
        step["CandidateStepName"]: _CANDIDATES[step["CandidateStepType"]]
        for page in pages
        for candidate in page["Candidates"]
        for step in candidate["CandidateSteps"]
        if step["CandidateStepType"] in _CANDIDATES
    }


def _function(arn: str) -> str:
    """Return the name in `arn:aws:lambda:region:account:function:name:version`; the version is not in the group's."""
    parts = arn.split(":")
    return parts[6] if len(parts) > 6 else arn
