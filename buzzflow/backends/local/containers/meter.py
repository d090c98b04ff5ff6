"""What a container uses, read while it runs: from its control group, or from the Docker API where that is not here."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from buzzflow.backends.local.containers.api import Client
from buzzflow.metrics import Sample, Usage, UsageRecorder

SAMPLE_SECONDS = 0.05
_SHORT_SECONDS, _SHORT_SAMPLE_SECONDS = 3.0, 0.02  # what runs after the last reading is lost: less of a short step
_MISSES = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """CPU seconds so far, bytes in use now, and the kernel's own peak where it keeps one."""

    cpu_seconds: float
    memory_bytes: int
    memory_peak_bytes: int | None


class Reader(Protocol):
    """Reads a container's counters; None once there is nothing to read."""

    source: str

    def read(self) -> Reading | None:
        """Read now."""
        ...


class ControlGroupReader:
    """Reads the files of the container's control group, version 1 or 2."""

    source = "cgroup"

    def __init__(self, cpu: Path, memory: Path, *, version: int) -> None:
        self._cpu, self._memory, self._version = cpu, memory, version

    def read(self) -> Reading | None:
        """Read now; None when the container has ended."""
        try:
            return self._version_1() if self._version == 1 else self._version_2()
        except (OSError, ValueError, KeyError):
            return None

    def _version_1(self) -> Reading:
        cpu = int((self._cpu / "cpuacct.usage").read_text()) / 1e9
        now = int((self._memory / "memory.usage_in_bytes").read_text())
        return Reading(cpu, now, int((self._memory / "memory.max_usage_in_bytes").read_text()))

    def _version_2(self) -> Reading:
        stat = dict(line.split() for line in (self._cpu / "cpu.stat").read_text().splitlines())
        peak = self._memory / "memory.peak"  # since Linux 5.19
        return Reading(
            int(stat["usage_usec"]) / 1e6,
            int((self._memory / "memory.current").read_text()),
            int(peak.read_text()) if peak.exists() else None,
        )


class StatsReader:
    """Asks the Docker API, for a daemon on another machine or in its own virtual machine."""

    source = "docker stats"

    def __init__(self, client: Client, container: str) -> None:
        self._client, self._container = client, container

    def read(self) -> Reading | None:
        """Ask now; None when the container has ended. The daemon may take a second to answer."""
        stats: dict[str, Any] = self._client.api.stats(self._container, stream=False, one_shot=True)
        memory = stats.get("memory_stats") or {}
        if "usage" not in memory:
            return None
        cpu = stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
        return Reading(cpu, memory["usage"], memory.get("max_usage"))


def reader_for(client: Client, container: str, pid: int, proc: Path = Path("/proc")) -> Reader:
    """Return the best reader for a container whose first process is *pid* where the daemon runs."""
    try:
        found = _control_group(container, pid, proc)
    except (OSError, ValueError):
        found = None
    return found or StatsReader(client, container)


def _control_group(container: str, pid: int, proc: Path) -> ControlGroupReader | None:
    groups = _groups(container, proc / str(pid) / "cgroup")
    mounts = _mounts(proc / "self" / "mounts")
    places = {name: mounts[name] / group for name, group in groups.items() if name in mounts}
    found = []
    if "cpuacct" in places and "memory" in places:
        found.append(ControlGroupReader(places["cpuacct"], places["memory"], version=1))
    if "" in places:
        found.append(ControlGroupReader(places[""], places[""], version=2))
    return next((reader for reader in found if reader.read() is not None), None)


def _groups(container: str, file: Path) -> dict[str, str]:
    """Return controller -> group, "" for version 2; only of groups of *container*, as its pid may be elsewhere's."""
    lines = (line.split(":", 2) for line in file.read_text().splitlines())
    return {name: path.lstrip("/") for _, names, path in lines if container in path for name in names.split(",")}


def _mounts(file: Path) -> dict[str, Path]:
    """Return controller -> where its groups are mounted, "" for version 2."""
    found: dict[str, Path] = {}
    for line in file.read_text().splitlines():
        _, place, kind, options, *_ = line.split(" ")
        if kind == "cgroup2":
            found.setdefault("", Path(place))
        elif kind == "cgroup":
            for name in options.split(","):
                found.setdefault(name, Path(place))
    return found


class Meter:
    """Reads a container's counters in a thread until `finish`. Nothing that goes wrong here reaches the step."""

    def __init__(self, reader: Reader, began: float) -> None:
        self._reader, self._began = reader, began
        self._recorder = UsageRecorder(reader.source)
        self._read_once = False
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="buzzflow-meter", daemon=True)
        self._thread.start()

    def finish(self, wall_seconds: float) -> Usage:
        """Stop reading and return the figures of a step that took *wall_seconds*."""
        self._done.set()
        self._thread.join(0.5)  # a daemon that does not answer must not hold the step
        return self._recorder.finish(wall_seconds) if self._read_once else Usage(wall_seconds)

    def _sample(self) -> None:
        misses = 0
        while misses < _MISSES and not self._done.is_set():
            try:
                reading = self._reader.read()
            except Exception:  # noqa: BLE001 - a step does not fail because it cannot be measured
                reading = None
            now = time.monotonic()
            if reading is None:
                misses += 1
            else:
                misses = 0
                if not self._read_once:
                    self._recorder.add(Sample(self._began, 0.0, 0))
                self._read_once = True
                sample = Sample(now, reading.cpu_seconds, reading.memory_bytes)
                self._recorder.add(sample, memory_peak_bytes=reading.memory_peak_bytes)
            short = now - self._began < _SHORT_SECONDS
            self._done.wait(_SHORT_SAMPLE_SECONDS if short else SAMPLE_SECONDS)
