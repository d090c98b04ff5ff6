"""What a run was made of besides its plan and code: images, packages, data, Git, this machine. Nothing here fails it.

It is found out beside the steps, in a thread, and stands in the manifest when the run ends.
"""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from buzzflow.backends.local import evaluate
from buzzflow.backends.local.executor import Executor, ExecutorError, Identifies
from buzzflow.backends.local.records.inventory import inventory
from buzzflow.backends.local.records.origins import DataRecord, ImageRecord, PlatformRecord, ProvenanceRecord
from buzzflow.backends.local.request.request import Ready, RunRequest
from buzzflow.backends.local.reuse.data import local_data
from buzzflow.backends.local.reuse.digests import Digests
from buzzflow.backends.local.steps.results import ContainerStep
from buzzflow.backends.local.store import AddressError

_WAIT_SECONDS = 10.0  # at the end of a run, for what is not known yet
_MOST_BYTES = 20 * 1024**3  # of one input; to read more would take minutes
_CPU_INFO = Path("/proc/cpuinfo")


@contextmanager
def recorded_beside(
    request: RunRequest, ready: Ready, executor: Executor, digests: Digests, stop: threading.Event
) -> Iterator[ProvenanceRecord | None]:
    """Give a record that fills while the block runs, and is full after it, or as full as it gets.

    None where nobody knows where the pipeline comes from: a run of one step in a test is not done again.
    """
    if request.origin is None:
        yield None
        return
    over = threading.Event()
    record = ProvenanceRecord(platform=_platform(executor))
    thread = threading.Thread(
        target=_fill, args=(record, request, ready, executor, digests, over), name="provenance", daemon=True
    )
    thread.start()
    try:
        yield record
    finally:
        thread.join(0.1 if stop.is_set() else _WAIT_SECONDS)
        over.set()


def _fill(
    record: ProvenanceRecord,
    request: RunRequest,
    ready: Ready,
    executor: Executor,
    digests: Digests,
    over: threading.Event,
) -> None:
    if request.origin is not None:
        with suppress(OSError):
            record.resolved, record.git = request.origin.record(request.folder)
    record.data = dict(_data(request, ready, digests, over))
    if isinstance(executor, Identifies):
        _fill_images(record, request, ready, executor, over)


# ------------------------------------------------------------------ images and packages


def _fill_images(
    record: ProvenanceRecord, request: RunRequest, ready: Ready, executor: Identifies, over: threading.Event
) -> None:
    for step, setting in ready.settings.items():
        found = ImageRecord(asked=setting.image)
        with suppress(ExecutorError, OSError):
            found.id, found.digest = executor.identify(setting)
            if found.id not in record.packages:
                listed = inventory(executor, setting, found.id, request, over)
                if listed is not None:
                    record.packages = record.packages | {found.id: listed}
            found.packages = found.id if found.id in record.packages else None
        record.images = record.images | {step: found}


# ------------------------------------------------------------------ data


def _data(
    request: RunRequest, ready: Ready, digests: Digests, over: threading.Event
) -> Iterator[tuple[str, DataRecord]]:
    """Yield what each input reads that no step of a run has made, as far as that is known before the steps run."""
    for step in request.plan.steps:
        if not isinstance(step, ContainerStep) or step.name not in ready.settings:
            continue
        for item in step.container.inputs:
            with suppress(evaluate.EvaluationError, AddressError, OSError):
                found = local_data(item, step.name, request, ready.known)
                if found is not None and not over.is_set():
                    yield f"{step.name}.{item.name}", _measured(*found, digests)


def _measured(source: str, path: Path, digests: Digests) -> DataRecord:
    sizes = [file.stat().st_size for file in _files(path)]
    record = DataRecord(source=source, bytes=sum(sizes), files=len(sizes))
    if record.bytes <= _MOST_BYTES:
        record.digest = digests.of(path)
    return record


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for here, _, names in os.walk(path):
        yield from (file for name in names if (file := Path(here, name)).is_file())


# ------------------------------------------------------------------ the machine


def _platform(executor: Executor) -> PlatformRecord:
    import psutil

    return PlatformRecord(
        system=platform.platform(),
        python=platform.python_version(),
        cpu=_cpu(),
        cores=os.cpu_count(),
        memory_bytes=psutil.virtual_memory().total,
        engine=executor.engine if isinstance(executor, Identifies) else None,
    )


def _cpu() -> str | None:
    with suppress(OSError):
        for line in _CPU_INFO.read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or None
