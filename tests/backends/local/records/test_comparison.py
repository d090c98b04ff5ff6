"""What is told of two runs of one plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from buzzflow.backends.local.records.comparison import Comparison, RunFolder, ValueDifference, compare_runs
from buzzflow.backends.local.records.manifest import Manifest, StepRecord
from buzzflow.backends.local.records.origins import DataRecord, ImageRecord, Inventory, PlatformRecord, ProvenanceRecord
from buzzflow.backends.local.reuse.outputs import ListedFile, ListedOutput, Listing, write_listing


def listing(reports: Any = None, **files: str) -> Listing:
    listed = {name: ListedFile(size=1, modified=1, sha256=digest) for name, digest in files.items()}
    return Listing(outputs={"data": ListedOutput(address="s3://b-1/x/", files=listed)}, reports=reports or {})


def provenance(**members: Any) -> ProvenanceRecord:
    return ProvenanceRecord(platform=PlatformRecord(system="Linux", python="3.11.7", cores=2), **members)


def run(folder: Path, left: Listing | None = None, made_of: ProvenanceRecord | None = None, **step: Any) -> RunFolder:
    record = StepRecord(type="processing", **{"state": "succeeded", **step})
    fixed = {"pipeline": "p", "buzzflow": "1", "executor": "process", "machine": "m", "owner": "1:1"}
    manifest = Manifest(
        run=folder.name, started="2026-01-01T00:00:00Z", steps={"a": record}, provenance=made_of, **fixed
    )
    if left is not None:
        write_listing(left, folder / "steps" / "a")
    return RunFolder(folder, manifest)


def compared(tmp_path: Path, then: dict[str, Any], now: dict[str, Any]) -> Comparison:
    return compare_runs(run(tmp_path / "then", **then), run(tmp_path / "now", **now))


def test_equal_runs_are_the_same_though_one_took_a_cached_result(tmp_path: Path) -> None:
    found = compared(tmp_path, {"left": listing(x="1"), "state": "cached"}, {"left": listing(x="1")})
    assert found.is_same
    assert found.steps[0].compared == 1


def test_files_that_differ_are_named(tmp_path: Path) -> None:
    found = compared(tmp_path, {"left": listing(x="1", y="1", z="1")}, {"left": listing(x="2", z="1", new="1")})
    [output] = found.steps[0].outputs
    assert output.files == ("new (new)", "x", "y (missing)")
    assert not found.is_same


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        ({"auc": 0.5}, {"auc": 0.4}, [ValueDifference("r.auc", 0.5, 0.4, 0.2)]),
        ({"auc": float("nan")}, {"auc": float("nan")}, []),
        ({"auc": 1}, {"auc": "1"}, [ValueDifference("r.auc", 1, "1")]),
        ({"l": [1, {"a": 2}]}, {"l": [1, {"a": 4}]}, [ValueDifference("r.l.1.a", 2, 4, 0.5)]),
        ({"a": 1}, {"b": 1}, [ValueDifference("r.a", 1, None), ValueDifference("r.b", None, 1)]),
        ({"a": 0}, {"a": -1e-9}, [ValueDifference("r.a", 0, -1e-9, 1.0)]),
        ({"a": True}, {"a": False}, [ValueDifference("r.a", True, False)]),
        ({"a": float("inf")}, {"a": 1.0}, [ValueDifference("r.a", float("inf"), 1.0)]),
    ],
)
def test_reports_are_compared_value_by_value(tmp_path: Path, then: Any, now: Any, told: list[ValueDifference]) -> None:
    found = compared(tmp_path, {"left": listing({"r": then})}, {"left": listing({"r": now})})
    assert [*found.steps[0].values] == [
        ValueDifference(v.name, v.then, v.now, pytest.approx(v.relative) if v.relative else None) for v in told
    ]


def test_metrics_and_ends_count(tmp_path: Path) -> None:
    found = compared(tmp_path, {"metrics": {"auc": 0.5}}, {"metrics": {"auc": 0.6}, "state": "failed"})
    [step] = found.steps
    assert step.states == ("succeeded", "failed")
    assert [v.name for v in step.values] == ["metrics.auc"]
    assert step.compared is None


def test_what_it_was_made_of_is_told_and_no_difference_of_the_results(tmp_path: Path) -> None:
    then = provenance(
        images={"a": ImageRecord(asked="img:1", id="sha256:1", packages="sha256:1")},
        packages={"sha256:1": Inventory(python="3.11.1", packages={"numpy": "1.0", "old": "1"})},
        data={"a.raw": DataRecord(source="s3://raw/", bytes=1, files=1, digest="d1")},
    )
    now = provenance(
        images={"a": ImageRecord(asked="img:1", id="sha256:2", digest="img@sha256:9", packages="sha256:2")},
        packages={"sha256:2": Inventory(python="3.11.1", packages={"numpy": "2.0"})},
        data={"a.raw": DataRecord(source="s3://raw/", bytes=1, files=1, digest="d2")},
    )
    now.platform.cores = 8
    found = compared(tmp_path, {"made_of": then, "left": listing()}, {"made_of": now, "left": listing()})
    assert found.is_same
    assert [(v.name, v.then, v.now) for v in found.steps[0].made_of] == [
        ("image", "sha256:1", "img@sha256:9"),
        ("package.numpy", "1.0", "2.0"),
        ("package.old", "1", None),
        ("data of raw", "d1", "d2"),
    ]
    assert [(v.name, v.then, v.now) for v in found.machine] == [("cores", 2, 8)]
