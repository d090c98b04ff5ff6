"""`plan` tells what would change, in the meaning and not in the text; `drift` whether what runs is what is here."""

from __future__ import annotations

import json

import pytest

from tests.aws.faults import Fault

from .conftest import NAME


def update(account, **members):
    account.client("sagemaker").update_pipeline(PipelineName=NAME, **members)


def test_a_new_pipeline_is_all_new(buzzflow):
    done = buzzflow("plan", "projects")
    assert done.returncode == 0
    assert done.stdout.splitlines()[:3] == [
        "research-churn in us-west-2: to create",
        "  + step extract (Processing)",
        "  + step train (Training)",
    ]
    assert done.stdout.endswith("1 of 1 pipeline to deploy: 2 steps to add, 0 to change, 0 to remove\n")


def test_check_tells_differences_by_its_exit_code(buzzflow):
    assert buzzflow("plan", "projects", "--check").returncode == 5
    buzzflow("create", "projects")
    assert buzzflow("plan", "projects", "--check").returncode == 0


def test_a_plan_writes_nothing(account, buzzflow):
    buzzflow("plan", "projects")
    assert [call for call in account.calls if call.writes] == []


def test_order_and_layout_are_no_change(account, buzzflow):
    buzzflow("create", "projects")
    data = json.loads(account.pipeline(NAME).current.text)
    data["Steps"].reverse()
    for step in data["Steps"]:
        step["Arguments"] = dict(reversed(step["Arguments"].items()))
        step["Arguments"].get("ProcessingInputs", []).reverse()
    update(account, PipelineDefinition=json.dumps(data, indent=4))
    assert buzzflow("plan", "projects", "--check").returncode == 0
    assert buzzflow("drift", "projects").returncode == 0


def test_each_change_is_told_with_both_values_and_what_runs_again(repository, buzzflow):
    buzzflow("create", "projects")
    repository.change("arguments: {date:", "instance: {type: ml.m5.2xlarge}, arguments: {day:")
    repository.change("parallelism: 4", "parallelism: 2")
    repository.change('"2026-01-01"', '"2026-02-01"')
    done = buzzflow("plan", "projects")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("research-churn in us-west-2: to update  (deployed ")
    assert lines[1:-3] == [
        "  ~ step extract (Processing)",
        '      ProcessingResources.ClusterConfig.InstanceType: "ml.m5.xlarge" -> "ml.m5.2xlarge"',
        '      AppSpecification.ContainerArguments.0: "--date" -> "--day"',
        "      runs again in spite of its cache: AppSpecification.ContainerArguments.0",
        "    step train (Training)",
        "      runs again in spite of its cache: it uses extract",
        "  ~ parallelism: 4 -> 2",
        '  ~ Parameters.date.DefaultValue: "2026-01-01" -> "2026-02-01"',
    ]
    assert lines[-1] == "1 of 1 pipeline to deploy: 0 steps to add, 1 to change, 0 to remove"


def test_code_is_told_as_code_and_a_change_of_machines_keeps_the_cache(repository, buzzflow):
    buzzflow("create", "projects")
    repository.write("projects/research/churn/train.py", "print('other')\n")
    done = buzzflow("plan", "projects", "--json")
    [step] = json.loads(done.stdout)["pipelines"][0]["steps"]
    assert (step["name"], step["action"]) == ("train", "change")
    assert step["runs_again_for"] == ["InputDataConfig.code.DataSource.S3DataSource.S3Uri"]
    shown = buzzflow("plan", "projects").stdout
    assert "      runs again in spite of its cache: code\n" in shown
    repository.git("checkout", "--", ".")
    repository.change("code: train.py", "instance: {type: ml.m5.4xlarge}, code: train.py")
    [step] = json.loads(buzzflow("plan", "projects", "--json").stdout)["pipelines"][0]["steps"]
    assert step["runs_again_for"] == []


def test_a_step_that_goes_is_told(repository, buzzflow):
    buzzflow("create", "projects")
    lines = [line for line in repository.file.read_text().splitlines() if not line.startswith("  train:")]
    repository.file.write_text("\n".join(lines))
    assert "  - step train (Training)\n" in buzzflow("plan", "projects").stdout


