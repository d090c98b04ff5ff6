"""What breaks while a pipeline runs, and what must come of it: one function for each kind of fault.

Each returns what is wrong, a line for each; nothing means that all was as it should be.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.faults.daemon import Daemon
from tests.faults.world import LINES, Ended, World, broken, ended, signalled

GOOD = {"victim": "succeeded", "beside": "succeeded", "after": "succeeded"}
LOST = {"victim": "failed", "beside": "succeeded", "after": "skipped"}
STOPPED = {"victim": "stopped", "beside": "succeeded", "after": "skipped"}
STEP_FAILED, INTERRUPTED = 4, 130
END_SECONDS = 5.0  # GitHub gives 7.5 s from SIGINT to SIGTERM
POWER = "power"
MEMORY_BYTES = 128 * 2**20


def expect(done: Ended, code: int, world: World, states: Mapping[str, str], *reasons: str) -> list[str]:
    """Return what is wrong with a run's end, then with what it left and with a second run."""
    found = [] if done.code == code else [f"exit code {done.code}, not {code}: {done.err[-500:]}"]
    found += done.tracebacks
    told = world.runs()[-1]["steps"]["victim"].get("reason") or ""
    found += [f"the reason is {told!r}, without {reason!r}" for reason in reasons if reason not in told]
    return found + broken(world, states)


# ------------------------------------------------------------------ the daemon


def daemon_goes(world: World, daemon: Daemon, how: signal.Signals | str, *, away_seconds: float = 0.5) -> Ended:
    """Run while the daemon ends in the middle of a step and comes back."""
    world.make()
    with world.running() as process:
        world.wait_for_tick()
        if isinstance(how, signal.Signals):
            daemon.end(how)
        else:
            daemon.lose_power()
        time.sleep(away_seconds)
        daemon.start()
        return ended(process)


def daemon_goes_and_the_step_goes_on(world: World, daemon: Daemon, how: signal.Signals) -> list[str]:
    """With live-restore a container outlives its daemon: the run must not notice, and no line be lost."""
    done = daemon_goes(world, daemon, how)
    lines = world.ticks()
    wrong = [] if lines == ["began", *(f"tick {i}" for i in range(LINES))] else [f"the log is {lines}"]
    return wrong + expect(done, 0, world, GOOD)


def daemon_goes_and_the_step_with_it(world: World, daemon: Daemon, how: signal.Signals | str) -> list[str]:
    """Without live-restore, or without power, the container ends: the step has failed, and says why."""
    done = daemon_goes(world, daemon, how)
    return expect(done, STEP_FAILED, world, LOST)


def daemon_stays_away(world: World, daemon: Daemon) -> list[str]:
    """After a minute the step is lost, and the run ends; what is left goes when the daemon is back."""
    world.make()
    with world.running() as process:
        world.wait_for_tick()
        daemon.lose_power()
        done = ended(process)
    daemon.start()
    return expect(done, STEP_FAILED, world, LOST, "lost: the engine went away")


# ------------------------------------------------------------------ memory, disk, image


def memory_runs_out(world: World, what: str) -> list[str]:
    """A step, or a child of it, needs more than it may have."""
    world.make(what)
    state = world.run_with(memory_bytes=MEMORY_BYTES)
    if what == "child eats, parent goes on":
        return ([] if state == "succeeded" else [f"the run {state}"]) + broken(world, GOOD)
    told = "out of memory" if what == "eat" else "a child process of the step was killed for lack of memory"
    reason = world.runs()[-1]["steps"]["victim"]["reason"]
    return ([] if told in reason else [f"the reason is {reason!r}"]) + broken(world, LOST)


