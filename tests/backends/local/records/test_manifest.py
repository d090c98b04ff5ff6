"""The manifest of a run: whole on disk at any moment, and read back with care."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from buzzflow.backends.local.events import State, StepFinished
from buzzflow.backends.local.owner import machine, owner
from buzzflow.backends.local.records.manifest import (
    Manifest,
    ManifestError,
    StepRecord,
    read_curves,
    read_manifest,
    record_end,
    write_manifest,
)
from buzzflow.metrics import Curves, Usage


def manifest(**fields: object) -> Manifest:
    known = {
        "run": "r1",
        "pipeline": "delays",
        "buzzflow": "0.1.0",
        "executor": "process",
        "machine": machine(),
        "owner": owner(),
        "started": "2026-01-01T00:00:00Z",
        "steps": {"a": StepRecord(type="training", needs=["b"])},
    }
    return Manifest.model_validate(known | fields)


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = manifest(parameters={"rows": 3, "ratio": 0.5, "on": True, "day": "2026-01-01"})
    write_manifest(written, tmp_path)
    assert read_manifest(tmp_path) == written
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]


def test_what_a_newer_buzzflow_added_is_no_problem(tmp_path: Path) -> None:
    write_manifest(manifest(), tmp_path)
    content = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(content | {"mood": "good"}))
    assert read_manifest(tmp_path).run == "r1"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "holds no run"),
        ("{", "cannot be read"),
        ("[]", "of version None"),
        ('{"version": 1}', "of version 1"),
        ('{"version": 2}', "is damaged"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_what_is_no_manifest_is_said_in_a_line(tmp_path: Path, content: str | None, told: str) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ManifestError, match=told):
        read_manifest(tmp_path)


def test_a_run_is_lost_when_its_process_is_gone_before_its_end() -> None:
    assert not manifest().is_lost
    child = subprocess.run(
        [sys.executable, "-c", "from buzzflow.backends.local.owner import owner; print(owner())"],
        capture_output=True,
        text=True,
        check=True,
    )
    gone = manifest(owner=child.stdout.strip())
    assert gone.is_lost
    assert not gone.model_copy(update={"state": State.FAILED}).is_lost
    assert not gone.model_copy(update={"machine": "another"}).is_lost  # its processes cannot be seen from here


def test_curves_lie_beside_the_log(tmp_path: Path) -> None:
    whole = manifest()
    log = tmp_path / "steps" / "a" / "log.txt"
    log.parent.mkdir(parents=True)
    usage = Usage(1.0, 0.5, curves=Curves(at=(0.1, 0.2), cpu_cores=(0.5, 1.0)))
    record_end(whole.steps["a"], StepFinished("a", State.SUCCEEDED, usage, log=log), tmp_path)
    assert whole.steps["a"].usage is not None
    assert whole.steps["a"].usage.curves == "steps/a/usage.json"
    assert read_curves(whole, "a", tmp_path) == {"at": [0.1, 0.2], "cpu_cores": [0.5, 1.0]}
    (tmp_path / "steps/a/usage.json").write_text("{")
    assert read_curves(whole, "a", tmp_path) == {}
