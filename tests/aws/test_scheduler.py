"""The fake's EventBridge Scheduler refuses what would never fire."""

from __future__ import annotations

import pytest

from tests.aws.scheduler import is_expression

TARGET = {
    "Arn": "arn:aws:sagemaker:us-west-2:111122223333:pipeline/demo",
    "RoleArn": "arn:aws:iam::111122223333:role/scheduler",
    "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "day", "Value": "x"}]},
}
SCHEDULE = {
    "Name": "demo",
    "ScheduleExpression": "cron(0 6 * * ? *)",
    "ScheduleExpressionTimezone": "Europe/Berlin",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": TARGET,
}


@pytest.fixture
def scheduler(aws):
    return aws.client("scheduler")


def test_a_schedule_is_kept_as_it_was_sent(scheduler):
    scheduler.create_schedule(**SCHEDULE)
    found = scheduler.get_schedule(Name="demo")
    default = {"RetryPolicy": {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}}
    assert {key: found[key] for key in SCHEDULE} == SCHEDULE | {"Target": TARGET | default}
    scheduler.update_schedule(**SCHEDULE | {"State": "DISABLED"})
    assert scheduler.get_schedule(Name="demo")["State"] == "DISABLED"
    scheduler.delete_schedule(Name="demo")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ScheduleExpression": "cron(bogus)"}, "Invalid Schedule Expression cron(bogus)."),
        ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "Timezone Mars/Olympus"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes"),
        ({"Target": TARGET | {"RoleArn": "role"}}, "at 'target.roleArn' failed to satisfy"),
        ({"Target": TARGET | {"Arn": "demo"}}, "not in correct format"),
        ({"State": "ON"}, "enum value set"),
    ],
)
def test_what_would_never_fire_is_refused(scheduler, refused, members, message):
    with refused("ValidationException", message, 400):
        scheduler.create_schedule(**SCHEDULE | members)
    scheduler.create_schedule(**SCHEDULE)
    with refused("ValidationException", message, 400):
        scheduler.update_schedule(**SCHEDULE | members)


def test_groups_and_names_are_checked(scheduler, refused):
    with refused("ResourceNotFoundException", "group buzzflow does not exist", 404):
        scheduler.create_schedule(**SCHEDULE, GroupName="buzzflow")
    scheduler.create_schedule(**SCHEDULE)
    with refused("ConflictException", "already exists"):
        scheduler.create_schedule(**SCHEDULE)
    with refused("ResourceNotFoundException", status=404):
        scheduler.update_schedule(**SCHEDULE | {"Name": "none"})


def test_a_token_creates_one_schedule(scheduler, refused):
    scheduler.create_schedule(**SCHEDULE, ClientToken="once")
    scheduler.create_schedule(**SCHEDULE, ClientToken="once")
    with refused("ConflictException"):
        scheduler.create_schedule(**SCHEDULE | {"State": "DISABLED"}, ClientToken="once")


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)", "rate(5 minutes)", "at(2026-11-20T13:00:00)", "cron(0 6 * * ? *)",
        "cron(0/15 8-17 ? * MON-FRI *)",
        "cron(0 0 L * ? *)", "cron(0 0 15W * ? 2026-2030)", "cron(0 0 ? * 6#3 *)", "cron(5,35 14 * JAN,JUL ? *)",
    ],
)  # fmt: skip
def test_good_expressions_pass(expression):
    assert is_expression(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "", "daily", "rate(1 minutes)", "rate(0 days)", "rate(5 weeks)", "at(2026-13-01T00:00:00)", "at(2026-01-01)",
        "cron(0 6 * * *)", "cron(0 6 * * * *)", "cron(0 6 ? * ? *)", "cron(60 6 * * ? *)", "cron(0 24 * * ? *)",
        "cron(0 6 0 * ? *)", "cron(0 6 * 13 ? *)", "cron(0 6 ? * 8 *)", "cron(0 6 ? * MO *)", "cron(0 6 * * ? 1969)",
        "cron(0/0 6 * * ? *)", "cron(? 6 * * ? *)", "cron(0 6 ? * 2#6 *)", "cron(1- 6 * * ? *)",
    ],
)  # fmt: skip
def test_bad_expressions_do_not(expression):
    assert not is_expression(expression)