def disk_runs_full(world: World) -> list[str]:
    """The folder of runs has 24 MiB, and the step wants 64."""
    world.make("fill")
    with small_disk(world.folder / ".buzzflow", mebibytes=24):
        done = world.run()
        wrong = [] if "No space left on device" in done.out + done.err else [f"not told: {done.err[-500:]}"]
        outputs = [*world.folder.glob(".buzzflow/runs/*/outputs/victim/data/*")]
        if outputs:
            wrong.append(f"half an output is kept: {outputs}")
        if done.code not in (1, STEP_FAILED):
            wrong.append(f"exit code {done.code}")
        wrong += done.tracebacks
        wrong += [f"left behind: {name}" for name in world.left()]
    return wrong + broken(world, None)


@contextmanager
def small_disk(folder: Path, *, mebibytes: int) -> Iterator[None]:
    """Mount a file system of its own at *folder*; needs root."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=755", "buzzflow-test", str(folder)]
    subprocess.run(mount, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def image_is_missing(world: World) -> list[str]:
    """The image is nowhere: told before anything starts, with exit code 1."""
    image, world.image = world.image, "127.0.0.1:1/no/such:1"
    world.make()
    done = world.run()
    world.image = image
    wrong = [] if done.code == 1 and "BF502" in done.out + done.err else [f"exit code {done.code}: {done.err[-500:]}"]
    return wrong + broken(world, None)


# ------------------------------------------------------------------ the command itself


def command_is_signalled(world: World, number: signal.Signals, after_seconds: float) -> list[str]:
    """SIGINT, SIGTERM or SIGKILL reaches the command some time after its start."""
    world.make()
    with world.running() as process:
        time.sleep(after_seconds)
        done = signalled(process, number)
    if number == signal.SIGKILL:
        return _after_a_kill(world, done)
    if done.code in (0, -number):  # it had ended by itself, or its own handlers were not there yet
        return broken(world, None)
    wrong = [] if done.code == INTERRUPTED else [f"exit code {done.code}: {done.err[-500:]}"]
    if done.seconds > END_SECONDS:
        wrong.append(f"it took {done.seconds:.1f} s to end")
    wrong += done.tracebacks
    if runs := world.runs():
        if runs[-1]["state"] not in ("stopped", "succeeded"):
            wrong.append(f"the run is {runs[-1]['state']}")
        wrong += [f"step {n} is {s['state']}" for n, s in runs[-1]["steps"].items() if s["state"] in UNFINISHED]
    return wrong + broken(world, None)


UNFINISHED = ("running", "waiting")


def _after_a_kill(world: World, done: Ended) -> list[str]:
    runs = world.runs()
    wrong = []
    if done.code == -signal.SIGKILL and runs and runs[-1]["state"] != "running" and "seconds" not in runs[-1]:
        wrong.append(f"the manifest of a killed run says {runs[-1]['state']}")
    return wrong + broken(world, None)


def two_runs_at_once(world: World) -> list[str]:
    """Two commands in one folder at the same moment: both succeed, in folders of their own."""
    world.make()
    with world.running() as one, world.running() as other:
        codes = [ended(one).code, ended(other).code]
    wrong = [] if codes == [0, 0] else [f"exit codes {codes}"]
    ids = [run["run"] for run in world.runs()]
    if len({*ids}) != 2:
        wrong.append(f"runs {ids}")
    wrong += [f"run {i}: {world.states(i)}" for i in (0, 1) if i < len(ids) and world.states(i) != GOOD]
    return wrong + broken(world, None)


def clock_jumps(world: World, library: Path, seconds: int) -> list[str]:
    """The machine's clock is set in the middle of the run, which no duration may show."""
    world.make()
    offset = world.folder.with_name("offset")  # not in the project, whose files may not change meanwhile
    offset.write_text("+0\n")
    world.environment = {
        **world.environment,
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with world.running() as process:
        world.wait_for_tick()
        offset.write_text(f"{seconds:+}\n")
        done = ended(process)
    [run] = world.runs()
    lasted = {name: step.get("seconds", 0) for name, step in run["steps"].items()}
    wrong = [f"{name} took {took} s" for name, took in lasted.items() if not 0 <= took < 60]
    return wrong + expect(done, 0, world, GOOD)
