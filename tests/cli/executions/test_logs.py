"""`logs`: what the steps of a run print."""

from __future__ import annotations

import json
import re
import threading

import pytest

from tests.aws.fake import FakeAws, Fault
from tests.aws.sagemaker.scripts import Line, StepScript, step
from tests.cli.executions.conftest import NAME, Buzzflow

QUICK = ("--interval", "0.1")


@pytest.fixture
def ran(deployed: FakeAws, buzzflow: Buzzflow) -> FakeAws:
    """The account after a run whose steps printed something."""
    deployed.will_run(
        {
            "extract": step(3, lines=["read 3 rows", Line("wrote 3 rows", 2)]),
            "train": step(2, lines=["epoch 1", Line("epoch 2", 1)]),
        }
    )
    buzzflow("run", "churn")
    deployed.clock.advance(30)
    buzzflow("status", "churn")
    return deployed


def test_all_steps_are_printed_in_the_order_of_time_with_their_names(ran: FakeAws, buzzflow: Buzzflow) -> None:
    done = buzzflow("logs", "--run", "churn")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "extract | read 3 rows",
        "extract | wrote 3 rows",
        "train | epoch 1",
        "train | epoch 2",
    ]


def test_one_step_is_printed_as_it_is(ran: FakeAws, buzzflow: Buzzflow) -> None:
    assert buzzflow("logs", "train", "--run", "churn").stdout == "epoch 1\nepoch 2\n"
    assert buzzflow("logs", "train", "extract", "--run", "churn", "--tail", "3").stdout.splitlines() == [
        "extract | wrote 3 rows",
        "train | epoch 1",
        "train | epoch 2",
    ]
    assert buzzflow("logs", "train", "--run", "churn", "-n", "0").stdout == ""


def test_each_line_is_an_object_with_json(ran: FakeAws, buzzflow: Buzzflow) -> None:
    first, *_ = map(json.loads, buzzflow("logs", "--run", "churn", "--json").stdout.splitlines())
    assert (first["step"], first["source"], first["message"]) == ("extract", "", "read 3 rows")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["time"])
    assert re.fullmatch(r".+/algo-1-\d+", first["stream"])


def test_machines_other_than_the_first_are_named(ran: FakeAws, buzzflow: Buzzflow) -> None:
    [execution] = ran.executions
    job = execution.runs["train"].job
    logs = ran.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    logs.create_log_stream(logGroupName=group, logStreamName=f"{job}/algo-2-1700000000")
    at = int(execution.runs["train"].ended * 1000) + 5
    logs.put_log_events(
        logGroupName=group,
        logStreamName=f"{job}/algo-2-1700000000",
        logEvents=[{"timestamp": at, "message": "epoch 1"}],
    )
    assert buzzflow("logs", "train", "--run", "churn").stdout.splitlines()[-1] == "algo-2 | epoch 1"
    assert buzzflow("logs", "--run", "churn").stdout.splitlines()[-1] == "train/algo-2 | epoch 1"


def test_jobs_whose_names_begin_alike_are_not_mixed_up(ran: FakeAws, buzzflow: Buzzflow) -> None:
    [execution] = ran.executions
    logs, group = ran.client("logs"), "/aws/sagemaker/TrainingJobs"
    stream = f"{execution.runs['train'].job}-2/algo-1-1700000000"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    event = {"timestamp": int(execution.started * 1000), "message": "of another job"}
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])
    assert "another" not in buzzflow("logs", "train", "--run", "churn").stdout


