"""Runs are chosen by what they are and have found; two are compared without their noise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from buzzflow.backends.local.events import State
from buzzflow.backends.local.history.compare import Row, compare
from buzzflow.backends.local.history.findings import findings
from buzzflow.backends.local.history.overview import Overview, overview
from buzzflow.backends.local.history.select import MetricCondition, Selection, files_of
from buzzflow.backends.local.records.manifest import read_manifest, write_manifest
from tests.views.report.made import Made, failed, good, make_run


@pytest.fixture
def run(tmp_path: Path) -> Overview:
    return overview(make_run(tmp_path / "20261122-101500-3f9a", good()))


def test_findings_are_metrics_and_the_numbers_of_reports(run: Overview) -> None:
    assert {one.label: one.value for one in run.findings} == {
        "train.auc": 0.787,
        "train.loss": 0.1188,
        "baseline.auc": 0.702,
        "evaluate.report.auc": 0.7812,
        "evaluate.report.accuracy": 0.841,
        "evaluate.report.by_carrier.UA": 0.79,
        "evaluate.report.by_carrier.AA": 0.77,
    }


@pytest.mark.parametrize(
    "content", ["[1, 2]", '{"a": true, "b": "1", "c": null, "d": NaN, "e": [3]}', "{", '{"x":' * 90]
)
def test_what_is_no_number_is_no_finding(content: str, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "r", [Made("a", report={"auc": 1})])
    (folder / "outputs" / "a" / "report" / "metrics.json").write_text(content)
    assert [*findings(read_manifest(folder), folder)] == []


def test_of_a_report_with_thousands_of_numbers_the_first_are_taken(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "r", [Made("a", report={f"n{i}": i for i in range(1000)}, metrics={"auc": 1.0})])
    assert len([*findings(read_manifest(folder), folder)]) == 51


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("auc>0.78", True),
        ("auc > 0.8", False),
        ("train.auc>0.78", True),
        ("baseline.auc>0.78", False),
        ("report.auc<=0.7812", True),
        ("uc>0", False),
        ("UA=0.79", True),
        ("absent>0", False),
        ("loss!=1", True),
    ],
)
def test_a_condition_holds_for_any_number_of_that_name(condition: str, holds: bool, run: Overview) -> None:
    assert MetricCondition.read(condition).holds(run) is holds


@pytest.mark.parametrize("text", ["auc", "auc>", ">1", "auc>high", "auc=>1", ""])
def test_what_is_no_condition_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="is no condition"):
        MetricCondition.read(text)


@pytest.mark.parametrize(
    ("selection", "has"),
    [
        (Selection(), True),
        (Selection(frozenset({"flight-delays"})), True),
        (Selection(frozenset({"projects/research/flight-delays/pipeline.yaml"})), True),
        (Selection(frozenset({"churn"})), False),
        (Selection(states=frozenset({"succeeded"})), True),
        (Selection(states=frozenset({"failed", "killed"})), False),
        (Selection(since=datetime(2026, 11, 22, 10, 15, tzinfo=UTC)), True),
        (Selection(since=datetime(2026, 11, 22, 11, tzinfo=UTC)), False),
    ],
)
def test_a_selection_asks_for_pipeline_state_and_time(selection: Selection, has: bool, run: Overview) -> None:
    assert selection.has(run) is has


def test_files_are_named_from_the_top(tmp_path: Path) -> None:
    assert files_of([tmp_path / "a" / "pipeline.yaml"], tmp_path) == {"a/pipeline.yaml"}
    assert files_of([Path("/elsewhere/pipeline.yaml")], tmp_path) == {"/elsewhere/pipeline.yaml"}


# ------------------------------------------------------------------ two runs


def different(left: Overview, right: Overview) -> dict[tuple[str, str], tuple[object, object]]:
    return {(row.section, row.name): (row.left, row.right) for row in compare(left, right) if row.differs}


def test_equal_runs_differ_in_nothing(run: Overview, tmp_path: Path) -> None:
    again = overview(make_run(tmp_path / "20261122-111500-aaaa", good()))
    assert different(run, again) == {}
    assert len(compare(run, again)) > 40


def test_what_differs_is_told_by_section(run: Overview, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "20261122-111500-aaaa", failed(), state=State.FAILED, parameters={"max_depth": 8})
    manifest = read_manifest(folder)
    manifest.code["train"] = "ffff"
    write_manifest(manifest, folder)
    found = different(run, overview(folder))
    assert found["run", "state"] == ("succeeded", "failed")
    assert found["parameters", "run_date"] == ("2026-11-21", None)
    assert found["parameters", "max_depth"] == (6, 8)
    assert found["metrics", "train.auc"] == (0.787, None)
    assert found["state", "train"] == ("succeeded", "failed")
    assert found["time", "train"] == (21.7, 3.1)
    assert found["code", "train"][1] == "ffff"
    assert ("code", "evaluate") not in found
    assert ("time", "evaluate") not in found, "that it was skipped says its state"


def test_a_tenth_more_or_less_is_noise(run: Overview, tmp_path: Path) -> None:
    steps = [replace(step, seconds=None if step.seconds is None else step.seconds * 1.08) for step in good()]
    assert different(run, overview(make_run(tmp_path / "r", steps))) == {}
    rows = [row for row in compare(run, overview(tmp_path / "r")) if row.section == "time"]
    assert rows[0] == Row("time", "extract-flights", 8.4, 8.4 * 1.08, differs=False, unit=rows[0].unit)
