"""Lists of local runs and two of them side by side fit into 80 columns."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from buzzflow.backends.local.events import State
from buzzflow.backends.local.history.compare import Row, Unit, compare
from buzzflow.backends.local.history.overview import Overview, overview
from buzzflow.backends.local.history.removal import removal
from buzzflow.views.figures import size
from buzzflow.views.local_runs import compared, listing
from tests.views.report.made import Made, failed, good, make_run

NOW = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)


def screen(view: object) -> list[str]:
    console = Console(file=io.StringIO(), width=80)
    console.print(view)
    return console.file.getvalue().splitlines()


@pytest.fixture
def runs(tmp_path: Path) -> list[Overview]:
    long = [Made("a", metrics={f"metric-{i}": i / 7 for i in range(9)})]
    made = [
        make_run(tmp_path / "20261122-101500-3f9a", good()),
        make_run(tmp_path / "20261121-101500-fa11", failed(), state=State.FAILED),
        make_run(tmp_path / "20261120-101500-aaaa", long, pipeline="a-pipeline-with-a-name-that-is-rather-long"),
    ]
    return [overview(folder) for folder in made]


def test_the_list_fits_into_80_columns(runs: list[Overview]) -> None:
    lines = screen(listing.runs(runs, NOW))
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("20261121-101500-fa11") and "5/10, 1 failed" in line for line in lines)
    assert any("and 3 more" in line for line in lines)


def test_a_run_that_cannot_be_read_is_in_the_list(tmp_path: Path) -> None:
    (tmp_path / "20261122-101500-3f9a").mkdir()
    (tmp_path / "20261122-101500-3f9a" / "manifest.json").write_text("{")
    run = overview(tmp_path / "20261122-101500-3f9a")
    assert any("unreadable" in line for line in screen(listing.runs([run], NOW)))
    assert listing.as_data(run)["problem"].startswith(str(run.folder))
    assert screen(listing.removed(removal([run], [run])))[-1].split()[-1] == "goes"


def test_two_runs_side_by_side_fit_into_80_columns(runs: list[Overview]) -> None:
    lines = screen(compared.table(compare(runs[0], runs[1]), runs[0].id, runs[1].id, everything=True))
    assert max(map(len, lines)) <= 80
    assert ["train", "21.7", "s"] not in [line.split() for line in lines]
    assert any(line.split() == ["train", "22", "s", "3.1", "s", "-86%"] for line in lines)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (Row("metrics", "auc", 0.75, 0.8, differs=True), ["auc", "0.75", "0.8", "+0.05"]),
        (Row("parameters", "fast", True, False, differs=True), ["fast", "True", "False"]),
        (
            Row("memory peak", "a", 2**30, 2**31, differs=True, unit=Unit.BYTES),
            ["a", "1.0", "GiB", "2.0", "GiB", "+100%"],
        ),
        (Row("CPU mean", "a", 0.0, 1.5, differs=True, unit=Unit.CORES), ["a", "0.00", "1.50"]),
        (Row("code", "a", "ab" * 32, None, differs=True), ["a", "abababababab", "-"]),
    ],
)
def test_values_are_told_in_their_units_with_the_change(row: Row, told: list[str]) -> None:
    assert screen(compared.table([row], "left", "right", everything=False))[-1].split() == told


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0 B"), (812, "812 B"), (5100, "5.1 kB"), (999_600, "1.0 MB"), (220_000_000, "220 MB"), (3 * 10**13, "30 TB")],
)
def test_sizes_are_told_in_two_or_three_figures(count: int, told: str) -> None:
    assert size(count) == told
