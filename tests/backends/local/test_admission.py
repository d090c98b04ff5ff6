"""Steps that do not fit into the memory together run one after another."""

from __future__ import annotations

from pathlib import Path

from buzzflow.backends.local.admission import Memory, last_peaks
from buzzflow.backends.local.records.manifest import Manifest, StepRecord, UsageRecord, write_manifest

GIB = 2**30


def test_steps_that_fit_together_run_together() -> None:
    memory = Memory(10 * GIB, {"a": 4 * GIB, "b": 6 * GIB, "c": GIB})
    assert memory.admits("b", ["a"])
    assert not memory.admits("c", ["a", "b"])


def test_a_step_alone_runs_whatever_it_used_and_so_does_an_unknown_one() -> None:
    memory = Memory(10 * GIB, {"a": 40 * GIB})
    assert memory.admits("a", [])
    assert memory.admits("new", ["a"])
    assert memory.admits("a", ["new"])
    assert Memory(None, {"a": 40 * GIB}).admits("b", ["a"])


def test_why_a_step_waits_is_told_once() -> None:
    memory = Memory(10 * GIB, {"a": 6 * GIB, "b": 6 * GIB})
    told = "b waits for memory: last time it used 6.0 GiB, and a 6.0 GiB, of 10.0 GiB"
    assert [memory.why_not("b", ["a"]), memory.why_not("b", ["a"])] == [told, None]


def run(folder: Path, name: str, pipeline: str, **peaks: int | None) -> None:
    (folder / name).mkdir(parents=True)
    steps = {
        step: StepRecord(type="processing", usage=UsageRecord(wall_seconds=1.0, memory_peak_bytes=peak))
        for step, peak in peaks.items()
    }
    manifest = Manifest(
        run=name, pipeline=pipeline, buzzflow="1", executor="docker", machine="m", owner="1:1", started="", steps=steps
    )
    write_manifest(manifest, folder / name)


def test_the_last_run_that_measured_a_step_counts(tmp_path: Path) -> None:
    run(tmp_path, "20260101-000000-aaaa", "flights", a=1, b=2, c=3)
    run(tmp_path, "20260102-000000-aaaa", "flights", a=10, b=None)
    run(tmp_path, "20260103-000000-aaaa", "others", a=100)
    (tmp_path / "20260104-000000-aaaa").mkdir()
    (tmp_path / "20260104-000000-aaaa" / "manifest.json").write_text("{")
    assert last_peaks(tmp_path, "flights") == {"a": 10, "b": 2, "c": 3}
    assert last_peaks(tmp_path / "none", "flights") == {}
