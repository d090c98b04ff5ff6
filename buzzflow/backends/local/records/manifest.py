"""The manifest of a run: what was asked, what became of it, what each step left. On disk it is whole at any moment."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from buzzflow.backends.local.events import Attempt, State, StepFinished
from buzzflow.backends.local.owner import is_gone
from buzzflow.backends.local.records.origins import ProvenanceRecord
from buzzflow.metrics import Curves, Usage

MANIFEST = "manifest.json"
VERSION = 2
Plain = str | int | float | bool


class ManifestError(Exception):
    """A folder holds no manifest that can be read; the text says why."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", validate_assignment=True)  # a newer buzzflow may have written more


class AskedInstance(_Record):
    """The machines that the pipeline asks for on the service."""

    type: str
    count: int = 1


class UsageRecord(_Record):
    """The figures of `Usage`, each for itself; None is what nobody could read. *curves* is a file of the run."""

    wall_seconds: float
    cpu_seconds: float | None = None
    cpu_mean_cores: float | None = None
    cpu_peak_cores: float | None = None
    memory_peak_bytes: int | None = None
    memory_mean_bytes: int | None = None
    working_set_peak_bytes: int | None = None
    disk_read_bytes: int | None = None
    disk_written_bytes: int | None = None
    network_received_bytes: int | None = None
    network_sent_bytes: int | None = None
    gpu: dict[str, Plain] | None = None
    source: str = "none"
    sources: dict[str, str] = {}
    samples: int = 0
    curves: str | None = None


class LeftRecord(_Record):
    """What a step left for those after it: addresses and report files by name, properties by the language's word."""

    addresses: dict[str, str] = {}
    reports: dict[str, str] = {}  # paths from the run's folder, absolute ones from elsewhere
    properties: dict[str, Plain] = {}


class AttemptRecord(_Record):
    """One of several tries of a step, as `events.Attempt` says."""

    state: str
    reason: str | None = None
    seconds: float
    log: str | None = None


class OutputRecord(_Record):
    """What lay at an output's address when the step ended; `steps/<step>/outputs.json` lists the files."""

    address: str
    digest: str
    bytes: int
    files: int


Why = Literal["hit", "kept", "no earlier run", "changed", "expired", "outputs are gone", "forced", "unreadable"]


class CacheRecord(_Record):
    """What an earlier result would depend on, as digests by field, and why one was taken or not.

    *run* is the one whose results were taken, or with which this one was compared; *changed* are the fields that differ
    from it. A step that `resume` has kept has no key.
    """

    why: Why
    key: str | None = None
    fields: dict[str, str] = {}
    run: str | None = None
    changed: list[str] = []


class StepRecord(_Record):
    """One step: *began* and *seconds* are in seconds, the first since the run's start.

    *how* says what stood in for the service, where the step did not simply run; None is a step that ran.
    *sample_data* are the bytes of the sample data that it reads, by input.
    """

    type: str
    needs: list[str] = []
    instance: AskedInstance | None = None
    sample_data: dict[str, int] = {}
    state: State | Literal["waiting", "running"] = "waiting"
    how: str | None = None
    began: float | None = None
    seconds: float | None = None
    reason: str | None = None
    result: str | None = None
    exit_code: int | None = None
    log: str | None = None
    attempts: list[AttemptRecord] = []
    warnings: list[str] = []
    metrics: dict[str, float] = {}
    usage: UsageRecord | None = None
    left: LeftRecord = LeftRecord()
    outputs: dict[str, OutputRecord] = {}
    cache: CacheRecord | None = None


