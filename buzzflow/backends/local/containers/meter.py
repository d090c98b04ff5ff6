"""What a container uses, read while it runs: from its control group, or from the Docker API where that is not here."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Protocol

from buzzflow.backends.local.containers.api import Client, Json
from buzzflow.backends.local.containers.control_group import find_control_group
from buzzflow.metrics import Sample, Usage, UsageRecorder
from buzzflow.metrics.gpu import GpuMeter

SAMPLE_SECONDS = 0.05
_SHORT_SECONDS, _SHORT_SAMPLE_SECONDS = 3.0, 0.02  # what runs after the last reading is lost: less of a short step
_MISSES = 5


class Reader(Protocol):
    """Reads a container's counters. *sources* names, by figure, where a reading comes from that is not *source*."""

    source: str
    sources: dict[str, str]

    def read(self) -> Sample | None:
        """Read now; None once there is nothing to read."""
        ...

    def processes(self) -> frozenset[int]:
        """Return the container's processes, as this machine numbers them; empty when they are elsewhere."""
        ...


class StatsReader:
    """Asks the Docker API, for a daemon on another machine or in its own virtual machine."""

    source = "docker stats"

    def __init__(self, client: Client, container: str) -> None:
        self._client, self._container = client, container
        self.sources: dict[str, str] = {}

    def read(self) -> Sample | None:
        """Ask now; None when the container has ended. The daemon may take a second to answer."""
        return stats_sample(self._client.api.stats(self._container, stream=False, one_shot=True), time.monotonic())

    def processes(self) -> frozenset[int]:
        """Return nothing: they are in another system."""
        return frozenset()


def stats_sample(stats: Json, at: float) -> Sample | None:
    """Return what an answer of `GET /containers/{id}/stats` says; None for a container that has ended."""
    memory = stats.get("memory_stats") or {}
    if "usage" not in memory:
        return None
    details = memory.get("stats") or {}
    inactive = details.get("total_inactive_file", details.get("inactive_file"))  # control groups version 1, 2
    networks = (stats.get("networks") or {}).values()
    disk = (stats.get("blkio_stats") or {}).get("io_service_bytes_recursive") or ()

    def moved(operation: str) -> int | None:
        counts = [entry["value"] for entry in disk if entry["op"].lower() == operation]
        return sum(counts) if counts else None

    return Sample(
        at=at,
        cpu_seconds=stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9,
        memory_bytes=memory["usage"],
        memory_peak_bytes=memory.get("max_usage"),
        working_set_bytes=None if inactive is None else max(memory["usage"] - inactive, 0),
        disk_read_bytes=moved("read"),
        disk_written_bytes=moved("write"),
        network_received_bytes=sum(network["rx_bytes"] for network in networks) if networks else None,
        network_sent_bytes=sum(network["tx_bytes"] for network in networks) if networks else None,
    )


def reader_for(client: Client, container: str, pid: int, proc: Path = Path("/proc")) -> Reader:
    """Return the best reader for a container whose first process is *pid* where the daemon runs."""
    try:
        found = find_control_group(container, pid, proc)
    except (OSError, ValueError):
        found = None
    return found or StatsReader(client, container)


class Meter:
    """Reads a container's counters in a thread until `finish`. Nothing that goes wrong here reaches the step."""

    def __init__(self, reader: Reader, began: float) -> None:
        self._reader, self._began = reader, began
        self._recorder = UsageRecorder(reader.source, began)
        self._read_once = False
        self._done = threading.Event()
        self._gpus = GpuMeter(reader.processes)
        self._thread = threading.Thread(target=self._sample, name="buzzflow-meter", daemon=True)
        self._thread.start()

    def finish(self, wall_seconds: float) -> Usage:
        """Stop reading and return the figures of a step that took *wall_seconds*."""
        self._done.set()
        gpu = self._gpus.finish()
        self._thread.join(0.5)  # a daemon that does not answer must not hold the step
        if not self._read_once:
            return Usage(wall_seconds)
        sources = dict(self._reader.sources) | ({} if gpu is None else {"gpu": "nvidia-smi"})
        return self._recorder.finish(wall_seconds, gpu=gpu, sources=sources)

    def _sample(self) -> None:
        misses = 0
        while misses < _MISSES and not self._done.is_set():
            try:
                sample = self._reader.read()
            except Exception:  # noqa: BLE001 - a step does not fail because it cannot be measured
                sample = None
            if sample is None:
                misses += 1
            else:
                misses = 0
                self._read_once = True
                self._recorder.add(sample)
            short = time.monotonic() - self._began < _SHORT_SECONDS
            self._done.wait(_SHORT_SAMPLE_SECONDS if short else SAMPLE_SECONDS)