def test_only_what_is_newer_is_printed(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": step(1, lines=["old"]), "train": step(1, lines=["new"])})
    buzzflow("run", "churn")
    deployed.clock.advance(30)
    buzzflow("status", "churn")
    [execution] = deployed.executions
    between = f"{__import__('datetime').datetime.fromtimestamp(execution.started + 0.5).isoformat()}"
    assert buzzflow("logs", "--run", "churn", "--since", between).stdout == "train | new\n"
    assert len(buzzflow("logs", "--run", "churn", "--since", "1h").stdout.splitlines()) == 2
    wrong = buzzflow("logs", "--run", "churn", "--since", "yesterday")
    assert wrong.exit_code == 2
    assert "write 10m, 2h, 1d, or 2026-01-31T12:00" in " ".join(wrong.stderr.replace("│", "").split())


def test_long_logs_come_in_pages(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": step(1, lines=[f"line {n}" for n in range(12_000)])})
    buzzflow("run", "churn")
    deployed.clock.advance(30)
    buzzflow("status", "churn")
    assert buzzflow("logs", "extract", "--run", "churn").stdout.splitlines() == [f"line {n}" for n in range(12_000)]
    assert buzzflow("logs", "extract", "--run", "churn", "-n", "2").stdout.splitlines() == ["line 11998", "line 11999"]


@pytest.mark.parametrize("step_name", ["gate", "reject"])
def test_a_step_without_log_says_why(step_name: str, deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"gate": StepScript(outcome=False)})
    buzzflow("run", "churn")
    done = buzzflow("logs", step_name, "--run", "churn")
    assert (done.exit_code, done.stdout) == (0, "")
    assert f"{step_name} has no log: a " in done.stderr


def test_a_step_that_has_not_started_has_no_log_yet(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": step(60)})
    buzzflow("run", "churn")
    done = buzzflow("logs", "train", "extract", "--run", "churn")
    assert (done.exit_code, done.stdout) == (0, "")
    [execution] = deployed.executions
    assert f"train has no log: it has not started in run {NAME}@{execution.id}" in done.stderr


def test_cached_steps_have_not_run(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    arn = f"arn:aws:sagemaker:us-west-2:111122223333:pipeline/{NAME}/execution/abcdefghijkl"
    deployed.will_run({"extract": StepScript(cached_from=arn)})
    buzzflow("run", "churn")
    assert "extract was not run: its result is cached" in buzzflow("logs", "extract", "--run", "churn").stderr


def test_an_unknown_step_is_told_with_the_nearest(ran: FakeAws, buzzflow: Buzzflow) -> None:
    done = buzzflow("logs", "trian", "--run", "churn")
    assert done.exit_code == 1
    assert "has no step 'trian'\n  help: did you mean 'train'?" in done.stderr


def test_hostile_lines_are_made_harmless(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    line = "50 %\r100 %\x1b[2J\x1b]0;owned\x07 \u202egnp.exe \x9b31m"
    deployed.will_run({"extract": step(1, lines=[line])})
    buzzflow("run", "churn")
    deployed.clock.advance(5)
    buzzflow("status", "churn")
    assert buzzflow("logs", "extract", "--run", "churn").stdout == "100 % gnp.exe 31m\n"


# ------------------------------------------------------------------ following


def test_following_prints_each_line_once_until_the_run_has_ended(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run(
        {
            "extract": step(0.5, starting=0.3, lines=["read", Line("wrote", 0.4)]),
            "train": step(0.5, starting=0.5, lines=["epoch 1", Line("epoch 2", 0.4)]),
        }
    )
    buzzflow("run", "churn")
    done = buzzflow("logs", "--run", "churn", "--follow", *QUICK)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "extract | read",
        "extract | wrote",
        "train | epoch 1",
        "train | epoch 2",
    ]


def test_following_one_step_ends_when_it_has_ended(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": step(0.5, lines=["read"]), "train": step(600)})
    buzzflow("run", "churn")
    assert buzzflow("logs", "extract", "-f", "--run", "churn", *QUICK).stdout == "read\n"
    [execution] = deployed.executions
    assert execution.status == "Executing"


def test_following_from_the_end_shows_the_last_lines_and_all_that_come(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    old = [f"line {n}" for n in range(50)]
    deployed.will_run({"extract": step(3, lines=[*old, Line("late", 2.5)])})
    buzzflow("run", "churn")
    buzzflow("status", "churn")
    done = buzzflow("logs", "extract", "-f", "-n", "2", "--run", "churn", *QUICK)
    assert done.stdout.splitlines() == ["line 48", "line 49", "late"]


def test_a_line_that_cloudwatch_delivers_late_is_not_lost(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": step(0.4, lines=["read"])})
    buzzflow("run", "churn")
    [execution] = deployed.executions
    stream = f"{execution.runs['extract'].job}/algo-2-1700000000"

    def deliver() -> None:
        logs, group = deployed.client("logs"), "/aws/sagemaker/ProcessingJobs"
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        event = {"timestamp": int(execution.started * 1000) + 400, "message": "last words"}
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])

    timer = threading.Timer(1.5, deliver)
    timer.start()
    done = buzzflow("logs", "extract", "-f", "--run", "churn", "--interval", "1")
    timer.join()
    assert done.stdout.splitlines() == ["read", "algo-2 | last words"]


def test_following_outlives_trouble_with_the_network(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": step(1, lines=["read", Line("wrote", 0.8)])})
    buzzflow("run", "churn")
    for fault in (Fault.RESET, Fault.THROTTLE, Fault.LOST):
        deployed.faults.on("GetLogEvents", fault, times=2, skip=1)
    done = buzzflow("logs", "extract", "-f", "--run", "churn", *QUICK)
    assert done.stdout.splitlines() == ["read", "wrote"]
