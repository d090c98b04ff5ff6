"""Metrics in the log and in the report."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_manager.metrics import log_metrics, write_report

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def test_each_metric_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    log_metrics(auc=0.93, rows=1000, loss=1e-07)
    assert capsys.readouterr().out == "auc=0.93\nrows=1000\nloss=0.0000001\n"


def test_a_mapping_takes_other_names_and_a_step_follows_the_value(capsys: pytest.CaptureFixture[str]) -> None:
    log_metrics({"val/auc": Decimal("0.5")}, step=3, auc=1.0)
    assert capsys.readouterr().out == "val/auc=0.5 step=3\nauc=1.0 step=3\n"


@given(value=FINITE.filter(lambda x: x >= 0) | st.integers(min_value=0), step=st.none() | st.integers(0, 99))
def test_the_regular_expression_of_a_pipeline_reads_the_same_number_back(value: float, step: int | None) -> None:
    printed: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout.write", printed.append)
        log_metrics(auc=value, step=step)
    [found] = re.findall(r"auc=([0-9\.]+)", "".join(printed))
    assert type(value)(found) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_refused_and_nothing_is_printed(value: float, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=r"metric 'loss' is (nan|-?inf), which is no finite number"):
        log_metrics(auc=0.9, loss=value)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("value", ["0.9", True, None, [0.9]])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="metric 'auc' is no number but"):
        log_metrics(auc=value)


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a\nb", "ä"])
def test_a_name_that_would_break_the_line_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="may have only letters, digits and"):
        log_metrics({name: 1.0})


def test_numbers_of_numpy_are_numbers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    np = pytest.importorskip("numpy")
    log_metrics(auc=np.float64(0.93), rows=np.int64(7))
    assert capsys.readouterr().out == "auc=0.93\nrows=7\n"
    values = {"auc": np.float32(0.5), "ok": np.bool_(1), "confusion": np.eye(2, dtype=int), "n": np.int64(7)}
    write_report(tmp_path / "m.json", values)
    assert json.loads((tmp_path / "m.json").read_text()) == {
        "auc": 0.5,
        "ok": True,
        "confusion": [[1, 0], [0, 1]],
        "n": 7,
    }


def test_a_report_has_sorted_keys_and_ends_with_a_newline(tmp_path: Path) -> None:
    path = write_report(tmp_path / "new" / "metrics.json", {"b": {"y": None, "x": "ä"}, "auc": 0.93, "l": (1, True)})
    assert path == tmp_path / "new" / "metrics.json"
    expected = {"auc": 0.93, "b": {"x": "ä", "y": None}, "l": [1, True]}
    assert path.read_text(encoding="utf-8") == json.dumps(expected, indent=2, ensure_ascii=False) + "\n"
    assert [p.name for p in path.parent.iterdir()] == ["metrics.json"]


@given(st.dictionaries(st.text(), FINITE))
def test_a_report_keeps_every_name_and_number(
    tmp_path_factory: pytest.TempPathFactory, metrics: dict[str, float]
) -> None:
    path = write_report(tmp_path_factory.getbasetemp() / "report.json", metrics)
    assert json.loads(path.read_text(encoding="utf-8")) == metrics


@pytest.mark.parametrize(
    ("metrics", "error", "message"),
    [
        ({"a": {"b": [1.0, float("nan")]}}, ValueError, r"'a\.b\[1\]' is nan, which is no finite number"),
        ({"a": {"b": object()}}, TypeError, r"'a\.b' is no number but object"),
        ({"a": {1: 2}}, TypeError, "a key in a is no text but int"),
        ({1: 2}, TypeError, "a key in the report is no text but int"),
    ],
)
def test_a_report_that_is_refused_leaves_the_old_one(
    tmp_path: Path, metrics: Any, error: type[Exception], message: str
) -> None:
    write_report(tmp_path / "m.json", {"auc": 1})
    with pytest.raises(error, match=message):
        write_report(tmp_path / "m.json", metrics)
    assert json.loads((tmp_path / "m.json").read_text()) == {"auc": 1}
    assert len(list(tmp_path.iterdir())) == 1


def test_a_report_that_cannot_take_its_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "m.json").mkdir()
    with pytest.raises(OSError):
        write_report(tmp_path / "m.json", {"auc": 1})
    assert [p.name for p in tmp_path.iterdir()] == ["m.json"]
