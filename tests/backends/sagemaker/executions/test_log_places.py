"""Where steps log, by what they started."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.executions.log_places import LogPlace, NoLog, log_places
from buzzflow.backends.sagemaker.executions.steps import Made, StepRun

ARN = "arn:aws:sagemaker:eu-west-1:111122223333"
AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "resource", "group"),
    [
        ("TrainingJob", "training-job", "/aws/sagemaker/TrainingJobs"),
        ("ProcessingJob", "processing-job", "/aws/sagemaker/ProcessingJobs"),
        ("TransformJob", "transform-job", "/aws/sagemaker/TransformJobs"),
        ("QualityCheck", "processing-job", "/aws/sagemaker/ProcessingJobs"),
        ("ClarifyCheck", "processing-job", "/aws/sagemaker/ProcessingJobs"),
    ],
)
def test_a_job_logs_in_the_group_of_its_kind(kind: str, resource: str, group: str, account: Account) -> None:
    step = StepRun("s", "Executing", made=Made(kind, f"{ARN}:{resource}/pipelines-abc-s-1"))
    assert log_places(account, step) == [LogPlace("s", group, "pipelines-abc-s-1/")]


def test_a_tuning_step_logs_in_each_of_its_training_jobs(account: Account, answers: Stubber) -> None:
    def page(name: str) -> dict[str, Any]:
        summary = {
            "TrainingJobName": name,
            "TrainingJobArn": f"{ARN}:training-job/{name}",
            "CreationTime": AT,
            "TrainingJobStatus": "Completed",
            "TunedHyperParameters": {},
        }
        return {"TrainingJobSummaries": [summary]}

    operation = "list_training_jobs_for_hyper_parameter_tuning_job"
    answers.add_response(operation, page("t-1") | {"NextToken": "more"})
    answers.add_response(operation, page("t-2"))
    step = StepRun("s", "Executing", made=Made("TuningJob", f"{ARN}:hyper-parameter-tuning-job/t"))
    assert [*log_places(account, step)] == [
        LogPlace("s", "/aws/sagemaker/TrainingJobs", "t-1/", label="t-1"),
        LogPlace("s", "/aws/sagemaker/TrainingJobs", "t-2/", label="t-2"),
    ]


def test_an_automl_step_logs_in_the_jobs_of_its_candidates(account: Account, answers: Stubber) -> None:
    def job(kind: str, name: str) -> dict[str, str]:
        resource = {"Training": "training-job", "Processing": "processing-job", "Transform": "transform-job"}[kind]
        return {
            "CandidateStepType": f"AWS::SageMaker::{kind}Job",
            "CandidateStepArn": f"{ARN}:{resource}/{name}",
            "CandidateStepName": name,
        }

    shared = job("Processing", "analysis")
    candidates = [
        {
            "CandidateName": f"c{n}",
            "ObjectiveStatus": "Succeeded",
            "CandidateStatus": "Completed",
            "CreationTime": AT,
            "LastModifiedTime": AT,
            "CandidateSteps": [shared, job("Training", f"c{n}-train")],
        }
        for n in (1, 2)
    ]
    answers.add_response("list_candidates_for_auto_ml_job", {"Candidates": candidates})
    step = StepRun("s", "Executing", made=Made("AutoMLJob", f"{ARN}:automl-job/a"))
    assert [(p.group, p.prefix) for p in log_places(account, step) if isinstance(p, LogPlace)] == [
        ("/aws/sagemaker/ProcessingJobs", "analysis/"),
        ("/aws/sagemaker/TrainingJobs", "c1-train/"),
        ("/aws/sagemaker/TrainingJobs", "c2-train/"),
    ]


def test_a_function_logs_in_its_own_group_while_the_step_ran(account: Account) -> None:
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:notify:3"
    step = StepRun("s", "Succeeded", AT, AT.replace(hour=13), made=Made("Lambda", arn))
    assert log_places(account, step) == [LogPlace("s", "/aws/lambda/notify", "", AT, AT.replace(hour=13))]


@pytest.mark.parametrize(
    ("made", "because"),
    [
        (Made("EMR", log_path="s3://logs/j-1/steps/s-1/"), "its log is in s3://logs/j-1/steps/s-1/"),
        (Made("EMRServerless"), "EMR writes its log to the log URI of the cluster or application"),
        (Made("Condition"), "a condition is decided by the service itself"),
        (Made("Callback"), "what answers a callback logs where it runs"),
        (Made("Lineage"), "Lineage leaves none in CloudWatch that is known"),
        (None, "its job has not started yet"),
    ],
)
def test_other_steps_say_why_they_have_none(made: Made | None, because: str, account: Account) -> None:
    assert log_places(account, StepRun("s", "Executing", made=made)) == [NoLog("s", because)]
