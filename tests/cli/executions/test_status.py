"""`status`: how far a run is."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.aws.fake import FakeAws, Fault
from tests.aws.sagemaker.scripts import Attempt, StepScript, step
from tests.cli.executions.conftest import NAME, ROLE, Buzzflow

COMMAND = str(Path(sys.executable).with_name("buzzflow"))
QUICK = ("--interval", "0.1")
HOSTILE = "\x1b[2J\x1b]0;owned\x07::set-output name=x::y \u202egnp.exe\r\n"


def _lines(text: str) -> dict[str, str]:
    """Return the rows of the table by step."""
    return {line.split()[0]: line for line in text.splitlines() if line.strip()}


def test_steps_stand_in_the_order_of_the_pipeline_with_what_they_wait_for(
    deployed: FakeAws, buzzflow: Buzzflow
) -> None:
    deployed.will_run({"extract": step(0.5), "train": step(600)})
    buzzflow("run", "churn")
    time.sleep(0.5)
    done = buzzflow("status", "churn")
    assert done.exit_code == 0
    [execution] = deployed.executions
    assert done.stdout.startswith(f"{NAME}@{execution.id} in us-west-2  executing for ")
    assert "parameters: rows=3, rate=0.5, full=false, day=mon" in done.stdout
    rows = _lines(done.stdout)
    assert [*rows][-6:] == ["extract", "train", "evaluate", "gate", "publish", "reject"]
    assert re.search(r"Processing +succeeded +0\.5 s", rows["extract"])
    assert re.search(r"Training +running +\d\.\d s", rows["train"])
    assert re.search(r"waiting +for train$", rows["evaluate"].rstrip())
    assert re.search(r"^  publish +Processing +waiting +for gate, train$", rows["publish"].rstrip())
    assert f"buzzflow status {NAME}@{execution.id} --watch" in done.stderr
    assert "\x1b" not in done.stdout


def test_the_branch_that_was_not_taken_is_told(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"gate": StepScript(outcome=False)})
    buzzflow("run", "churn")
    done = buzzflow("status", "churn")
    rows = _lines(done.stdout)
    assert re.search(r"succeeded .* is false$", rows["gate"].rstrip())
    assert "not taken" in rows["publish"]
    assert re.search(r"failed .* the score is too low", rows["reject"])
    assert "step reject failed: the score is too low" in done.stdout


def test_cached_steps_name_the_run_that_made_their_result(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    buzzflow("run", "churn")
    [first] = deployed.executions
    deployed.will_run({"extract": StepScript(cached_from=first.arn)})
    buzzflow("run", "churn")
    assert f"cached, from run {first.id}" in _lines(buzzflow("status", "churn").stdout)["extract"]
    [told, *_] = json.loads(buzzflow("status", "churn", "--json").stdout)["steps"]
    assert (told["cached_from"], told["job"], told["state"]) == (first.id, None, "succeeded")


def test_a_failed_step_shows_its_whole_reason_and_its_last_lines(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    tries = (Attempt(1, "CapacityError: none"), Attempt(2, "AlgorithmError: no\nrows", lines=[*map(str, range(30))]))
    deployed.will_run({"train": StepScript(tries)})
    buzzflow("run", "churn")
    deployed.clock.advance(60)
    done = buzzflow("status", "churn")
    assert re.search(r"train +Training +failed +3\.0 s +2 ", done.stdout)
    shown = "".join(f"  | {n}\n" for n in range(10, 30))
    assert f"step train failed: AlgorithmError: no\nrows\n{shown}  all of it: buzzflow logs train --run" in done.stdout
    assert "to go on with what did not succeed: buzzflow resume" in done.stderr
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


def test_what_others_wrote_cannot_move_the_cursor(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"train": step(0, f"AlgorithmError: {HOSTILE}", lines=[HOSTILE])})
    buzzflow("run", "churn", "-p", "day=mon")
    done = buzzflow("status", "churn")
    for text in (done.stdout, done.stderr):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


def test_a_log_that_may_not_be_read_hides_nothing_else(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"train": step(0, "AlgorithmError: no", lines=["epoch"])})
    buzzflow("run", "churn")
    deployed.faults.on("DescribeLogStreams", Fault.ACCESS_DENIED, times=None)
    done = buzzflow("status", "churn")
    assert done.exit_code == 0
    assert "step train failed: AlgorithmError: no" in done.stdout
    assert "the log of train cannot be read: role buzzflow-deploy may not logs:DescribeLogStreams" in done.stderr


def test_a_run_is_named_in_every_way(
    deployed: FakeAws, buzzflow: Buzzflow, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        buzzflow("run", "churn", "--name", name)
    first, second = deployed.executions
    names = {
        "churn": second,
        f"{NAME}@latest": second,
        f"churn@{first.id}": first,
        "churn@first": first,
        first.arn: first,
        "projects/research/churn@first": first,
        f"arn:aws:sagemaker:us-west-2:111122223333:pipeline/{NAME}": second,
    }
    for name, execution in names.items():
        assert json.loads(buzzflow("status", name, "--json").stdout)["run"] == execution.id, name
    monkeypatch.chdir(repository / "projects" / "research" / "churn")
    for name, execution in {"@first": first, first.id: first, "@": second, ".": second}.items():
        assert json.loads(buzzflow("status", name, "--json").stdout)["run"] == execution.id, name
    assert json.loads(buzzflow("status", "--json").stdout)["run"] == second.id


def test_unknown_runs_are_told_with_near_ones(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    assert f"error[BF632]: pipeline '{NAME}' has not run yet" in buzzflow("status", "churn").stderr
    buzzflow("run", "churn", "--name", "nightly")
    done = buzzflow("status", "churn@nihgtly")
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"error[BF632]: pipeline '{NAME}' has no run 'nihgtly'\n  help: did you mean 'nightly'?" in done.stderr
    assert "has no run 'abcdefghijkl'" in buzzflow("status", "churn@abcdefghijkl").stderr
    missing = buzzflow("status", f"arn:aws:sagemaker:us-west-2:111122223333:pipeline/{NAME}/execution/abcdefghijkl")
    assert "has no run 'abcdefghijkl'" in missing.stderr
    foreign = buzzflow("status", f"arn:aws:sagemaker:us-west-2:444455556666:pipeline/{NAME}/execution/abcdefghijkl")
    assert (
        "error[BF602]: these credentials are of account 111122223333, and the ARN names 444455556666" in foreign.stderr
    )


def test_without_a_pipeline_here_one_has_to_be_named(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    done = buzzflow("status")
    assert (done.exit_code, "error[BF645]: no pipeline is named" in done.stderr) == (1, True)


def test_a_pipeline_without_environment_is_deployed_nowhere(
    deployed: FakeAws, buzzflow: Buzzflow, repository: Path
) -> None:
    (repository / "projects" / "research" / "environment.yaml").unlink()
    assert (
        "error[BF642]: projects/research/churn/pipeline.yaml is in no"
        in buzzflow("status", "projects/research/churn").stderr
    )


def test_long_lists_of_steps_come_in_pages(aws: FakeAws, buzzflow: Buzzflow, repository: Path) -> None:
    steps = [{"Name": f"s{n}", "Type": "Processing", "Arguments": {}} for n in range(230)]
    text = json.dumps({"Version": "2020-12-01", "Steps": steps})
    aws.client("sagemaker").create_pipeline(PipelineName=NAME, PipelineDefinition=text, RoleArn=ROLE)
    buzzflow("run", "churn")
    told = json.loads(buzzflow("status", "churn", "--json").stdout)
    assert [s["step"] for s in told["steps"]] == [f"s{n}" for n in range(230)]
    assert {s["state"] for s in told["steps"]} == {"succeeded"}


# ------------------------------------------------------------------ watching


def test_watching_tells_each_change_once_and_ends_with_the_run(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": step(3), "train": step(0.4)})
    buzzflow("run", "churn")
    done = buzzflow("status", "churn", "--watch", *QUICK)
    assert done.exit_code == 0
    changes = [line.partition(" ")[2] for line in done.stderr.splitlines() if line]
    assert "extract: running" in changes
    assert "extract: succeeded in 3.0 s" in changes
    assert len(changes) == len({*changes})
    assert " succeeded after " in done.stdout.splitlines()[0]


def test_watching_a_run_that_is_stopped_ends_with_4(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": StepScript((Attempt(60),), stopping=4)})
    buzzflow("run", "churn")
    threading.Timer(1.0, lambda: _stop(deployed)).start()
    done = buzzflow("status", "churn", "--watch", *QUICK)
    assert done.exit_code == 4
    assert " stopped after " in done.stdout.splitlines()[0]
    assert "extract: stopping" in done.stderr


def _stop(aws: FakeAws) -> None:
    [execution] = aws.executions
    aws.client("sagemaker").stop_pipeline_execution(PipelineExecutionArn=execution.arn, ClientRequestToken="t" * 32)


def test_watching_outlives_trouble_with_the_network(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": step(1.5)})
    buzzflow("run", "churn")
    for fault in (Fault.RESET, Fault.THROTTLE, Fault.UNAVAILABLE):
        deployed.faults.on("ListPipelineExecutionSteps", fault, times=2, skip=1)
    assert buzzflow("status", "churn", "--watch", *QUICK).exit_code == 0


def test_an_interrupt_ends_the_watch_and_not_the_run(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": step(60)})
    buzzflow("run", "churn")
    [execution] = deployed.executions
    for number in (signal.SIGINT, signal.SIGTERM):
        watching = subprocess.Popen(
            [COMMAND, "status", "churn", "--watch", *QUICK],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | deployed.env,
        )
        assert watching.stderr is not None
        while "extract: running" not in watching.stderr.readline():
            pass
        watching.send_signal(number)
        out, err = watching.communicate(timeout=10)
        assert (watching.returncode, out) == (130, "")
        assert f"run {NAME}@{execution.id} goes on; to stop it: buzzflow stop {NAME}@{execution.id}" in err
        assert "Traceback" not in err
    assert execution.status == "Executing"


def test_a_terminal_of_80_columns_gets_a_table_that_is_redrawn(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    import pty

    deployed.will_run({"extract": step(1.0), "train": step(1, "AlgorithmError: " + "long " * 60)})
    buzzflow("run", "churn")
    master, slave = pty.openpty()
    env = os.environ | deployed.env | {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    watching = subprocess.Popen(
        [COMMAND, "status", "churn", "--watch", *QUICK], stdin=slave, stdout=slave, stderr=slave, env=env
    )
    os.close(slave)
    screen = b""
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        try:
            screen += os.read(master, 65536)
        except OSError:  # the other end is closed
            break
    os.close(master)
    assert watching.wait(timeout=10) == 4
    text = screen.decode()
    assert "\x1b[?25l" in text, "the cursor is hidden while the table is redrawn"
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l"), "and comes back"
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text[text.rindex("\x1b[?25h") :])
    table = last[last.index("step ") : last.index("step train failed")]
    assert all(len(line.rstrip()) <= 80 for line in table.splitlines())
    assert re.search(r"^train +Training +failed .*AlgorithmError: long.*…", table, re.MULTILINE)
