"""What is asked of the service, and what its rarer answers become; each is checked against botocore's model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.executions.console import console_url
from buzzflow.backends.sagemaker.executions.parameters import checked_parameters
from buzzflow.backends.sagemaker.executions.runs import Run, RunSummary, describe_run
from buzzflow.backends.sagemaker.executions.start import Start, start
from buzzflow.backends.sagemaker.executions.steps import list_steps
from buzzflow.backends.sagemaker.executions.stop import Stop, stop
from buzzflow.diagnostics import PipelineError

PIPELINE = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p"
ARN = f"{PIPELINE}/execution/abcdefghijkl"
AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def _described(**more: Any) -> dict[str, Any]:
    return {"PipelineArn": PIPELINE, "PipelineExecutionArn": ARN, "PipelineExecutionStatus": "Executing", **more}


def test_a_quota_that_is_used_up_is_told(account: Account, answers: Stubber) -> None:
    answers.add_client_error("start_pipeline_execution", "ResourceLimitExceeded", "at most 200 executions")
    with pytest.raises(PipelineError) as caught:
        start(account, Start("p"))
    [told] = caught.value.diagnostics
    assert (told.code, told.summary) == ("BF643", "the account runs as much as it may: at most 200 executions")


def test_each_command_has_a_token_of_its_own() -> None:
    first, second = Start("p"), Start("p")
    assert first.token != second.token
    assert 32 <= len(first.token) <= 128


def test_a_stop_that_comes_too_late_is_told_by_how_the_run_ended(account: Account, answers: Stubber) -> None:
    answers.add_client_error("stop_pipeline_execution", "ValidationException", "is in status Succeeded")
    answers.add_response("describe_pipeline_execution", _described(PipelineExecutionStatus="Succeeded"))
    assert stop(account, Run(RunSummary(ARN, "Executing", AT), "p", PIPELINE)) is Stop.ENDED


@pytest.mark.parametrize(
    ("created_by", "told"),
    [
        ({"UserProfileName": "jane", "IamIdentity": {"Arn": "arn:aws:sts::1:assumed-role/studio/x"}}, "jane"),
        ({"IamIdentity": {"Arn": "arn:aws:sts::111122223333:assumed-role/ci/jane"}}, "ci/jane"),
        ({"IamIdentity": {"Arn": "arn:aws:iam::111122223333:user/jane"}}, "user/jane"),
        ({}, None),
    ],
)
def test_who_started_a_run_is_told_where_the_service_knows(
    created_by: dict[str, Any], told: str | None, account: Account, answers: Stubber
) -> None:
    answers.add_response("describe_pipeline_execution", _described(CreatedBy=created_by))
    answers.add_response("list_pipeline_parameters_for_execution", {"PipelineParameters": []})
    assert describe_run(account, ARN, "p").by == told


@pytest.mark.parametrize(
    ("state", "ended"),
    [
        ("Executing", False),
        ("Stopping", False),
        ("Stopped", True),
        ("Failed", True),
        ("Succeeded", True),
        ("CompletedWithFailures", True),
        ("ANewEnd", True),
    ],
)
def test_every_state_but_two_is_an_end(state: str, ended: bool) -> None:
    assert RunSummary(ARN, state, AT).ended is ended


def test_steps_tell_attempts_checks_and_items(account: Account, answers: Stubber) -> None:
    job = "arn:aws:sagemaker:eu-west-1:111122223333:processing-job/check-1"
    steps = [
        {"StepName": "check", "StepStatus": "Failed", "AttemptCount": 3, "FailureReason": "drift",
         "Metadata": {"QualityCheck": {"CheckJobArn": job}}},
        {"StepName": "score", "StepStatus": "Succeeded", "IterationContext": {"Index": 4},
         "Metadata": {"EMR": {"ClusterId": "j-1", "LogFilePath": "s3://logs/x"}}},
        {"StepName": "old", "StepStatus": "Succeeded", "SelectiveExecutionResult": {"SourcePipelineExecutionArn": ARN}},
    ]  # fmt: skip
    answers.add_response("list_pipeline_execution_steps", {"PipelineExecutionSteps": steps})
    check, score, old = list_steps(account, ARN)
    assert check.made is not None
    assert score.made is not None
    assert (check.attempts, check.made.name, check.reason) == (3, "check-1", "drift")
    assert (score.shown_name, score.made.log_path) == ("score[4]", "s3://logs/x")
    assert (old.reused_from, old.made) == (ARN, None)


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "console.amazonaws-us-gov.com"),
    ],
)
def test_the_console_of_each_partition_has_its_host(partition: str, region: str, host: str) -> None:
    arn = f"arn:{partition}:sagemaker:{region}:111122223333:pipeline/p"
    assert console_url(arn) == f"https://{host}/sagemaker/home?region={region}"


def test_values_of_an_earlier_run_fill_in_where_the_parameter_is_still_there(a_definition: Any) -> None:
    definition = a_definition(parameters=[{"Name": "rows", "Type": "Integer"}, {"Name": "day", "Type": "String"}])
    reused = {"rows": "3", "day": "mon", "gone": "x"}
    assert checked_parameters(definition, {"day": "tue"}, reused=reused) == {"rows": "3", "day": "tue"}
    with pytest.raises(PipelineError, match="'rows' of the deployed pipeline has no value"):
        checked_parameters(definition, {"day": "x"})
    with pytest.raises(PipelineError, match="1,025 characters are more than the 1,024"):
        checked_parameters(definition, {"rows": 3, "day": "x" * 1025})
