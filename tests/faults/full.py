"""Every fault many times over, and the counts in docs/RELIABILITY.md."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.faults import cells
from tests.faults.daemon import Daemon
from tests.faults.world import World, faketime_library

PAGE = Path(__file__).parents[2] / "docs" / "RELIABILITY.md"
BEGIN, END = "<!-- local counts: begin -->", "<!-- local counts: end -->"
IMAGE = os.environ.get("BUZZFLOW_TEST_IMAGE", "buzzflow-test/python:3.11")
SHARED = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
RUN_SECONDS = {"docker": 6.0, "process": 4.5}  # about how long a run takes: the signals are spread over that


@dataclass
class Row:
    """One kind of fault: how often it was tried, the slowest, and what was wrong."""

    what: str
    expected: str
    tries: int
    slowest: float
    wrong: list[str]

    def line(self) -> str:
        """Return it as a row of a table."""
        return f"| {self.what} | {self.expected} | {self.tries} | {self.slowest:.0f} s | {len(self.wrong)} |"


Try = Callable[[World], list[str]]


def main() -> int:
    """Break local runs in every way, write the counts into docs/RELIABILITY.md, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=main.__doc__)
    parser.add_argument("--times", type=int, default=5, help="tries of each fault")
    parser.add_argument("--points", type=int, default=20, help="moments at which each signal is sent")
    options = parser.parse_args()
    begun = time.monotonic()
    with ExitStack() as stack:
        rows = [_told(row) for row in _rows(stack, options)]
    _write(rows, options, time.monotonic() - begun)
    return 1 if any(row.wrong for row in rows) else 0


def _rows(stack: ExitStack, options: argparse.Namespace) -> Iterator[Row]:
    for live in (False, True):
        daemon = _daemon(stack, live_restore=live)
        with_or_without = "with live-restore" if live else "without live-restore"
        fault = cells.daemon_goes_and_the_step_goes_on if live else cells.daemon_goes_and_the_step_with_it
        expected = "the run succeeds, no line lost" if live else "the step has failed, and says why"
        for how in (signal.SIGKILL, signal.SIGTERM):
            what = f"{how.name} to the daemon in mid-step, {with_or_without}"
            yield _tried(what, expected, daemon.host, [_of(fault, daemon, how)] * options.times)
        lost = _of(cells.daemon_goes_and_the_step_with_it, daemon, cells.POWER)
        yield _tried(
            f"power loss in mid-step, {with_or_without}", "the step has failed", daemon.host, [lost] * options.times
        )
    away = [_of(cells.daemon_stays_away, daemon)] * max(1, options.times // 5)
    yield _tried("the daemon stays away", "the step is lost after a minute", daemon.host, away)
    memory = {"eat": "the step", "child eats": "its child, and it fails", "child eats, parent goes on": "its child"}
    for what, who in memory.items():
        expected = "the run succeeds" if "goes on" in what else "failed, out of memory is told"
        yield _tried(f"out of memory: {who}", expected, SHARED, [_of(cells.memory_runs_out, what)] * options.times)
    full = "failed or refused, no half output kept"
    yield _tried("the disk runs full", full, SHARED, [cells.disk_runs_full] * options.times)
    yield _tried(
        "the image is missing", "refused before anything starts", SHARED, [cells.image_is_missing] * options.times
    )
    yield _tried("two runs at once in one folder", "both succeed", SHARED, [cells.two_runs_at_once] * options.times)
    if (library := faketime_library()) is not None:
        jumps = [_of(cells.clock_jumps, library, seconds) for seconds in (3600, -3600, 86400, -86400)]
        yield _tried("the clock is set by an hour, a day", "the run succeeds, durations are true", SHARED, jumps)
    for executor, host in (("docker", SHARED), ("process", None)):
        for number in SIGNALS:
            moments = [RUN_SECONDS[executor] * (i + 0.5) / options.points for i in range(options.points)]
            tries = [_of(cells.command_is_signalled, number, moment) for moment in moments]
            expected = (
                "nothing left, the next run works" if number == signal.SIGKILL else "stopped within 5 s, code 130"
            )
            yield _tried(f"{number.name} to buzzflow ({executor})", expected, host, tries)


def _of(fault: Callable[..., list[str]], *arguments: object) -> Try:
    return lambda world: fault(world, *arguments)


def _daemon(stack: ExitStack, *, live_restore: bool) -> Daemon:
    root = Path(tempfile.mkdtemp(prefix="bzd", dir="/tmp"))
    stack.callback(shutil.rmtree, root, ignore_errors=True)
    daemon = Daemon(root / "d", live_restore=live_restore)
    stack.callback(daemon.close)
    daemon.start()
    daemon.load(IMAGE, SHARED)
    return daemon


def _tried(what: str, expected: str, host: str | None, tries: list[Try]) -> Row:
    row = Row(what, expected, len(tries), 0.0, [])
    for attempt in tries:
        with tempfile.TemporaryDirectory(prefix="bzw", dir="/tmp") as folder:
            world = World(Path(folder) / "project", IMAGE, host)
            if host is None:
                temporary = Path(folder) / "tmp"
                temporary.mkdir()
                world.environment = {"TMPDIR": str(temporary)}
            begun = time.monotonic()
            try:
                row.wrong += attempt(world)
            except Exception as e:  # noqa: BLE001 - counted, and told
                row.wrong.append(f"{type(e).__name__}: {e}")
            row.slowest = max(row.slowest, time.monotonic() - begun)
    return row


def _told(row: Row) -> Row:
    print(row.line(), *row.wrong, sep="\n  ", file=sys.stderr, flush=True)
    return row


def _write(rows: list[Row], options: argparse.Namespace, seconds: float) -> None:
    text = PAGE.read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    engine = _printed("docker", "version", "--format", "{{.Server.Version}}")
    commit = _printed("git", "rev-parse", "--short=12", "HEAD")
    tries, wrong = sum(row.tries for row in rows), sum(len(row.wrong) for row in rows)
    table = [
        "| what breaks | what must come of it | tries | slowest | wrong |",
        "| --- | --- | --- | --- | --- |",
        *(row.line() for row in rows),
        f"| **all** | | **{tries}** | | **{wrong}** |",
    ]
    cgroup = "version 2" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "version 1"
    written = (
        f"Written by `make faults` (`python -m tests.faults --times {options.times} --points {options.points}`) on "
        f"{datetime.now(UTC):%Y-%m-%d} at commit {commit}, in {seconds / 60:.0f} minutes on "
        f"{os.cpu_count()} cores, Linux {platform.release()}, control groups {cgroup}, Docker {engine}, "
        f"Python {platform.python_version()}."
    )
    PAGE.write_text("\n".join([head.rstrip("\n"), "", BEGIN, "", *table, "", written, "", END]) + tail)


def _printed(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
