"""Which instance types fit the steps of a run that this machine has kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from buzzflow.backends.local.events import State
from buzzflow.backends.local.records.manifest import Manifest, StepRecord, UsageRecord
from buzzflow.diagnostics import Diagnostic, PipelineError, did_you_mean
from buzzflow.driver.runs import manifest_of
from buzzflow.instances.advice import Asked, RunAdvice, advise
from buzzflow.instances.names import Kind
from buzzflow.instances.need import MARGIN, Used, UsedGpu
from buzzflow.instances.offers import market_of
from buzzflow.instances.prices import price_list
from buzzflow.loader.files import find_environment, find_root
from buzzflow.loader.load import read_environment

_WITHOUT_CACHE = "psutil"  # it reads what processes hold, not what the system keeps for them
_KINDS: Mapping[str, Kind] = {
    "processing": "processing",
    "quality_check": "processing",
    "clarify_check": "processing",
    "training": "training",
    "tuning": "training",
    "notebook": "training",
    "transform": "transform",
}


def advise_run(run: Path, *, region: str | None = None, margin: float = MARGIN, step: str | None = None) -> RunAdvice:
    """Return what fits the steps of the run in the folder *run*, or one *step* of it.

    *region* None is the one of the pipeline's environment. PipelineError BF511 when the run cannot be read, BF512 when
    it has no such step.
    """
    manifest = manifest_of(run)
    if step is not None and step not in manifest.steps:
        hint = did_you_mean(step, manifest.steps, label="its steps")
        raise PipelineError([Diagnostic("BF512", f"run {manifest.run} has no step {step!r}", hint=hint)])
    file = _file_of(manifest, run)
    market = market_of(region or (_region_of(file) if file is not None else None))
    asked = [(n, r) for n, r in manifest.steps.items() if r.instance is not None and step in (None, n)]
    without = {name: why for name, record in asked if (why := _why_not(record)) is not None}
    steps = {
        name: advise(_asked(name, manifest), _used(record.usage), market, margin=margin)
        for name, record in asked
        if name not in without and record.usage is not None
    }
    if step is not None and not asked:
        without[step] = "it asks for no machine"
    return RunAdvice(manifest.run, manifest.pipeline, file, market, margin, price_list().date, steps, without)


def _file_of(manifest: Manifest, run: Path) -> Path | None:
    """Return the pipeline's file, if it is still there: a run is in `.buzzflow/runs` of its repository."""
    if manifest.file is None:
        return None
    file = run.resolve().parents[2] / manifest.file
    return file if file.is_file() else None


def _region_of(file: Path) -> str | None:
    """Return the region of the environment around a pipeline; None where nothing readable says it."""
    environment = find_environment(file, find_root(file))
    if environment is None:
        return None
    try:
        region = read_environment(environment).child("region")
    except PipelineError:
        return None  # `validate` tells what is wrong with it; prices to compare are there without it
    return region.value if region is not None and isinstance(region.value, str) else None


# ------------------------------------------------------------------ one step


def _why_not(record: StepRecord) -> str | None:
    if record.type not in _KINDS:
        return f"a {record.type} step has no instance of its own"
    if record.state == State.CACHED:
        return "the results of an earlier run were taken"
    if record.usage is None or record.state != State.SUCCEEDED:
        return f"it did not run to its end: {record.state}"
    if _memory(record.usage) is None:
        return "nobody could read its memory here"
    return None


def _memory(usage: UsageRecord) -> int | None:
    return usage.working_set_peak_bytes or usage.memory_peak_bytes


def _asked(name: str, manifest: Manifest) -> Asked:
    record = manifest.steps[name]
    assert record.instance is not None
    earlier = [n for n in _before(name, manifest) if manifest.steps[n].sample_data]
    kind, count = _KINDS[record.type], record.instance.count
    return Asked(record.instance.type, kind, count, dict(record.sample_data), tuple(earlier))


def _before(name: str, manifest: Manifest) -> Iterator[str]:
    """Yield the steps that come before one, the nearest first."""
    seen, waiting = set[str](), [*manifest.steps[name].needs]
    while waiting:
        if (other := waiting.pop(0)) in seen or other not in manifest.steps:
            continue
        seen.add(other)
        waiting += manifest.steps[other].needs
        yield other


def _used(usage: UsageRecord) -> Used:
    return Used(
        seconds=usage.wall_seconds,
        memory_bytes=_memory(usage) or 0,
        cores_mean=usage.cpu_mean_cores,
        cores_peak=usage.cpu_peak_cores,
        with_cached_files=usage.working_set_peak_bytes is None and usage.source != _WITHOUT_CACHE,
        samples=usage.samples,
        gpu=_gpu(usage.gpu),
    )


def _gpu(told: Mapping[str, str | int | float | bool] | None) -> UsedGpu | None:
    if told is None:
        return None
    return UsedGpu(str(told.get("name", "a GPU")), float(told["busy_peak"]), int(told["memory_peak_bytes"]))
