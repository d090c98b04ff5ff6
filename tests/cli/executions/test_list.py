"""`list`: deployed pipelines, or the runs of one."""

from __future__ import annotations

import json
from pathlib import Path

from tests.aws.fake import FakeAws
from tests.aws.sagemaker.scripts import step
from tests.cli.executions.conftest import NAME, ROLE, Buzzflow

TEXT = json.dumps({"Version": "2020-12-01", "Steps": [{"Name": "a", "Type": "Processing", "Arguments": {}}]})


def test_the_pipelines_of_the_repository_are_listed_with_their_last_runs(
    deployed: FakeAws, buzzflow: Buzzflow, repository: Path
) -> None:
    for name, text in (("fresh", "steps: {a: {type: fail, message: never}}\n"), ("broken", "steps: [\n")):
        (repository / "projects" / "research" / name).mkdir()
        (repository / "projects" / "research" / name / "pipeline.yaml").write_text(text)
    deployed.client("sagemaker").create_pipeline(PipelineName="of-others", PipelineDefinition=TEXT, RoleArn=ROLE)
    assert "has not run yet" in buzzflow("list").stdout
    deployed.will_run({"train": step(0, "AlgorithmError: no")})
    buzzflow("run", "churn")
    done = buzzflow("list")
    assert done.exit_code == 0
    *_, row = done.stdout.splitlines()
    assert row.split() == [NAME, deployed.executions[0].id, "failed", "just", "now"]
    assert "not deployed in us-west-2: research-fresh" in done.stderr
    assert "--> projects/research/broken/pipeline.yaml" in done.stderr
    everything = buzzflow("list", "--all")
    assert [line.split()[0] for line in everything.stdout.splitlines()[2:]] == ["of-others", NAME]
    assert [one["pipeline"] for one in json.loads(buzzflow("list", "--all", "--json").stdout)] == ["of-others", NAME]


def test_an_account_for_which_there_are_no_credentials_is_told_and_the_rest_is_listed(
    deployed: FakeAws, buzzflow: Buzzflow, repository: Path
) -> None:
    prod = repository / "projects" / "prod" / "churn"
    prod.mkdir(parents=True)
    (prod.parent / "environment.yaml").write_text("name: prod\nregion: us-west-2\naccount: '444455556666'\n")
    (prod / "pipeline.yaml").write_text("steps: {a: {type: fail, message: never}}\n")
    done = buzzflow("list")
    assert done.exit_code == 0
    assert NAME in done.stdout
    assert "not looked at: churn, which are in account 444455556666" in done.stderr


def test_the_last_runs_of_a_pipeline_are_listed(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    assert "has not run yet; start it: buzzflow run" in buzzflow("list", "churn").stderr
    client = deployed.client("sagemaker")
    for n in range(130):
        client.start_pipeline_execution(PipelineName=NAME, PipelineExecutionDisplayName=f"run-{n}")
        deployed.clock.advance(1)
    done = buzzflow("list", "churn")
    rows = done.stdout.splitlines()[2:]
    assert len(rows) == 20
    assert rows[0].split()[:3] == [deployed.executions[-1].id, "run-129", "succeeded"]
    assert len(buzzflow("list", "churn", "--limit", "3").stdout.splitlines()) == 5
    every = json.loads(buzzflow("list", "churn", "--limit", "500", "--json").stdout)
    assert [one["name"] for one in every] == [f"run-{n}" for n in reversed(range(130))]


def test_a_folder_lists_the_pipelines_below_it(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    assert NAME in buzzflow("list", "projects/research").stdout
    wrong = buzzflow("list", "churn", "--all")
    assert (wrong.exit_code, "name none" in wrong.stderr) == (2, True)


def test_many_pipelines_come_in_pages(deployed: FakeAws, buzzflow: Buzzflow) -> None:
    client = deployed.client("sagemaker")
    for n in range(120):
        client.create_pipeline(PipelineName=f"p{n:03}", PipelineDefinition=TEXT, RoleArn=ROLE)
    told = json.loads(buzzflow("list", "--all", "--json").stdout)
    assert [one["pipeline"] for one in told] == [*(f"p{n:03}" for n in range(120)), NAME]
