"""Judge many mutants on all cores, in processes that are watched: one that hangs is killed, and its mutant named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.seeds import ROOT

HANG = 60  # seconds without a verdict
_MEMORY_DISK = Path("/dev/shm")  # a file system in memory, where there is one


@dataclass(slots=True)
class Tally:
    """What became of a run's mutants."""

    run: int
    mutants: int = 0
    valid: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, -1)
    failures: dict[int, str] = field(default_factory=dict)
    megabytes: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        lines = [
            f"seed {self.run}: {self.mutants:,} mutants in {self.seconds:.0f} s, {self.valid:,} valid, "
            f"{self.mutants - self.valid:,} not; {len(self.codes)} codes; "
            f"slowest {self.slowest[0]:.2f} s (mutant {self.slowest[1]}); {self.megabytes} MB",
            f"codes: {', '.join(f'{code} {n}' for code, n in sorted(self.codes.items()))}",
            *(f"FAILED {self.run}:{number}: {problem}" for number, problem in sorted(self.failures.items())),
        ]
        return "\n".join(lines)


class _Shepherd:
    """Keeps one worker at work: another takes over after one that dies."""

    def __init__(self, tally: Tally, first: int, stop: int, step: int, folder: str) -> None:
        self.thread = threading.Thread(target=self._work, daemon=True)
        self._tally, self._folder = tally, folder
        self._first, self._stop, self._step = first, stop, step
        self._current: int | None = None
        self._heard = time.monotonic()
        self._process: subprocess.Popen[str] | None = None

    def _work(self) -> None:
        while self._first < self._stop:
            self._current = None
            with self._started() as process:
                self._process = process
                assert process.stdout is not None
                for line in process.stdout:
                    self._hear(line)
            if process.returncode == 0:
                return
            died = "hangs" if self._hangs() else f"died with {process.returncode}"
            self._tally.failures[-1 if self._current is None else self._current] = died
            if self._current is None:
                return
            self._first = self._current + self._step

    def watch(self) -> None:
        """Kill a worker that hangs."""
        if self._process is not None and self._hangs():
            self._process.kill()

    def _hangs(self) -> bool:
        return time.monotonic() - self._heard > HANG

    def _started(self) -> subprocess.Popen[str]:
        self._heard = time.monotonic()
        numbers = map(str, (self._tally.run, self._first, self._stop, self._step))
        arguments = [sys.executable, "-m", "tests.fuzz.worker", *numbers, tempfile.mkdtemp(dir=self._folder)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)

    def _hear(self, line: str) -> None:
        tally = self._tally
        self._heard = time.monotonic()
        word, _, rest = line.partition(" ")
        if word == ">":
            self._current = int(rest)
        elif word == "memory":
            tally.megabytes = max(tally.megabytes, int(rest))
        else:
            number, valid, codes, seconds, problem = json.loads(line)
            tally.mutants += 1
            tally.valid += valid
            tally.codes.update(codes)
            tally.slowest = max(tally.slowest, (seconds, number))
            if problem is not None:
                tally.failures[number] = problem


def fuzz(run: int, mutants: int, workers: int | None = None) -> Tally:
    """Judge the first *mutants* of the run with seed *run*."""
    tally = Tally(run)
    started = time.monotonic()
    count = workers or os.cpu_count() or 1
    above = _MEMORY_DISK if os.access(_MEMORY_DISK, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=above) as folder:
        shepherds = [_Shepherd(tally, first, mutants, count, folder) for first in range(min(count, mutants))]
        for shepherd in shepherds:
            shepherd.thread.start()
        while any(shepherd.thread.is_alive() for shepherd in shepherds):
            time.sleep(0.2)
            for shepherd in shepherds:
                shepherd.watch()
    tally.seconds = time.monotonic() - started
    return tally
