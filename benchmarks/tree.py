"""`validate` over a tree of 1,000 projects and over one large pipeline, against plain OmegaConf on the same files."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.projects import write_pipeline, write_repository

ROOT = Path(__file__).parents[1]
PROJECTS, LARGE = 1_000, 200
RUNS = 3  # each of the long ones takes ten seconds and more


@dataclass(frozen=True, slots=True)
class Run:
    """One whole process with its children: seconds, seconds of all CPUs, the most MB that were resident at once."""

    wall: float
    cpu: float
    memory: float


def tree() -> Iterator[tuple[str, float, float | None]]:
    """Wall and CPU seconds, and MB: the greatest sum of what all its processes had resident, shared pages often."""
    with tempfile.TemporaryDirectory() as made:
        many = write_repository(Path(made) / "many", PROJECTS)
        large = write_pipeline(Path(made) / "large", LARGE)
        os.environ["XDG_CACHE_HOME"] = f"{made}/cache"
        validate = [sys.executable, "-m", "buzzflow", "validate"]
        plain = [sys.executable, "-m", "benchmarks.plain"]
        files = [str(file) for file in sorted(many.glob("*/*/pipeline.yaml"))]
        bare = _run([sys.executable, "-c", "pass"])
        baseline = _run([*plain, *files])
        one = _median([*plain, str(large / "pipeline.yaml")])
        cold = _median([*validate, "--no-cache", str(many)])
        yield f"{PROJECTS:,} pipelines, without cache", cold.wall, baseline.wall
        yield "  the same, CPU seconds", cold.cpu, baseline.cpu
        yield "  the same, most memory in MB", cold.memory, baseline.memory
        first = _run([*validate, str(many)])
        yield "  the first time, with an empty cache", first.wall, baseline.wall
        warm = _median([*validate, str(many)])
        yield "  nothing has changed", warm.wall, bare.wall
        yield "  the same, CPU seconds", warm.cpu, bare.cpu
        yield "  the same, most memory in MB", warm.memory, bare.memory
        (many / "base/base.yaml").open("a").write("# edited\n")
        yield "  the layer below all was edited", _run([*validate, str(many)]).wall, None
        (many / "research/p0000/common.py").open("a").write("# edited\n")
        yield "  one module was edited", _run([*validate, str(many)]).wall, None
        single = _median([*validate, "--no-cache", str(large)])
        yield f"one pipeline of {LARGE} steps", single.wall, one.wall
        yield "  the same, most memory in MB", single.memory, one.memory


def _median(command: Sequence[str]) -> Run:
    runs = [_run(command) for _ in range(RUNS)]
    return Run(*(statistics.median(values) for values in zip(*((r.wall, r.cpu, r.memory) for r in runs), strict=True)))


def _run(command: Sequence[str]) -> Run:
    before = os.times()
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(command, cwd=ROOT, stdout=told, stderr=subprocess.STDOUT)
        most = 0
        while process.poll() is None:
            most = max(most, _resident(process.pid))
            time.sleep(0.02)
        wall = time.perf_counter() - begun
        if process.returncode:
            told.seek(0)
            raise SystemExit(f"{' '.join(command[:5])} ended with {process.returncode}:\n{told.read(4000).decode()}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(wall, cpu, most / 1e6)


def _resident(pid: int) -> int:
    total = 0
    try:
        whole = psutil.Process(pid)
        for process in (whole, *whole.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.Error:
        return total  # it has just ended
    return total