def test_the_comment_of_a_pull_request_is_a_table(repository, buzzflow):
    buzzflow("create", "projects")
    repository.change('"2026-01-01"', '"a|b `c`"')
    done = buzzflow("plan", "projects", "--format", "markdown")
    assert done.stdout.startswith("## buzzflow plan\n\n1 of 1 pipeline to deploy")
    row = next(line for line in done.stdout.splitlines() if "DefaultValue" in line)
    assert row == '| ~ | `Parameters.date.DefaultValue` | `"2026-01-01"` | `` "a\\|b `c`" `` |'


def test_references_are_spelled_as_in_the_file(repository, buzzflow):
    buzzflow("create", "projects")
    repository.change('{date: "${param:date}"}', '{date: "day=${param:date}/"}')
    assert '"${param:date}" -> ' not in (shown := buzzflow("plan", "projects").stdout)
    assert "AppSpecification.ContainerArguments.1: ${param:date} -> day=${param:date}/" in shown


def test_a_definition_edited_by_hand_is_told(account, buzzflow):
    buzzflow("create", "projects")
    data = json.loads(account.pipeline(NAME).current.text)
    data["Steps"][0]["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = 5
    update(account, PipelineDefinition=json.dumps(data))
    assert "changed outside of buzzflow" in buzzflow("plan", "projects").stdout
    done = buzzflow("drift", "projects", "--json")
    assert done.returncode == 5
    [found] = json.loads(done.stdout)["pipelines"]
    assert (found["state"], found["told"]) == ("edited", "changed outside of buzzflow: 1 step")
    assert buzzflow("create", "projects").returncode == 0
    assert buzzflow("drift", "projects").returncode == 0


def test_drift_knows_what_is_behind_missing_and_gone(repository, buzzflow):
    assert json.loads(buzzflow("drift", "projects", "--json").stdout)["pipelines"][0]["state"] == "missing"
    buzzflow("create", "projects")
    repository.change("parallelism: 4", "parallelism: 2")
    assert json.loads(buzzflow("drift", "projects", "--json").stdout)["pipelines"][0]["state"] == "behind"
    repository.change("name: churn", "name: churn-two")
    found = json.loads(buzzflow("drift", "projects", "--json").stdout)["pipelines"]
    assert [(each["name"], each["state"]) for each in found] == [
        ("research-churn-two", "missing"),
        ("research-churn", "gone"),
    ]


def test_drift_leaves_other_repositories_alone(repository, buzzflow):
    buzzflow("create", "projects")
    repository.git("remote", "set-url", "origin", "git@example.com:acme/fork.git")
    repository.change("name: churn", "name: churn-two")
    found = json.loads(buzzflow("drift", "projects", "--json").stdout)["pipelines"]
    assert [each["name"] for each in found] == ["research-churn-two"]


def test_without_an_origin_drift_still_compares(repository, buzzflow):
    buzzflow("create", "projects")
    repository.git("remote", "remove", "origin")
    done = buzzflow("drift", "projects")
    assert "BF617" in done.stderr


def test_a_plan_goes_on_when_one_pipeline_cannot_be_read(account, repository, buzzflow):
    repository.write("projects/research/other/pipeline.yaml", "steps: {a: {type: fail, message: stop}}\n")
    account.faults.on("DescribePipeline", Fault.ACCESS_DENIED)
    done = buzzflow("plan", "projects", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert len(told["pipelines"]) == 1
    assert [d["code"] for d in told["diagnostics"] if d["severity"] == "error"] == ["BF604"]


@pytest.mark.parametrize("form", ["human", "json", "markdown"])
def test_a_secret_of_the_remote_is_nowhere(repository, buzzflow, form):
    done = buzzflow("plan", "projects", "--format", form)
    assert "ghp_secret" not in done.stdout + done.stderr


def test_a_plan_costs(repository, buzzflow):
    text = (repository.root / "projects/research/environment.yaml").read_text()
    repository.write("projects/research/environment.yaml", text.replace("us-west-2", "us-east-1"))
    told = json.loads(buzzflow("plan", "projects", "--json").stdout)
    assert told["pipelines"][0]["cost"]["maximum_usd"] > 0
    assert "a run costs at most " in buzzflow("plan", "projects").stdout
    assert "ml.m5.xlarge" in buzzflow("plan", "projects", "--costs").stdout
