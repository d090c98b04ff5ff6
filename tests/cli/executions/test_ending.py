"""`stop`, `resume` and `delete`."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.aws.fake import FakeAws, Fault
from tests.aws.sagemaker.scripts import Attempt, StepScript, step
from tests.cli.executions.conftest import NAME, ROLE, Buzzflow

COMMAND = str(Path(sys.executable).with_name("buzzflow"))
QUICK = ("--interval", "0.1")
FAILS = {"train": step(0, "AlgorithmError: no")}

# ------------------------------------------------------------------ stop


def test_stopping_waits_until_the_run_has_stopped(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": StepScript((Attempt(600),), stopping=0.3)})
    buzzflow("run", "churn")
    done = buzzflow("stop", "churn", "--wait", *QUICK)
    assert done.exit_code == 0, "it did what was asked"
    assert " stopped after " in done.stdout.splitlines()[0]
    assert deployed.executions[0].status == "Stopped"


def test_stopping_twice_or_too_late_is_no_error(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": StepScript((Attempt(600),), stopping=2)})
    buzzflow("run", "churn")
    [execution] = deployed.executions
    asked, again = buzzflow("stop", "churn"), buzzflow("stop", "churn", "--json")
    assert (asked.exit_code, asked.stdout) == (0, f"{NAME}@{execution.id}: stopping\n")
    assert json.loads(again.stdout)["stop"] == "already stopping"
    deployed.clock.advance(10)
    late = buzzflow("stop", "churn", "--wait")
    assert (late.exit_code, late.stdout) == (0, "")
    assert f"run {NAME}@{execution.id} has ended already: stopped" in late.stderr


def test_a_run_that_ends_in_the_moment_of_the_stop_is_no_error(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": step(600)})
    buzzflow("run", "churn")
    deployed.faults.on("StopPipelineExecution", Fault.LOST)
    done = buzzflow("stop", "churn")
    assert done.exit_code == 0
    assert deployed.executions[0].status == "Stopped"


# ------------------------------------------------------------------ resume


def test_resuming_goes_on_with_the_run_and_keeps_what_succeeded(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run(FAILS)
    buzzflow("run", "churn")
    [execution] = deployed.executions
    extract = execution.runs["extract"]
    deployed.will_run({})
    done = buzzflow("resume", "churn", "--wait", "--parallelism", "3", *QUICK)
    assert done.exit_code == 0, done.stderr
    assert execution.runs["extract"] is extract
    assert (len(deployed.executions), execution.status) == (1, "Succeeded")
    assert f"resumed {NAME}@{execution.id}" in done.stderr


def test_a_run_that_succeeded_or_goes_on_is_not_resumed(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    buzzflow("run", "churn")
    done = buzzflow("resume", "churn")
    assert done.exit_code == 1
    assert "error[BF635]" in done.stderr
    assert f"start a new run: buzzflow run {NAME}; or run a part of it again: buzzflow resume {NAME}@" in done.stderr
    deployed.will_run({"extract": step(600)})
    buzzflow("run", "churn")
    for options in ((), ("--from", "train"), ("--new-code",)):
        done = buzzflow("resume", "churn", *options)
        assert (done.exit_code, "has not ended: it is executing" in done.stderr) == (1, True)
    assert len(deployed.executions) == 2


def test_a_step_and_all_after_it_run_again_with_the_values_of_that_run(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    buzzflow("run", "churn", "-p", "rows=9", "-p", "day=tue")
    done = buzzflow("resume", "churn", "--from", "evaluate", "-p", "day=mon", "--wait", *QUICK)
    assert done.exit_code == 0, done.stderr
    first, second = deployed.executions
    assert "runs again: evaluate, gate, publish, reject" in done.stderr
    assert second.request["SelectiveExecutionConfig"] == {
        "SourcePipelineExecutionArn": first.arn,
        "SelectedSteps": [{"StepName": name} for name in ("evaluate", "gate", "publish", "reject")],
    }
    assert second.parameters == {"rows": "9", "day": "mon", "full": "false", "rate": "0.5"}
    assert f"only a part, on the results of run {first.id}" in done.stdout


def test_what_did_not_succeed_runs_with_what_is_deployed_now(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run(FAILS)
    buzzflow("run", "churn")
    deployed.will_run({})
    done = buzzflow("resume", "churn", "--new-code", "--wait", *QUICK)
    assert done.exit_code == 0, done.stderr
    assert "runs again: train, evaluate, gate, publish, reject" in done.stderr


def test_an_illegal_choice_is_told_with_the_legal_one(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run(FAILS)
    buzzflow("run", "churn")
    done = buzzflow("resume", "churn", "--only", "publish")
    assert done.exit_code == 1
    assert "error[BF636]: publish cannot run alone: train, evaluate, gate must run as well" in done.stderr
    assert "help: select all of these: --only train --only evaluate --only gate --only publish" in done.stderr
    deployed.will_run({})
    legal = ("train", "evaluate", "gate", "publish")
    options = [word for name in legal for word in ("--only", name)]
    assert buzzflow("resume", "churn", *options, "--wait", *QUICK).exit_code == 0


def test_unknown_steps_and_options_that_exclude_each_other_are_told(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run(FAILS)
    buzzflow("run", "churn")
    assert "error[BF637]: the deployed pipeline has no step 'trian'\n  help: did you mean 'train'?" in (
        buzzflow("resume", "churn", "--from", "trian").stderr
    )
    both = buzzflow("resume", "churn", "--from", "train", "--new-code")
    assert (both.exit_code, "--from and --new-code exclude each other" in both.stderr) == (2, True)
    assert buzzflow("resume", "churn", "-p", "rows=1").exit_code == 2


def test_more_steps_than_a_selection_takes_are_told(aws: FakeAws, buzzflow: Buzzflow, repository: Path) -> None:
    steps = [
        {"Name": f"s{n}", "Type": "Processing", "Arguments": {}, "DependsOn": [f"s{n - 1}"] if n else []}
        for n in range(60)
    ]
    text = json.dumps({"Version": "2020-12-01", "Steps": steps})
    aws.client("sagemaker").create_pipeline(PipelineName=NAME, PipelineDefinition=text, RoleArn=ROLE)
    buzzflow("run", "churn")
    done = buzzflow("resume", "churn", "--from", "s5")
    assert "error[BF636]: these are 55 steps, and SageMaker takes a selection of at most 50" in done.stderr


# ------------------------------------------------------------------ delete


def _schedule(aws: FakeAws, name: str, target: dict[str, object]) -> None:
    aws.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"RoleArn": "arn:aws:iam::111122223333:role/scheduler", **target},
    )


def _schedules(aws: FakeAws) -> set[str]:
    return {found["Name"] for found in aws.client("scheduler").list_schedules()["Schedules"]}


def test_a_pipeline_goes_after_the_schedules_that_start_it(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    arn = f"arn:aws:sagemaker:us-west-2:111122223333:pipeline/{NAME}"
    universal = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
    _schedule(deployed, "daily", {"Arn": arn})
    _schedule(deployed, "universal", {"Arn": universal, "Input": json.dumps({"PipelineName": NAME})})
    _schedule(deployed, "of-another", {"Arn": f"{arn}-2"})
    _schedule(deployed, "other-universal", {"Arn": universal, "Input": json.dumps({"PipelineName": "other"})})
    buzzflow("run", "churn")
    deployed.calls.clear()
    done = buzzflow("delete", "churn", "--yes")
    assert done.exit_code == 0, done.stderr
    assert f"pipeline {NAME} in us-west-2, with the history of 1 run\n" in done.stderr
    assert "schedule daily, rate(1 day)" in done.stderr
    assert done.stdout.splitlines() == [
        "deleted schedule daily",
        "deleted schedule universal",
        f"deleted pipeline {NAME}",
    ]
    assert _schedules(deployed) == {"of-another", "other-universal"}
    writes = [call.operation for call in deployed.calls if call.writes]
    assert writes == ["DeleteSchedule", "DeleteSchedule", "DeletePipeline"]
    again = buzzflow("delete", "churn", "--yes", "--json")
    assert (again.exit_code, json.loads(again.stdout)["deleted"]) == (0, False)


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.RESET, Fault.THROTTLE])
@pytest.mark.parametrize("operation", ["DeleteSchedule", "DeletePipeline"])
def test_a_repeated_call_deletes_once(fault: Fault, operation: str, deployed: FakeAws, buzzflow: Buzzflow) -> None:
    _schedule(deployed, "daily", {"Arn": f"arn:aws:sagemaker:us-west-2:111122223333:pipeline/{NAME}"})
    deployed.faults.on(operation, fault)
    assert buzzflow("delete", "churn", "--yes").exit_code == 0
    assert (deployed.pipeline(NAME), _schedules(deployed)) == (None, set())


def test_nothing_goes_without_a_yes(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    done = buzzflow("delete", "churn")
    assert (done.exit_code, "error[BF640]" in done.stderr) == (1, True)
    assert deployed.pipeline(NAME) is not None


@pytest.mark.parametrize(("answer", "goes"), [("n", False), ("", False), ("y", True)])
def test_a_terminal_is_asked(answer: str, goes: bool, deployed: FakeAws) -> None:
    master, slave = pty.openpty()
    asking = subprocess.Popen(
        [COMMAND, "delete", "churn"], stdin=slave, stdout=slave, stderr=slave, env=os.environ | deployed.env
    )
    os.close(slave)
    screen = b""
    while b"delete? [y/N]" not in screen:
        screen += os.read(master, 4096)
    os.write(master, f"{answer}\n".encode())
    assert asking.wait(timeout=20) == 0
    os.close(master)
    assert b"with the history of 0 runs" in screen
    assert (deployed.pipeline(NAME) is None) is goes


def test_a_running_pipeline_stays_unless_it_is_forced_away(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": StepScript((Attempt(600),), stopping=0.3)})
    buzzflow("run", "churn")
    [execution] = deployed.executions
    refused = buzzflow("delete", "churn", "--yes")
    assert refused.exit_code == 1
    assert f"error[BF639]: run {execution.id} has not ended, of pipeline '{NAME}'" in refused.stderr
    assert execution.status == "Executing"
    forced = buzzflow("delete", "churn", "--yes", "--force", *QUICK)
    assert forced.exit_code == 0, forced.stderr
    assert deployed.pipeline(NAME) is None


def test_what_only_ci_may_change_is_not_deleted_from_here(
    deployed: FakeAws, buzzflow: Buzzflow, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = repository / "projects" / "research" / "environment.yaml"
    file.write_text(file.read_text() + "deploy_from: [ci]\n")
    monkeypatch.delenv("CI", raising=False)
    done = buzzflow("delete", "churn", "--yes")
    assert (done.exit_code, "error[BF601]" in done.stderr) == (1, True)
    assert deployed.pipeline(NAME) is not None
    monkeypatch.setenv("CI", "true")
    assert buzzflow("delete", "churn", "--yes").exit_code == 0


def test_a_run_that_starts_meanwhile_keeps_its_pipeline(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": step(600)})
    deployed.faults.on("DeletePipeline", Fault.CONFLICT, times=None)
    done = buzzflow("delete", "churn", "--yes")
    assert done.exit_code == 1
    assert "error[BF608]: AWS refuses DeletePipeline" in done.stderr
    assert deployed.pipeline(NAME) is not None
