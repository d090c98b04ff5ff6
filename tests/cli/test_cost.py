"""The most that a run costs, on the command line; and how old what it is made from is."""

import json
from datetime import timedelta

import pytest

from buzzflow.backends.sagemaker.tables import TABLES, provenances
from buzzflow.cli.doctor import table_findings

ENVIRONMENT = """\
name: research
account: "111122223333"
region: us-east-1
bucket: example-ml
role: arn:aws:iam::111122223333:role/example
"""
PIPELINE = """\
name: small
steps:
  train: {type: training, image: sklearn:1.4-2, code: train.py, timeout: 10h}
"""


@pytest.fixture
def deployed(buzzflow, tmp_path):
    folder = tmp_path / "projects" / "research" / "small"
    folder.mkdir(parents=True)
    (folder.parent / "environment.yaml").write_text(ENVIRONMENT)
    (folder / "pipeline.yaml").write_text(PIPELINE)
    (folder / "train.py").write_text("")
    return lambda command, *arguments: buzzflow(command, str(folder), *arguments)


def test_a_dry_run_tells_the_total(deployed):
    done = deployed("create", "--dry-run")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("a run costs at most 2.30 USD in us-east-1 (prices of ")


def test_the_definition_stands_alone(deployed):
    assert json.loads(deployed("create", "--dry-run", "--json").stdout)["Version"] == "2020-12-01"


def test_a_budget_that_is_too_small_stops_the_line(deployed):
    done = deployed("validate", "--set", "budget=2")
    assert done.returncode == 1
    assert "error[BF670]: a run may cost 2.30 USD, and the budget allows 2.00 USD" in done.stdout + done.stderr


def test_the_budget_can_be_explained(deployed):
    done = deployed("explain", "budget.unknown", "--set", "budget=5")
    assert done.stdout.startswith("budget.unknown: warn")


@pytest.mark.parametrize(("days", "state"), [(179, "ok"), (180, "ok"), (181, "warning")])
def test_doctor_warns_of_tables_that_are_over_180_days_old(days, state):
    dates = sorted(table.date for table in provenances())
    found = [*table_findings((dates[-1] if days > 180 else dates[0]) + timedelta(days))]
    assert [f.name for f in found] == [*(table.name for table in TABLES), "instance hardware"]
    assert {f.state for f in found} == {state}
    assert all(("make refresh-data" in f.told) == (state == "warning") for f in found)


def test_doctor_lists_every_table_with_its_day(buzzflow):
    told = {f["name"]: f["told"] for f in json.loads(buzzflow("doctor", "--json").stdout)}
    for table in provenances():
        assert told[table.table].startswith(f"{table.source} {table.version}, of {table.date}")
