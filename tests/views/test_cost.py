"""What a run costs at most, as people and programs read it."""

import datetime
import io
import json

import pytest
from rich.console import Console

from buzzflow.backends.sagemaker.budget import dollars
from buzzflow.backends.sagemaker.cost import EndpointCost, RunCost
from buzzflow.backends.sagemaker.job_cost import StepCost
from buzzflow.views.cost import as_data, details, total

EXTRACT = StepCost("extract", "processing", "ml.m5.xlarge", 1, 1.0, 0.23, 0.23)
TRAIN = StepCost("train", "training", "ml.g5.xlarge", 2, 12.0, 1.41, 33.84, None, ("spot is told",))
GATE = StepCost("gate", "condition", maximum=0.0)
OTHER = StepCost("other", "processing", "ml.m5.xlarge", 1, 2.0, 0.23, 0.46, counted=False)
SCORE = StepCost("score", "transform", unknown="it has no timeout")
TABLE = StepCost("table", "automl", unknown="the service chooses")


def run(*steps, endpoints=()):
    known = sum(step.maximum or 0 for step in steps if step.counted)
    unknown = any(step.unknown for step in steps)
    day = datetime.date(2026, 9, 27)
    return RunCost(steps, known, None if unknown else known, endpoints, "us-east-1", day, "a list")


def screen(cost):
    console = Console(file=io.StringIO(), width=80)
    console.print(details(cost))
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("amount", "told"),
    [(0, "0.00 USD"), (2.3000000000000003, "2.30 USD"), (0.001, "0.01 USD"), (1234.561, "1,234.57 USD")],
)
def test_a_maximum_is_rounded_up_to_the_cent(amount, told):
    assert dollars(amount) == told


def test_the_total_stands_in_one_line_with_the_day_of_the_prices():
    assert total(run(EXTRACT, TRAIN, GATE)) == "a run costs at most 34.07 USD in us-east-1 (prices of 2026-09-27)"


def test_an_unknown_total_says_why():
    assert total(run(SCORE)) == "what a run costs at most is unknown: it has no timeout (prices of 2026-09-27)"
    told = total(run(EXTRACT, SCORE, TABLE))
    assert told.startswith(
        "what a run costs at most is unknown: 2 of 3 steps have no limit; what is known of it, 0.23 USD"
    )


def test_the_table_fits_into_80_columns_and_says_all():
    told = screen(run(EXTRACT, TRAIN, GATE, OTHER, endpoints=(EndpointCost("config", "ml.m5.large", 2, 0.23),)))
    lines = told.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.split() == ["train", "2", "x", "ml.g5.xlarge", "12", "1.41", "33.84"] for line in lines)
    assert "(0.46)" in told
    assert "gate" not in told
    assert "endpoint of config: 0.23 USD an hour until it is deleted (2 x ml.m5.large)" in told
    assert "taken for granted: spot is told" in told
    assert "not included: disks" in told
    assert "the cheaper side of a condition" in told


def test_each_reason_is_told_once_with_its_steps():
    told = screen(run(SCORE, TABLE, StepCost("again", "transform", unknown=SCORE.unknown)))
    assert "unknown for score, again: it has no timeout" in told
    assert "unknown for table: the service chooses" in told


def test_the_data_is_json_and_has_the_day():
    data = as_data(run(EXTRACT, SCORE, endpoints=(EndpointCost("config", unknown="serverless"),)))
    assert json.loads(json.dumps(data)) == data
    assert (data["maximum_usd"], data["known_usd"]) == (None, 0.23)
    assert data["prices"] == {"date": "2026-09-27", "source": "a list"}
    assert data["steps"][1]["unknown"] == "it has no timeout"
    assert data["endpoints"][0]["unknown"] == "serverless"
