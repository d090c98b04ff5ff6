"""Read what a tree of processes uses, and whether the system ran out of memory. Nothing here fails a step."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from buzzflow.metrics import Sample, Usage, UsageRecorder
from buzzflow.metrics.gpu import GpuMeter
from buzzflow.metrics.processes import disk_bytes

_PSS_SHARE = 0.1  # of the time; to ask for it the system walks through the process's memory
_CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Totals:
    """What the system itself counted for a step's processes that were waited for, told at its end."""

    cpu_seconds: float | None = None
    largest_process_bytes: int | None = None
    disk_read_bytes: int | None = None
    disk_written_bytes: int | None = None


class ProcessMeter:
    """Reads the processes below *supervisor*, which itself does not count."""

    def __init__(self, supervisor: int) -> None:
        self._started = time.monotonic()
        self._recorder = UsageRecorder("psutil", self._started)
        self._cpu_seconds = 0.0
        self._memory_bytes = 0
        self._shared_bytes = 0
        self._sharing: list[psutil.Process] = []
        self._next_pss = 0.0
        self._seen: set[psutil.Process] = (
            set()
        )  # they compare by pid and start, so a new process is not taken for an old one
        try:
            self._supervisor: psutil.Process | None = psutil.Process(supervisor)
        except psutil.Error:
            self._supervisor = None
        self._of_supervisor = disk_bytes([Path(f"/proc/{supervisor}")]) or (0, 0)
        self._gpus = GpuMeter(self.processes)

    def read(self) -> None:
        """Take a reading."""
        with contextlib.suppress(psutil.Error, OSError):
            if self._supervisor is not None:
                processes = _below(self._supervisor)
                self._seen.update(processes)
                self._read(self._supervisor, processes)

    def processes(self) -> frozenset[int]:
        """Return all processes that were seen."""
        return frozenset(process.pid for process in tuple(self._seen))

    def finish(self, totals: Totals) -> Usage:
        """Return the figures; *totals* complete the readings, where the system told them."""
        now = time.monotonic()
        if totals.cpu_seconds is not None:
            # A program that ignores its children's end loses their time from the system's sum, not from the readings.
            self._cpu_seconds = max(self._cpu_seconds, totals.cpu_seconds)
            self._recorder.add(self._sample(now, totals.disk_read_bytes, totals.disk_written_bytes))
        gpu = self._gpus.finish()
        return self._recorder.finish(
            now - self._started,
            cpu_seconds=self._cpu_seconds,
            memory_peak_bytes=totals.largest_process_bytes,
            gpu=gpu,
            sources={} if gpu is None else {"gpu": "nvidia-smi"},
        )

    def kill_leftovers(self, *, unwatched: bool) -> None:
        """Kill every process that was ever seen and still runs.

        When nobody else watched to the end, also what started since the last reading, in their sessions.
        """
        sessions = {process.pid for process in self._seen}  # the step leads one
        late = [p for p in psutil.process_iter() if _session(p) in sessions] if unwatched else []
        for process in [*self._seen, *late]:
            with contextlib.suppress(psutil.Error):
                process.kill()  # psutil checks that the pid is still the same process

    def _read(self, supervisor: psutil.Process, processes: list[psutil.Process]) -> None:
        now, memory, alive = time.monotonic(), 0, []
        # A process's time goes to its parent when it has ended, so the living together hold everything.
        times = supervisor.cpu_times()
        cpu = times.children_user + times.children_system
        for process in processes:
            with contextlib.suppress(psutil.Error), process.oneshot():
                times = process.cpu_times()
                cpu += times.user + times.system + times.children_user + times.children_system
                memory += process.memory_info().rss
                alive.append(process)
        self._cpu_seconds = max(self._cpu_seconds, cpu)
        if len(alive) > 1:
            memory = self._without_shared(alive, memory)
        self._memory_bytes = memory
        folders = [Path(f"/proc/{process.pid}") for process in (supervisor, *processes)]
        read, written = disk_bytes(folders) or (None, None)
        if read is not None and written is not None:  # less what the supervisor itself had read when it started
            read, written = max(read - self._of_supervisor[0], 0), max(written - self._of_supervisor[1], 0)
        self._recorder.add(self._sample(now, read, written))

    def _sample(self, at: float, read: int | None, written: int | None) -> Sample:
        """Return a reading; resident memory holds no files that could be dropped, so it is the working set as well."""
        return Sample(
            at=at,
            cpu_seconds=self._cpu_seconds,
            memory_bytes=self._memory_bytes,
            working_set_bytes=self._memory_bytes,
            disk_read_bytes=read,
            disk_written_bytes=written,
        )

    def _without_shared(self, processes: list[psutil.Process], rss: int) -> int:
        """Count what processes share once: now and then by asking, in between by the last answer for the same ones."""
        begin = time.monotonic()
        if begin >= self._next_pss:
            answers = [
                *_rss_and_pss(processes)
            ]  # both at once: a process that grows in between would seem to share less
            self._shared_bytes = sum(rss - pss for rss, pss in answers)
            self._sharing = processes
            end = time.monotonic()
            self._next_pss = end + (end - begin) / _PSS_SHARE
            return sum(pss for _, pss in answers)
        if processes != self._sharing:
            return 0  # not known yet; a guess could become the peak
        return max(rss - self._shared_bytes, 0)


def _below(root: psutil.Process) -> list[psutil.Process]:
    """Return the processes below *root*: from Linux's own lists, because psutil looks through all of the machine."""
    if not Path(f"/proc/{root.pid}/task/{root.pid}/children").exists():
        return root.children(recursive=True)
    pids = [root.pid]
    for pid in pids:
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                pids += [int(child) for child in (thread / "children").read_bytes().split()]
    processes = []
    for pid in pids[1:]:
        with contextlib.suppress(psutil.Error):
            processes.append(psutil.Process(pid))
    return processes


def _rss_and_pss(processes: list[psutil.Process]) -> Iterator[tuple[int, int]]:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            try:
                full = process.memory_full_info()
                yield full.rss, getattr(full, "pss", full.rss)  # Linux has it
            except psutil.AccessDenied:
                rss = process.memory_info().rss
                yield rss, rss


def _session(process: psutil.Process) -> int | None:
    with contextlib.suppress(OSError):
        return os.getsid(process.pid)
    return None


def out_of_memory_kills() -> int:
    """Return how many processes the system killed for memory so far: of this control group, else of the machine."""
    for file in (*_counters_of_own_group(), Path("/proc/vmstat")):
        with contextlib.suppress(OSError):
            if found := re.search(r"^oom_kill (\d+)$", file.read_text(encoding="ascii"), re.MULTILINE):
                return int(found[1])
    return 0


def _counters_of_own_group() -> Iterator[Path]:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers == "memory":
                yield _CGROUPS / "memory" / group.lstrip("/") / "memory.oom_control"
            elif not controllers:
                yield _CGROUPS / group.lstrip("/") / "memory.events"
