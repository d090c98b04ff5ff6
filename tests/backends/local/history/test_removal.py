"""Which runs may go, which must stay and why, and how they go."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from buzzflow.backends.local.events import State
from buzzflow.backends.local.history.caches import unused
from buzzflow.backends.local.history.overview import Overview, overview, size_of
from buzzflow.backends.local.history.removal import Bounds, beyond, removal, remove
from buzzflow.backends.local.owner import machine, owner
from buzzflow.backends.local.records.manifest import LeftRecord, Manifest, StepRecord, write_manifest
from buzzflow.diagnostics import PipelineError

Keep = Callable[..., Overview]


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """Keeps a run of a day of January, with as many kB of outputs; *uses* is the run whose results it took."""

    def keep(day: int, *, size: int = 0, uses: Overview | None = None, **about: Any) -> Overview:
        folder = tmp_path / "runs" / f"202601{day:02}-120000-{day:04x}"
        folder.mkdir(parents=True)
        (folder / "data.bin").write_bytes(b"x" * size * 1000)
        step = StepRecord(type="processing", state=State.SUCCEEDED)
        if uses is not None:
            address = f"s3://buzzflow-local/p/{uses.id}/a/data/"
            step = StepRecord(type="processing", state=State.CACHED, left=LeftRecord(addresses={"data": address}))
        given = {
            "state": State.SUCCEEDED,
            "started": f"2026-01-{day:02}T12:00:00Z",
            "machine": "m",
            "owner": "o",
        } | about
        write_manifest(
            Manifest(run=folder.name, pipeline="p", buzzflow="0", executor="process", steps={"a": step}, **given),
            folder,
        )
        return overview(folder)

    return keep


def days(runs: list[Overview]) -> list[int]:
    return [int(run.id[6:8]) for run in runs]


@pytest.mark.parametrize(
    ("bounds", "gone"),
    [
        (Bounds(keep=2), [2, 1]),
        (Bounds(keep=0), [4, 3, 2, 1]),
        (Bounds(keep=9), []),
        (Bounds(oldest=datetime(2026, 1, 3, tzinfo=UTC)), [2, 1]),
        (Bounds(size=260_000), [2, 1]),
        (Bounds(size=1), [3, 2, 1]),
        (Bounds(keep=3, oldest=datetime(2026, 1, 3, tzinfo=UTC)), [2, 1]),
        (Bounds(), []),
    ],
)
def test_what_lies_beyond_a_bound_goes_the_oldest_first(bounds: Bounds, gone: list[int], keep: Keep) -> None:
    runs = [keep(day, size=100) for day in (4, 3, 2, 1)]
    assert days(beyond(bounds, runs)) == gone


def test_a_run_whose_results_another_uses_stays_and_with_it_those_that_it_uses(keep: Keep) -> None:
    first, lone = keep(1), keep(2)
    second = keep(3, uses=first)
    third = keep(4, uses=second)
    runs = [third, second, lone, first]
    what = removal([second, lone, first], runs)
    assert days([*what.goes]) == [2]
    assert what.stays == {second.id: f"run {third.id} uses its results", first.id: f"run {second.id} uses its results"}
    assert days([*removal(runs, runs).goes]) == [4, 3, 2, 1]


def test_a_run_that_goes_on_stays_and_one_that_was_killed_goes(keep: Keep) -> None:
    used = keep(1)
    running = keep(2, uses=used, state="running", machine=machine(), owner=owner())
    killed = keep(3, state="running", machine=machine(), owner="999999:1")
    what = removal([killed, running, used], [killed, running, used])
    assert days([*what.goes]) == [3]
    assert what.stays == {running.id: "it is running", used.id: f"run {running.id} uses its results"}


def test_a_run_that_cannot_be_read_may_go(keep: Keep) -> None:
    run = keep(1)
    (run.folder / "manifest.json").write_text('{"version": 1}')
    again = overview(run.folder)
    assert (again.state, again.manifest) == ("unreadable", None)
    assert "version 1" in (again.problem or "")
    assert days([*removal([again], [again]).goes]) == [1]


def test_what_goes_is_gone_with_what_an_interrupt_had_left(keep: Keep, tmp_path: Path) -> None:
    (tmp_path / "trash" / "20250101-000000-0000").mkdir(parents=True)
    runs = [keep(1), keep(2)]
    remove(tmp_path, removal(runs, runs).folders)
    assert [*(tmp_path / "runs").iterdir()] == []
    assert not (tmp_path / "trash").exists()


def test_a_run_that_cannot_go_is_told(keep: Keep, tmp_path: Path) -> None:
    run = keep(1)
    (tmp_path / "trash").write_text("a file in the way")
    with pytest.raises(PipelineError) as error:
        remove(tmp_path, [run.folder])
    assert error.value.diagnostics[0].code == "BF522"
    assert run.folder.exists()


def test_caches_that_nobody_uses_go(keep: Keep, tmp_path: Path) -> None:
    run = keep(1)
    (run.folder / "run-plan.json").write_text('{"digest": "aaaa"}')
    now = datetime.now(UTC)
    for name, days_ago in (
        ("venvs/old", 31),
        ("venvs/new", 29),
        ("builds/aaaa", 99),
        ("builds/bbbb", 2),
        ("builds/cccc", 0),
    ):
        folder = tmp_path / "cache" / name
        folder.mkdir(parents=True)
        ready = folder / ".buzzflow-ready"
        ready.touch()
        for file in (ready, folder):
            os.utime(file, (now.timestamp() - 86_400 * days_ago,) * 2)
    assert [folder.name for folder in unused(tmp_path, [run], now)] == ["old", "bbbb"]
    assert unused(tmp_path / "absent", [run], now) == []


def test_a_file_with_two_names_takes_its_place_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    before = size_of(tmp_path)
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    assert size_of(tmp_path) == before >= 100_000
