"""`run`: start a deployed pipeline."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.aws.fake import FakeAws, Fault
from tests.aws.sagemaker.scripts import step
from tests.cli.executions.conftest import NAME, Buzzflow

QUICK = ("--interval", "0.1")


@pytest.mark.parametrize("named", ["projects/research/churn", "churn", NAME])
def test_a_run_is_started_by_path_name_or_deployed_name(named: str, deployed: FakeAws, buzzflow: Buzzflow) -> None:
    done = buzzflow("run", named, "--param", "rows=7", "-p", "full=TRUE")
    assert done.exit_code == 0, done.stderr
    [execution] = deployed.executions
    assert execution.parameters == {"rows": "7", "full": "true", "rate": "0.5", "day": "mon"}
    assert done.stdout.splitlines() == [
        f"started {NAME}@{execution.id} in us-west-2",
        execution.arn,
        "https://us-west-2.console.aws.amazon.com/sagemaker/home?region=us-west-2",
    ]
    assert f"buzzflow status {NAME}@{execution.id} --watch" in done.stderr


def test_a_deployed_name_works_far_from_any_file(
    deployed: FakeAws, buzzflow: Buzzflow, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    lost = buzzflow("run", NAME)
    assert (lost.exit_code, "error[BF630]" in lost.stderr) == (1, True)
    done = buzzflow("run", NAME, "--region", "us-west-2")
    assert done.exit_code == 0
    [execution] = deployed.executions
    assert f"buzzflow stop {execution.arn}" in done.stderr, "a name alone would need --region again"
    assert buzzflow("status", execution.arn).exit_code == 0


def test_every_wrong_parameter_is_told_before_anything_starts(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    done = buzzflow("run", "churn", "-p", "rows=x", "-p", "dya=tue", "-p", "day=wed", "-p", "rate=nan", "-p", "full=no")
    assert done.exit_code == 1
    assert deployed.executions == []
    assert done.stderr.count("error[BF633]") == 5
    for told in (
        "the deployed pipeline has no parameter 'dya'\n  help: did you mean 'day'?",
        "parameter 'rows': 'x' is not a whole number",
        "parameter 'rate': 'nan' is not a number",
        "parameter 'full': 'no' is not true or false",
        "parameter 'day': 'wed' is not among its choices\n  help: choose one: mon, tue",
    ):
        assert told in done.stderr


def test_parameters_come_from_a_file_and_the_command_line_counts_before_it(
    deployed: FakeAws, buzzflow: Buzzflow, repository: Path
) -> None:
    (repository / "values.yaml").write_text("rows: 12\nfull: true\nrate: 1e-3\nday: tue\n")
    assert buzzflow("run", "churn", "--params-file", "values.yaml", "-p", "day=mon").exit_code == 0
    (repository / "values.json").write_text('{"rows": 12, "full": false}')
    assert buzzflow("run", "churn", "--params-file", "values.json").exit_code == 0
    yaml, other = (execution.parameters for execution in deployed.executions)
    assert yaml == {"rows": "12", "full": "true", "rate": "1e-3", "day": "mon"}
    assert other == {"rows": "12", "full": "false", "rate": "0.5", "day": "mon"}


@pytest.mark.parametrize("text", ["- rows\n", "rows: [1, 2]\n", "rows:\n"])
def test_a_file_of_parameters_is_a_mapping_of_plain_values(
    text: str, deployed: FakeAws, buzzflow: Buzzflow, repository: Path
) -> None:
    (repository / "values.yaml").write_text(text)
    done = buzzflow("run", "churn", "--params-file", "values.yaml")
    assert done.exit_code == 1
    assert "error[BF634]" in done.stderr
    assert "--> values.yaml:1:" in done.stderr


def test_a_parameter_without_equals_is_told(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    assert "error[BF634]: --param rows: a name, = and a value" in buzzflow("run", "churn", "-p", "rows").stderr


def test_name_and_parallelism_reach_the_run(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": step(60)})
    done = buzzflow("run", "churn", "--name", "nightly-2", "--parallelism", "2", "--json")
    told = json.loads(done.stdout)
    assert (told["name"], told["parallelism"], told["state"]) == ("nightly-2", 2, "Executing")
    assert told["started"].endswith("Z")
    assert buzzflow("status", f"{NAME}@nightly-2").exit_code == 0


@pytest.mark.parametrize("name", ["", "a b", "-a", "x" * 83])
def test_a_name_that_no_run_can_have_is_wrong_usage(name: str, deployed: FakeAws, buzzflow: Buzzflow) -> None:
    done = buzzflow("run", "churn", "--name", name)
    assert (done.exit_code, list(deployed.calls)) == (2, [])


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.RESET, Fault.THROTTLE, Fault.INTERNAL, Fault.TRUNCATED])
def test_one_command_starts_one_run_however_often_the_call_is_repeated(
    fault: Fault, deployed: FakeAws, buzzflow: Buzzflow
) -> None:
    deployed.faults.on("StartPipelineExecution", fault)
    assert buzzflow("run", "churn").exit_code == 0
    assert len(deployed.executions) == 1


def test_waiting_ends_well_when_the_run_does(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"extract": step(0.3), "train": step(0.2)})
    done = buzzflow("run", "churn", "--wait", *QUICK)
    assert done.exit_code == 0, done.stderr
    assert re.search(r"\d\d:\d\d:\d\d extract: succeeded in 0\.3 s", done.stderr)
    assert re.search(r"^  publish +Processing +succeeded", done.stdout, re.MULTILINE)


def test_waiting_ends_with_4_when_the_run_fails(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.will_run({"train": step(0.1, "AlgorithmError: exit code 1", lines=["epoch 1", "ValueError: no rows"])})
    done = buzzflow("run", "churn", "--wait", *QUICK)
    assert done.exit_code == 4
    assert "step train failed: AlgorithmError: exit code 1\n  | epoch 1\n  | ValueError: no rows\n" in done.stdout


def test_an_unknown_pipeline_is_told_with_the_nearest_one(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    done = buzzflow("run", "reserch-churn", "--region", "us-west-2")
    assert done.exit_code == 1
    assert "error[BF631]: no pipeline 'reserch-churn' is deployed in us-west-2" in done.stderr
    assert f"help: did you mean '{NAME}'?" in done.stderr


def test_credentials_of_another_account_are_refused(deployed: FakeAws, buzzflow: Buzzflow, repository: Path) -> None:
    file = repository / "projects" / "research" / "environment.yaml"
    file.write_text(file.read_text().replace("111122223333", "444455556666"))
    done = buzzflow("run", "churn")
    assert (done.exit_code, deployed.executions) == (1, [])
    assert "error[BF602]" in done.stderr


def test_denied_permissions_are_named(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    deployed.faults.on("StartPipelineExecution", Fault.ACCESS_DENIED, times=None)
    done = buzzflow("run", "churn")
    assert done.exit_code == 1
    assert "error[BF604]" in done.stderr
    assert "sagemaker:StartPipelineExecution" in done.stderr


def test_a_broken_file_is_told_when_its_pipeline_is_meant(
    deployed: FakeAws, buzzflow: Buzzflow, repository: Path
) -> None:
    (repository / "projects" / "research" / "churn" / "pipeline.yaml").write_text("steps: [\n")
    done = buzzflow("run", "churn")
    assert done.exit_code == 1
    assert "--> projects/research/churn/pipeline.yaml" in done.stderr


def test_two_pipelines_of_one_name_have_to_be_told_apart(
    deployed: FakeAws, buzzflow: Buzzflow, repository: Path
) -> None:
    other = repository / "projects" / "prod" / "churn"
    other.mkdir(parents=True)
    (other.parent / "environment.yaml").write_text("name: prod\nregion: us-west-2\n")
    (other / "pipeline.yaml").write_text("steps: {a: {type: fail, message: never}}\n")
    done = buzzflow("run", "churn")
    assert (done.exit_code, deployed.executions) == (1, [])
    assert "error[BF644]: 2 pipelines of this repository are called 'churn'" in done.stderr
    assert "give the path of one: projects/prod/churn/pipeline.yaml, projects/research/churn/" in done.stderr
    assert buzzflow("run", NAME).exit_code == 0
