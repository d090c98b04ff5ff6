"""`python -m benchmarks peers`: buzzflow, sagerender and the SageMaker SDK 3 build the same pipelines."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from benchmarks.peers.definitions import compare
from benchmarks.peers.environments import Installed, install
from benchmarks.peers.pipelines import write
from benchmarks.peers.processes import KEYS, REGION_ONLY, Used, run, sound, spread
from benchmarks.peers.tools import Way, served, ways

RUNS = {2: 5, 10: 5, 50: 5, 200: 3}
SLOW = {"SDK 3, opted out": (10,)}  # a second and more for each step
MANY = {"buzzflow": 100, "sagerender": 100, "SDK 3": 20, "SDK 3, patched": 100}
READ = "import json, sys, yaml; json.dumps(yaml.load(open(sys.argv[1]), yaml.CSafeLoader))"


def peers() -> None:
    """Make the environments when they are not there (1.3 GB), measure, and print the tables."""
    installed = {tool: install(tool) for tool in ("buzzflow", "sagerender", "sagemaker")}
    with tempfile.TemporaryDirectory() as made:
        home = Path(made)
        chosen = ways(home)
        folders = {steps: write(home / f"bench-{steps}", steps, f"bench-{steps}") for steps in RUNS}
        _machine(installed)
        definitions = _cold(installed, chosen, folders, home)
        _further(installed, chosen, home)
        _server(installed, folders[10], home)
        _network(installed, chosen, folders[10], home)
        _moved(installed, chosen, home)
        _equality(definitions)


def _machine(installed: Mapping[str, Installed]) -> None:
    when = datetime.now().astimezone().date()
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, ", end="")
    print(f"load {os.getloadavg()[0]:.1f}, {when}; median (least..greatest)\n")
    print(f"{'installed':<20} {'seconds':>8} {'MB':>8} {'packages':>9}")
    for one in installed.values():
        version = next(v for name, v in one.versions.items() if name == one.tool)
        print(f"{f'{one.tool} {version}':<20} {one.seconds:>8.0f} {one.megabytes:>8.0f} {one.packages:>9}")
    print(f"sagerender came with sagemaker {installed['sagerender'].versions['sagemaker']}")


def _cold(
    installed: Mapping[str, Installed], chosen: Mapping[str, Way], folders: Mapping[int, Path], home: Path
) -> dict[str, str]:
    """Print what whole processes use, each in turn so that a busy minute meets all; return ten steps' definitions."""
    print(f"\n{'a whole process':<28} {'wall, s':>20} {'CPU, s':>20} {'peak RSS, MB':>20}  definitions")
    python = installed["buzzflow"].python
    found: dict[str, str] = {}
    for steps, folder in folders.items():
        used: dict[str, list[Used]] = {}
        texts: dict[str, set[str]] = {}
        for _ in range(RUNS[steps] + (steps == min(folders))):  # the first ones warm the disk's cache
            used.setdefault("python -c pass", []).append(run([python, "-c", "pass"], folder, home))
            reading = [python, "-c", READ, "pipeline.yaml"]
            used.setdefault("PyYAML and json", []).append(sound(run(reading, folder, home), reading))
            for label, way in chosen.items():
                if steps in SLOW.get(label, RUNS):
                    one, text = _built(installed, way, folder, home)
                    used.setdefault(label, []).append(one)
                    texts.setdefault(label, set()).add(text)
                    found |= {label: text} if steps == 10 else {}
        for label, runs in used.items():
            kept = runs[-RUNS[steps] :]
            columns = [spread([one.wall for one in kept]), spread([one.cpu for one in kept])]
            columns.append(spread([one.memory for one in kept], ".0f"))
            several = f"{len(texts[label])} in {len(runs)} builds, {_digest(texts[label])}" if label in texts else ""
            print(
                f"{f'{steps} steps, {label}':<28} {columns[0]:>20} {columns[1]:>20} {columns[2]:>20}  {several}",
                flush=True,
            )
    return found


def _built(installed: Mapping[str, Installed], way: Way, folder: Path, home: Path) -> tuple[Used, str]:
    out = home / "definition.json"
    command = way.command(installed, out, [folder])
    used = sound(run(command, folder, home, way.needs()), command)
    return used, used.out if way.tool == "buzzflow" else out.read_text("utf-8")


def _digest(texts: set[str]) -> str:
    return " ".join(sorted(hashlib.sha256(text.encode()).hexdigest()[:8] for text in texts)[:2])


