"""`python -m benchmarks accuracy`: how right the figures of steps are, against what their own kernel counted inside.

Steps of 2, 5 and 15 seconds with a known load run in Docker, with cAdvisor and Prometheus beside them, and as
processes; of several rounds, the table has the worst.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from buzzflow.backends.local.containers.executor import DockerExecutor
from buzzflow.backends.local.containers.monitoring import MonitoringImages
from buzzflow.backends.local.executor import Executor, Mount, Outcome, Setting, Task
from buzzflow.backends.local.processes.executor import ProcessExecutor
from buzzflow.metrics import Usage

IMAGE = os.environ.get("BUZZFLOW_TEST_IMAGE", "buzzflow-test/python:3.11")
MONITORING = MonitoringImages(
    os.environ.get("BUZZFLOW_TEST_CADVISOR", "buzzflow-test/cadvisor:latest"),
    os.environ.get("BUZZFLOW_TEST_PROMETHEUS", "buzzflow-test/prometheus:latest"),
)
LENGTHS, ROUNDS = (2, 5, 15), 3
FIRST_SCRAPE_SECONDS = 9  # after that, Prometheus sees every step
SERVER = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"x" * 20_000_000)
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
UNITS = {"cpu_seconds": (1, "s"), "cpu_peak": (1, "cores")}
MEBIBYTES = ("memory_peak_bytes", "memory_mean_bytes")
Truth = dict[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one step."""

    seconds: int
    figure: str
    truth: float
    told: float
    source: str

    @property
    def error(self) -> float:
        return self.told / self.truth - 1


def accuracy() -> None:
    """Print a table for each executor."""
    load = os.getloadavg()[0]
    print(
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {os.cpu_count()} cores,",
        end=" ",
    )
    print(f"{ROUNDS} rounds, the worst of each; {load:.1f} other processes wanted to run at the start")
    for name, rounds in (("docker", _in_docker), ("process", _as_processes)):
        with tempfile.TemporaryDirectory() as folder:
            rows = [*rounds(Path(folder))]
        print(f"\n| {name} | figure | truth | buzzflow | error | source |\n| --- | --- | --- | --- | --- | --- |")
        for row in _worst(rows):
            shown = [_shown(row.figure, value) for value in (row.truth, row.told)]
            print(f"| {row.seconds} s | {_named(row.figure)} | {' | '.join(shown)} | {row.error:+.1%} | {row.source} |")


def _worst(rows: list[Row]) -> Iterator[Row]:
    groups: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.seconds, row.figure), []).append(row)
    for group in groups.values():
        yield max(group, key=lambda row: abs(row.error))


def _named(figure: str) -> str:
    return figure.removesuffix("_bytes").replace("_", " ").replace("cpu", "CPU")


def _shown(figure: str, value: float) -> str:
    if figure in MEBIBYTES:
        return f"{value / 2**20:.1f} MiB"
    divisor, unit = UNITS.get(figure, (1e6, "MB"))
    return f"{value / divisor:.2f} {unit}"


# ------------------------------------------------------------------ runs


def _in_docker(folder: Path) -> Iterator[Row]:
    run = f"accuracy-{uuid.uuid4().hex[:6]}"
    executor = DockerExecutor(run, folder / "cache")
    try:
        executor.monitor(MONITORING, print, print)
        with _served(executor, run) as url:
            time.sleep(FIRST_SCRAPE_SECONDS)
            yield from _rounds(lambda seconds: _measured(executor, run, folder, seconds, url))
    finally:
        executor.close()


def _as_processes(folder: Path) -> Iterator[Row]:
    executor = ProcessExecutor("accuracy", folder / "cache")
    try:
        yield from _rounds(lambda seconds: _measured(executor, "accuracy", folder, seconds, None))
    finally:
        executor.close()


@contextmanager
def _served(executor: DockerExecutor, run: str) -> Iterator[str]:
    """Have a step of the same run serve 20 MB."""
    stop = threading.Event()
    task = Task(run, "server", Setting(IMAGE), ("python3", "-c", SERVER), (), {}, ())
    thread = threading.Thread(target=executor.run, args=(task, lambda _: None, stop))
    thread.start()
    try:
        yield f"http://buzzflow-{run}-server:8000/"
    finally:
        stop.set()
        thread.join()


def _rounds(measure: Callable[[int], tuple[Truth, Usage]]) -> Iterator[Row]:
    for seconds in LENGTHS:
        for _ in range(ROUNDS):
            truth, usage = measure(seconds)
            for figure in ("cpu_seconds", "cpu_peak", *MEBIBYTES, "disk_written_bytes", *truth):
                told = getattr(usage, figure)
                if told is not None and figure in truth:
                    source = usage.sources.get(figure, usage.source)
                    yield Row(seconds, figure, truth.pop(figure), told, source)


def _measured(executor: Executor, run: str, folder: Path, seconds: int, url: str | None) -> tuple[Truth, Usage]:
    out = folder / "out"
    out.mkdir(exist_ok=True)
    said = bytearray()
    here = Path(__file__).with_name("load.py")
    mounts = (Mount(here, "/opt/ml/load.py", read_only=True), Mount(out, "/opt/ml/out", read_only=False))
    task = Task(
        run,
        f"load-{seconds}",
        Setting(IMAGE),
        ("python3", "/opt/ml/load.py"),
        ("container", str(seconds), url) if url else ("process", str(seconds)),
        {"BUZZFLOW_OUTPUT": "/opt/ml/out"},
        mounts,
    )
    outcome: Outcome = executor.run(task, said.extend, threading.Event())
    told = next((line for line in said.decode().splitlines() if line.startswith("TRUTH ")), None)
    if outcome.exit_code != 0 or told is None:
        raise SystemExit(f"the step ended with {outcome.exit_code}:\n{said.decode()}")
    return json.loads(told.removeprefix("TRUTH ")), outcome.usage
