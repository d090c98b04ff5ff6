"""A pipeline to run while something breaks, and what must be true afterwards."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from buzzflow.backends.local.containers.executor import DockerExecutor
from buzzflow.driver import check
from buzzflow.driver.local import LocalOptions, prepared_request, run_prepared

COMMAND = str(Path(sys.executable).with_name("buzzflow"))
LINES = 12
PIPELINE = """\
name: faults
defaults: {image: {uri: IMAGE}}
steps:
  victim: {type: processing, code: victim.py, outputs: [data]}
  beside: {type: processing, code: beside.py}
  after: {type: processing, code: after.py, inputs: {data: "${step:victim.outputs.data}"}}
"""
# Each tick is a line, so that a log which was cut shows; what to do comes from a file that a run has for itself.
VICTIM = """\
import os, pathlib, subprocess, sys, time
what = pathlib.Path(__file__).with_name("what.txt").read_text().strip()
print("began", flush=True)
if what == "eat":
    held = [bytearray(2 ** 24) for _ in range(2 ** 8)]
if what == "child eats":
    done = subprocess.run([sys.executable, "-c", "held = [bytearray(2 ** 24) for _ in range(2 ** 8)]"])
    sys.exit(3 if done.returncode else 0)
if what == "child eats, parent goes on":
    subprocess.run([sys.executable, "-c", "held = [bytearray(2 ** 24) for _ in range(2 ** 8)]"])
if what == "fill":
    with open(os.environ["BUZZFLOW_OUTPUT_DATA"] + "/big", "wb") as file:
        for _ in range(64):
            file.write(bytes(2 ** 20))
            file.flush()
for tick in range(12):
    time.sleep(0.25)
    print("tick", tick, flush=True)
pathlib.Path(os.environ["BUZZFLOW_OUTPUT_DATA"], "rows.txt").write_text("7")
"""
AFTER = """\
import os, pathlib
print("rows", pathlib.Path(os.environ["BUZZFLOW_INPUT_DATA"], "rows.txt").read_text())
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def tracebacks(self) -> list[str]:
        """Return what buzzflow, not a step, says of a bug."""
        return [f"a traceback: {self.err[-1000:]}"] if re.search("^Traceback", self.err, re.MULTILINE) else []


@dataclass
class World:
    """A project in *folder*, run against the daemon at *host* (None: without Docker)."""

    folder: Path
    image: str
    host: str | None
    environment: Mapping[str, str] = field(default_factory=dict)

    def make(self, what: str = "") -> None:
        """Write the project's files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "pipeline.yaml").write_text(PIPELINE.replace("IMAGE", self.image))
        (self.folder / "victim.py").write_text(VICTIM)
        (self.folder / "beside.py").write_text("print('beside')\n")
        (self.folder / "after.py").write_text(AFTER)
        (self.folder / "what.txt").write_text(what + "\n")

    @contextmanager
    def running(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        """Start a run; it is killed when the block ends and it has not."""
        executor = "process" if self.host is None else "docker"
        environment = {**os.environ, **self.environment, **({"DOCKER_HOST": self.host} if self.host else {})}
        with subprocess.Popen(
            [COMMAND, "create", f"--local={executor}", "--json", *options],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, *options: str) -> Ended:
        """Run to the end."""
        with self.running(*options) as process:
            return ended(process)

    def run_with(self, *, memory_bytes: int) -> str:
        """Run to the end in this process, with containers that have little memory; return the run's state."""
        checked = check(self.folder, backend="local", local=True)
        prepared = prepared_request(checked, LocalOptions(), self.folder / ".buzzflow")
        executor = DockerExecutor(prepared.request.run, self.folder / ".buzzflow/cache", memory_bytes=memory_bytes)
        return run_prepared(prepared, executor, lambda _event: None, threading.Event()).report.state.value

    # ---- what can be seen from outside

    def runs(self) -> list[dict[str, Any]]:
        """Return the manifests, oldest first."""
        folders = sorted((self.folder / ".buzzflow" / "runs").glob("*/manifest.json"), key=lambda f: f.stat().st_mtime)
        return [json.loads(file.read_text()) for file in folders]

    def states(self, run: int = -1) -> dict[str, str]:
        """Return the state of each step of a run."""
        return {name: step["state"] for name, step in self.runs()[run]["steps"].items()}

    def ticks(self) -> list[str]:
        """Return the victim's lines in the last run's log."""
        logs = sorted(self.folder.glob(".buzzflow/runs/*/steps/victim/log.txt"), key=lambda f: f.stat().st_mtime)
        return logs[-1].read_text().splitlines() if logs else []

    def wait_for_tick(self, number: int = 2) -> None:
        """Wait until the victim has printed some lines."""
        self.wait_until(lambda: len(self.ticks()) > number, "the victim prints")

    @staticmethod
    def wait_until(is_so: Any, what: str, seconds: float = 60) -> None:
        """Wait until *is_so* returns true."""
        give_up = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < give_up, f"never seen: {what}"
            time.sleep(0.05)

    def left(self) -> list[str]:
        """Return containers and networks that the daemon has of runs of this project, or temporary folders of them."""
        runs = [folder.name for folder in (self.folder / ".buzzflow" / "runs").glob("*")]
        if self.host is None:
            parent = Path(self.environment.get("TMPDIR", "/tmp"))
            return [str(path) for run in runs for path in parent.glob(f"buzzflow-{run}-*")]
        return [name for run in runs for kind in ("container", "network") for name in self._listed(kind, run)]

    def _listed(self, kind: str, run: str) -> list[str]:
        form = "{{.Names}}" if kind == "container" else "{{.Name}}"
        command = ["docker", "--host", str(self.host), kind, "ls", "--format", form]
        command += ["--filter", f"label=buzzflow.run={run}", *(["--all"] if kind == "container" else [])]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def faketime_library() -> Path | None:
    """Return the library that sets a process's clock, of Debian's package faketime."""
    return next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)


def ended(process: subprocess.Popen[str], seconds: float = 150) -> Ended:
    """Wait for the end of a run."""
    began = time.monotonic()
    out, err = process.communicate(timeout=seconds)
    return Ended(process.returncode, out, err, time.monotonic() - began)


def signalled(process: subprocess.Popen[str], number: signal.Signals) -> Ended:
    """Send a signal and wait for the end."""
    process.send_signal(number)
    return ended(process)


def broken(world: World, states: Mapping[str, str] | None, *, waits: Sequence[str] = ()) -> list[str]:
    """Return what is wrong after a fault: states that are not *states*, leftovers, a second run that fails."""
    found = []
    if states is not None and (seen := world.states()) != states:
        found.append(f"states are {seen}, not {states}")
    try:
        world.wait_until(lambda: not world.left(), "nothing left", seconds=15)
    except AssertionError:
        found.append(f"left behind: {world.left()}")
    world.make()
    again = world.run()
    if again.code != 0:
        found.append(f"the second run ended with {again.code}: {again.err[-500:]}")
    elif set(world.states().values()) != {"succeeded"}:
        found.append(f"the second run's states are {world.states()}")
    if left := world.left():
        found.append(f"the second run left behind: {left}")
    return found
