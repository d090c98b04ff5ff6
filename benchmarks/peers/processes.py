"""Run a whole process and tell what it used."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.peers.pipelines import REGION

KEYS = {"AWS_ACCESS_KEY_ID": "example", "AWS_SECRET_ACCESS_KEY": "example"}
REGION_ONLY = {"AWS_DEFAULT_REGION": REGION}


@dataclass(frozen=True, slots=True)
class Used:
    """One process with those that it waited for: wall and CPU seconds, and the largest one's peak RSS in MB.

    Linux counts as a new process's peak what the starting one had, so none is below the benchmark's own 20 MB.
    """

    wall: float
    cpu: float
    memory: float
    code: int
    out: str
    err: str


def run(command: Sequence[str], folder: Path, home: Path, more: Mapping[str, str] | None = None) -> Used:
    """Run *command* with an empty home and only the variables *more*: no one's credentials or settings are seen."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **(more or {})}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begun = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = code = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        texts = out.read().decode(), err.read().decode()
    return Used(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, code, *texts)


def sound(used: Used, command: Sequence[str]) -> Used:
    """Return *used*, or end here when the process failed."""
    if used.code:
        raise SystemExit(f"{' '.join(command)} ended with {used.code}:\n{used.err[-3000:]}")
    return used


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """Return the median with the least and the greatest."""
    return f"{median(values):{form}} ({min(values):{form}}..{max(values):{form}})"