def _further(installed: Mapping[str, Installed], chosen: Mapping[str, Way], home: Path) -> None:
    """Print what each pipeline after the first costs in one process, and what AWS and others were asked for it."""
    print(
        f"\n{'ten steps, one process':<28} {'first, ms':>10} {'each further, ms':>24} {'pipelines':>10}  asked for all"
    )
    for label, count in MANY.items():
        way = Way(label, "buzzflow", "library") if label == "buzzflow" else chosen[label]
        folders = [write(home / "many" / f"bench-{n}", 10, f"bench-{n}") for n in range(count)]
        command = way.command(installed, home / "definition.json", folders)
        used = sound(run(command, home, home, way.needs()), command)
        told = json.loads(used.out.splitlines()[-1])
        first, *rest = (seconds * 1000 for seconds in told["seconds"])
        print(f"{label:<28} {first:>10.0f} {spread(rest, '.1f'):>24} {count:>10}  {_asked_by(used)}", flush=True)


def _asked_by(used: Used) -> str:
    """Return which AWS calls, and which hosts besides, a tool's script counted: its last line is JSON."""
    told = json.loads(used.out.splitlines()[-1])
    calls = ", ".join(f"{count} {name}" for name, count in sorted(told["calls"].items())) or "no AWS call"
    refused = ", ".join(f"{count} to {host}" for host, count in told["refused"].items())
    return f"{calls}{f'; refused: {refused}' if refused else ''}"


def _server(installed: Mapping[str, Installed], folder: Path, home: Path) -> None:
    """Print what the peers take when a server on this machine answers for AWS, as shipped but for the telemetry."""
    port = _free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port)
        print("\nten steps, a whole process, telemetry opted out, moto's server instead of AWS")
        for way in served(f"http://127.0.0.1:{port}", home):
            command = way.command(installed, home / "definition.json", [folder])
            runs = [run(command, folder, home, way.needs()) for _ in range(3)]
            last = runs[-1].err.strip().splitlines()[-1:] if runs[-1].code else []
            print(f"{way.label:<28} {spread([one.wall for one in runs]):>20} s of 3 runs {' '.join(last)}", flush=True)
    finally:
        server.terminate()
        server.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(100):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise SystemExit("moto's server does not answer")


def _network(installed: Mapping[str, Installed], chosen: Mapping[str, Way], folder: Path, home: Path) -> None:
    """Print how each tool ends where nothing answers: without a region, without credentials, with made-up ones."""
    print("\nten steps, nothing answers")
    for label, mode in (("buzzflow", "library"), ("sagerender", "bare"), ("SDK 3", "bare")):
        way = Way(label, chosen[label].tool, mode)
        command = way.command(installed, home / "definition.json", [folder])
        for said, variables in (
            ("no region, no credentials", {}),
            ("a region, no credentials", REGION_ONLY),
            ("a region, made-up credentials", {**KEYS, **REGION_ONLY, "AWS_MAX_ATTEMPTS": "1"}),
        ):
            used = run(command, folder, home, variables)
            errors = re.findall(r"^[\w.]*(?:Error|Exception): .*", f"{used.err}\n{used.out}", re.MULTILINE)
            end = (errors or [f"ends with {used.code}"])[-1][:110] if used.code else f"builds, {_asked_by(used)}"
            print(f"{label:<12} {said:<31} {end}", flush=True)


def _moved(installed: Mapping[str, Installed], chosen: Mapping[str, Way], home: Path) -> None:
    """Print whether a copy of the pipeline in another folder gives the same bytes."""
    print("\nten steps, the same files in two folders")
    folders = [write(home / place, 10, "bench-10") for place in ("here", "there")]
    for label in ("buzzflow", "sagerender", "SDK 3", "SDK 3, patched"):
        one, two = (_built(installed, chosen[label], folder, home)[1] for folder in folders)
        print(f"{label:<28} {'the same bytes' if one == two else 'other bytes'}", flush=True)


def _equality(definitions: Mapping[str, str]) -> None:
    """Print what the definitions of ten steps have in common."""
    found = compare(definitions["buzzflow"], definitions["SDK 3"])
    differ = sum(found.by_reason.values())
    print(f"\ndefinitions of ten steps, buzzflow's and SDK 3's: {found.steps[0]} and {found.steps[1]} steps, ", end="")
    print(f"{found.same} values the same, {differ} not:")
    for reason, count in found.by_reason.most_common():
        print(f"{count:>6}  {reason}")
    for line in found.unknown:
        print(f"        {line}")


if __name__ == "__main__":
    peers()
