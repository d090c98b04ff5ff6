"""`prune` deletes what was deployed from this repository and is gone from it, and nothing else."""

from __future__ import annotations

import json

import pytest

from .conftest import NAME

ANOTHER = "research-another"


@pytest.fixture
def two(repository, buzzflow):
    """Two deployed pipelines, of which one is gone from the repository."""
    text = repository.file.read_text().replace("name: churn", "name: another")
    repository.write("projects/research/another/pipeline.yaml", text)
    for script in ("extract.py", "train.py"):
        repository.write(f"projects/research/another/{script}", "print(1)")
    assert buzzflow("create", "projects").returncode == 0
    for file in (repository.root / "projects/research/another").iterdir():
        file.unlink()
    return repository


def test_what_is_gone_is_deleted_with_its_schedules(two, account, buzzflow):
    target = {"Arn": account.pipeline(ANOTHER).arn, "RoleArn": "arn:aws:iam::111122223333:role/scheduler"}
    account.client("scheduler").create_schedule(
        Name="nightly", ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
    )
    done = buzzflow("prune", "projects", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    [gone] = json.loads(done.stdout)["pipelines"]
    assert (gone["pipeline"], gone["deleted"], [s["name"] for s in gone["schedules"]]) == (ANOTHER, True, ["nightly"])
    assert account.pipeline(ANOTHER) is None
    assert account.pipeline(NAME) is not None
    assert account.client("scheduler").list_schedules()["Schedules"] == []
    again = buzzflow("prune", "projects", "--yes")
    assert "nothing that was deployed from here is gone" in again.stderr


def test_nothing_goes_unasked(two, account, buzzflow):
    done = buzzflow("prune", "projects")
    assert done.returncode == 1
    assert "BF640" in done.stderr
    assert account.pipeline(ANOTHER) is not None


def test_another_repository_s_pipelines_stay(two, account, buzzflow):
    two.git("remote", "set-url", "origin", "https://example.com/acme/other.git")
    assert buzzflow("prune", "projects", "--yes").returncode == 0
    assert account.pipeline(ANOTHER) is not None


def test_a_file_with_errors_is_not_a_file_that_is_gone(two, account, buzzflow):
    two.file.write_text("steps: {")
    done = buzzflow("prune", "projects", "--yes")
    assert "BF617" in done.stderr
    assert account.pipeline(NAME) is not None


def test_what_ci_alone_may_change_stays(two, account, buzzflow):
    environment = two.root / "projects/research/environment.yaml"
    environment.write_text(f"{environment.read_text()}deploy_from: [ci]\n")
    done = buzzflow("prune", "projects", "--yes")
    assert done.returncode == 1
    assert "BF601" in done.stderr
    assert account.pipeline(ANOTHER) is not None
    assert buzzflow("prune", "projects", "--yes", CI="true").returncode == 0
    assert account.pipeline(ANOTHER) is None