class Manifest(_Record):
    """One run. *started* is UTC in ISO 8601; *machine* and *owner* name the process that runs it."""

    version: int = VERSION
    run: str
    pipeline: str
    file: str | None = None  # the pipeline's file, from the repository's top
    buzzflow: str
    executor: str
    machine: str
    owner: str
    state: State | Literal["running"] = "running"
    started: str
    seconds: float | None = None
    parameters: dict[str, Plain] = {}
    jobs: int = 1
    code: dict[str, str] = {}
    notices: list[str] = []
    resumed: str | None = None  # the run whose results were kept
    steps: dict[str, StepRecord]
    provenance: ProvenanceRecord | None = None

    @property
    def is_lost(self) -> bool:
        """Whether the run did not end and nobody runs it any more: it was killed, or the machine went down."""
        return self.state == "running" and is_gone(self.machine, self.owner)

    @property
    def standing(self) -> State | Literal["running", "killed"]:
        """The state, where a run that is lost was killed."""
        return "killed" if self.is_lost else self.state


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of the run in *folder*; ManifestError when there is none that can be read."""
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise ManifestError(f"{folder} holds no run: it has no {MANIFEST}") from None
    except (OSError, ValueError, RecursionError) as e:
        raise ManifestError(f"{folder / MANIFEST} cannot be read: {e}") from None
    version = content.get("version") if isinstance(content, dict) else None
    if version != VERSION:
        raise ManifestError(f"{folder / MANIFEST} is of version {version}, and this buzzflow reads {VERSION}")
    try:
        return Manifest.model_validate(content)
    except ValidationError as e:
        first = e.errors(include_url=False)[0]
        raise ManifestError(f"{folder / MANIFEST} is damaged: {first['loc']}: {first['msg']}") from None


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Replace the manifest in *folder*; who reads meanwhile gets the old one or the new one."""
    write_json(folder / MANIFEST, manifest.model_dump(mode="json", exclude_none=True))


def write_json(file: Path, data: object) -> None:
    """Write *data* whole or not at all."""
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")  # another run may write the same
    partial.write_text(json.dumps(data, indent=2) + "\n", "utf-8")
    partial.replace(file)


# ------------------------------------------------------------------ what a step used


def record_end(record: StepRecord, event: StepFinished, folder: Path) -> None:
    """Put how a step of the run in *folder* ended into its record, and its curves into a file beside its log."""
    record.state, record.reason, record.result, record.how = event.state, event.reason, event.result, event.how
    record.exit_code, record.warnings, record.metrics = event.exit_code, [*event.warnings], dict(event.metrics)
    if event.log is not None:
        record.log = str(event.log.relative_to(folder))
    record.attempts = [_attempt(attempt, folder) for attempt in event.attempts]
    if event.usage is not None:
        record.usage = _usage(event.usage)
        if event.usage.curves.at and event.log is not None:
            file = event.log.with_name("usage.json")
            write_json(file, _columns(event.usage.curves))
            record.usage.curves = str(file.relative_to(folder))


def _attempt(attempt: Attempt, folder: Path) -> AttemptRecord:
    log = None if attempt.log is None else str(attempt.log.relative_to(folder))
    return AttemptRecord(state=attempt.state, reason=attempt.reason, seconds=round(attempt.seconds, 3), log=log)


def _usage(usage: Usage) -> UsageRecord:
    gpu = usage.gpu
    return UsageRecord(
        wall_seconds=round(usage.wall_seconds, 3),
        cpu_seconds=usage.cpu_seconds,
        cpu_mean_cores=usage.cpu_mean,
        cpu_peak_cores=usage.cpu_peak,
        memory_peak_bytes=usage.memory_peak_bytes,
        memory_mean_bytes=usage.memory_mean_bytes,
        working_set_peak_bytes=usage.working_set_peak_bytes,
        disk_read_bytes=usage.disk_read_bytes,
        disk_written_bytes=usage.disk_written_bytes,
        network_received_bytes=usage.network_received_bytes,
        network_sent_bytes=usage.network_sent_bytes,
        gpu=None if gpu is None else {name: getattr(gpu, name) for name in gpu.__slots__},
        source=usage.source,
        sources=dict(usage.sources),
        samples=usage.samples,
    )


def _columns(curves: Curves) -> dict[str, list[float]]:
    return {name: list(values) for name in curves.__slots__ if (values := getattr(curves, name))}


def read_curves(manifest: Manifest, step: str, folder: Path) -> dict[str, list[float]]:
    """Return a step's figures over time by the names of `Curves`, `at` among them; empty when there are none."""
    usage = manifest.steps[step].usage
    if usage is None or usage.curves is None:
        return {}
    try:
        content = json.loads((folder / usage.curves).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}  # a report without curves is better than none
    return {str(k): v for k, v in content.items() if isinstance(v, list)} if isinstance(content, dict) else {}
