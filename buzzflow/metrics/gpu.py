"""What a step's processes use of NVIDIA GPUs, asked from `nvidia-smi` while they run, where that program is."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass

from buzzflow.metrics.usage import GpuUsage

_EVERY_SECONDS = 1.0
_CALL_SECONDS = 5.0
_FAILURES = 3
_MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class GpuReading:
    """GPUs that the step's processes are on: names, how busy they are together, and the step's memory in bytes."""

    names: tuple[str, ...]
    busy: float
    memory_bytes: int


class GpuMeter:
    """Reads once a second in a thread of its own, as the program takes its time. *processes* tells whose use counts."""

    def __init__(self, processes: Callable[[], frozenset[int]]) -> None:
        self._processes = processes
        self._readings: list[GpuReading] = []
        self._done = threading.Event()
        self._program = shutil.which("nvidia-smi")
        if self._program is not None:
            threading.Thread(target=self._read_all, name="buzzflow-gpu", daemon=True).start()

    def finish(self) -> GpuUsage | None:
        """Stop reading and return the figures; None when the step was on no GPU."""
        self._done.set()
        readings = [*self._readings]
        names = dict.fromkeys(name for reading in readings for name in reading.names)
        if not names:
            return None
        return GpuUsage(
            name=", ".join(names),
            busy_mean=round(sum(reading.busy for reading in readings) / len(readings), 4),
            busy_peak=max(reading.busy for reading in readings),
            memory_peak_bytes=max(reading.memory_bytes for reading in readings),
        )

    def _read_all(self) -> None:
        failures = 0
        while failures < _FAILURES and not self._done.is_set():
            try:
                reading = read_gpus(self._program or "nvidia-smi", self._processes())
            except (OSError, ValueError, subprocess.SubprocessError):
                failures += 1
            else:
                failures = 0
                if not self._done.is_set():
                    self._readings.append(reading)
            self._done.wait(_EVERY_SECONDS)


def read_gpus(program: str, processes: frozenset[int]) -> GpuReading:
    """Ask *program* once; a GPU counts when one of *processes* is on it."""
    used: dict[str, int] = {}
    for pid, gpu, memory in _rows(program, "--query-compute-apps=pid,gpu_uuid,used_memory"):
        if int(pid) in processes:
            used[gpu] = used.get(gpu, 0) + _number(memory) * _MEBIBYTE
    names, busy, total = [], 0.0, 0
    for gpu, name, percent, memory in _rows(program, "--query-gpu=uuid,name,utilization.gpu,memory.used"):
        if gpu in used:
            names.append(name)
            busy += _number(percent) / 100
            total += used[gpu] or _number(memory) * _MEBIBYTE  # in a virtual machine the first is `[N/A]`
    return GpuReading(tuple(names), busy, total)


def _rows(program: str, query: str) -> list[list[str]]:
    command = [program, query, "--format=csv,noheader,nounits"]
    answer = subprocess.run(
        command, capture_output=True, text=True, timeout=_CALL_SECONDS, check=True, stdin=subprocess.DEVNULL
    )
    return [[field.strip() for field in line.split(",")] for line in answer.stdout.splitlines() if line.strip()]


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
