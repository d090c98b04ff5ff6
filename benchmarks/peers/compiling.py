"""`python -m benchmarks compile`: what one step costs to compile, with buzzflow and with the SageMaker SDK 3.

All in one run on one machine, medians of CPU seconds in one process: from the IR to checked JSON with buzzflow, from
Python objects to JSON with the SDK, which checks nothing. The SDK is measured *patched*, with all that asks AWS
replaced, and *as shipped*, with AWS answered in memory without delay. Both definitions must mean the same.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from statistics import median

from benchmarks.peers.definitions import compare
from benchmarks.peers.environments import Installed, install
from benchmarks.peers.pipelines import write
from benchmarks.peers.processes import run, sound, spread
from benchmarks.peers.tools import HERE, Way, ways

PATCHED, SHIPPED = "SDK 3, patched", "SDK 3"
GOALS = {PATCHED: 50, SHIPPED: 1000}  # times as much CPU for each step as buzzflow
MANY_STEPS, MANY_SECONDS = 11, 15
SCALED = 20  # so many pipelines stand for all, where all would take minutes
IMPORTS = {
    "buzzflow": "from buzzflow.driver import check; import buzzflow.backends.sagemaker",
    "sagemaker": "from sagemaker.mlops.workflow.pipeline import Pipeline; from sagemaker.train import ModelTrainer",
}


def compiling(arguments: Sequence[str]) -> None:
    """Make the environments when they are not there (1.1 GB), measure, and print the tables."""
    options = _options(arguments)
    installed = {tool: install(tool) for tool in ("buzzflow", "sagemaker")}
    with tempfile.TemporaryDirectory() as made:
        home = Path(made)
        chosen = ways(home)
        when = datetime.now().astimezone().date()
        print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, ", end="")
        print(f"load {os.getloadavg()[0]:.1f}, {when}; median (least..greatest)")
        _installs(installed, options.rounds, home)
        differ = _steps(installed, chosen, options, home)
        _many(installed, chosen, options.pipelines, home)
    if differ:
        sys.exit(f"{differ} values differ for no reason that the benchmark knows")


def _options(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks compile", description=__doc__)
    parser.add_argument("--steps", type=int, nargs="+", default=[5, 50, 200])
    parser.add_argument("--rounds", type=int, default=5, help="builds that count, after one that does not")
    parser.add_argument("--slow-rounds", type=int, default=2, help="the same for the SDK as shipped")
    parser.add_argument("--pipelines", type=int, default=300)
    return parser.parse_args(arguments)


def _installs(installed: Mapping[str, Installed], rounds: int, home: Path) -> None:
    print(f"\n{'installed':<20} {'MB':>8} {'packages':>9} {'import, CPU s':>22}")
    for tool, one in installed.items():
        bare = median(_cpu([one.python, "-c", "pass"], rounds, home))
        seconds = [cpu - bare for cpu in _cpu([one.python, "-c", IMPORTS[tool]], rounds, home)]
        name = f"{tool} {next(v for n, v in one.versions.items() if n == tool)}"
        print(f"{name:<20} {one.megabytes:>8.0f} {one.packages:>9} {spread(seconds):>22}", flush=True)


def _cpu(command: Sequence[str], rounds: int, home: Path) -> list[float]:
    region = {"AWS_DEFAULT_REGION": "eu-west-1"}  # the SDK cannot be imported without one
    used = [sound(run(command, home, home, region), command).cpu for _ in range(rounds + 1)]
    return used[1:]


def _steps(installed: Mapping[str, Installed], chosen: Mapping[str, Way], options: Namespace, home: Path) -> int:
    """Print the CPU milliseconds of each step; return how many values differ for no known reason."""
    print(f"\n{'one process, CPU ms a step':<28} {'median (least..greatest)':>26} {'times buzzflow':>15} {'goal':>6}")
    differ = 0
    for steps in options.steps:
        folder = write(home / f"bench-{steps}", steps, f"bench-{steps}")
        seconds, ours = _emitted(installed, folder, options.rounds, home)
        base = median(seconds)
        print(f"{f'{steps} steps, buzzflow':<28} {_each(seconds, steps):>26}", flush=True)
        for label, goal in GOALS.items():
            rounds = options.rounds if label == PATCHED else options.slow_rounds
            seconds, theirs = _built(installed, chosen[label], [folder] * (rounds + 1), home)
            times = median(seconds) / base
            print(f"{f'{steps} steps, {label}':<28} {_each(seconds, steps):>26} {times:>14.0f}x {goal:>5}x", flush=True)
            differ += _same(ours, theirs)
    return differ


def _each(seconds: Sequence[float], steps: int) -> str:
    return spread([1000 * one / steps for one in seconds], ".3f")


def _emitted(installed: Mapping[str, Installed], folder: Path, rounds: int, home: Path) -> tuple[list[float], str]:
    """Return buzzflow's CPU seconds for each build after the first, and its definition."""
    out = home / "ours.json"
    # a build takes a hundredth of what the SDK's takes, so ten times as many fit into the same time
    command = [installed["buzzflow"].python, str(HERE / "run_emit.py"), str(out), str(10 * rounds), str(folder)]
    told = json.loads(sound(run(command, folder, home), command).out.splitlines()[-1])
    return told["cpu"][1:], out.read_text("utf-8")


def _built(
    installed: Mapping[str, Installed], way: Way, folders: Sequence[Path], home: Path
) -> tuple[list[float], str]:
    """Return the SDK's CPU seconds for each build after the first, which imports it, and the last definition."""
    out = home / "theirs.json"
    command = way.command(installed, out, folders)
    told = json.loads(sound(run(command, home, home, way.needs()), command).out.splitlines()[-1])
    return told["cpu"][1:], out.read_text("utf-8")


def _same(ours: str, theirs: str) -> int:
    """Print what the definitions have in common; return how many values differ for no known reason."""
    found = compare(ours, theirs)
    explained = sum(found.by_reason.values()) - len(found.unknown)
    print(f"{'':<10} {found.same} values the same, {explained} not for a known reason, {len(found.unknown)} for none")
    for line in found.unknown:
        print(f"{'':<10} {line}")
    return len(found.unknown)


def _many(installed: Mapping[str, Installed], chosen: Mapping[str, Way], count: int, home: Path) -> None:
    """Print how long many pipelines take from files to definitions, whole processes; both cores only for buzzflow."""
    folders = [write(home / "many" / f"bench-{n}", MANY_STEPS, f"bench-{n}") for n in range(count)]
    print(f"\n{f'{count} pipelines of {MANY_STEPS} steps, cold':<44} {'wall, s':>9} {'CPU, s':>9}")
    out = home / "definitions"
    out.mkdir()
    command = [installed["buzzflow"].python, str(HERE / "run_many.py"), str(out), *map(str, folders)]
    used = sound(run(command, home, home), command)
    assert len([*out.iterdir()]) == count
    print(f"{f'buzzflow, YAML to JSON (goal: {MANY_SECONDS} s)':<44} {used.wall:>9.1f} {used.cpu:>9.1f}", flush=True)
    for label in GOALS:
        some = folders if label == PATCHED else folders[:SCALED]
        command = chosen[label].command(installed, home / "definition.json", some)
        used = sound(run(command, home, home, chosen[label].needs()), command)
        by = count / len(some)
        named = label if by == 1 else f"{label} ({len(some)} built, scaled)"
        print(f"{named:<44} {used.wall * by:>9.1f} {used.cpu * by:>9.1f}", flush=True)
