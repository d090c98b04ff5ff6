"""`python -m benchmarks [NAME...]`: start-up, validate (one and a tree), local runs against bare `docker run`.

`peers`, `compile` and `runs` measure against the SageMaker SDK, `accuracy` how right the figures of steps are; they run
only when they are named.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.local.accuracy import accuracy
from benchmarks.local.runs import local_runs
from benchmarks.peers.compared import peers
from benchmarks.peers.compiling import compiling
from benchmarks.tree import tree

ROOT = Path(__file__).parents[1]
BUZZFLOW = str(Path(sys.executable).with_name("buzzflow"))
IMAGE = os.environ.get("BUZZFLOW_TEST_IMAGE", "buzzflow-test/python:3.11")
RUNS = 5
Row = tuple[str, float, float | None]


def _median(measure: Callable[[], float]) -> float:
    """Return the median of some measurements after one that does not count."""
    measure()
    return statistics.median(measure() for _ in range(RUNS))


def _wall(command: Sequence[str], folder: Path = ROOT) -> float:
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return seconds


def startup() -> Iterator[Row]:
    """Whole processes, against one that only starts Python."""
    bare = _median(lambda: _wall([sys.executable, "-c", "pass"]))
    yield "buzzflow --help", _median(lambda: _wall([BUZZFLOW, "--help"])), bare
    example = "projects/research/flight-delays"
    yield f"buzzflow validate {example}", _median(lambda: _wall([BUZZFLOW, "validate", example])), bare


def local() -> Iterator[Row]:
    """Local runs in Docker, against `docker run` of the same image and command."""
    docker = ["docker", "run", "--rm", IMAGE]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        one, ten = _pipeline(folder / "one", 1, ["/bin/true"]), _pipeline(folder / "ten", 10, ["/bin/true"])
        single = _median(lambda: _wall([BUZZFLOW, "create", "--local=docker"], one))
        yield "one step, true", single, _median(lambda: _wall([*docker, "/bin/true"]))
        many = _median(lambda: _wall([BUZZFLOW, "create", "--local=docker", "--jobs", "1"], ten))
        each = (many - single) / 9
        yield "each further step, true", each, _median(lambda: _wall([*docker, "/bin/true"]))
        naps = _pipeline(folder / "naps", 4, ["/bin/sleep", "3"])
        bare = _median(lambda: _side_by_side([*docker, "/bin/sleep", "3"], 4))
        yield (
            "four steps of 3 s side by side",
            _median(lambda: _wall([BUZZFLOW, "create", "--local=docker"], naps)),
            bare,
        )


def _pipeline(folder: Path, steps: int, entrypoint: list[str]) -> Path:
    folder.mkdir()
    lines = [
        f"  s{i}: {{type: processing, entrypoint: [{', '.join(entrypoint)}], network: {{}}}}" for i in range(steps)
    ]
    text = "\n".join([f"defaults: {{image: '{IMAGE}'}}", "steps:", *lines])
    (folder / "pipeline.yaml").write_text(text.replace("/bin/sleep, 3", "/bin/sleep, '3'") + "\n")
    return folder


def _side_by_side(command: Sequence[str], count: int) -> float:
    begun = time.perf_counter()
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda _: _wall(command), range(count)))
    return time.perf_counter() - begun


def install() -> Iterator[Row]:
    """The size of a core install in MB (not seconds), against an environment with pip alone."""
    with tempfile.TemporaryDirectory() as made:
        sizes = []
        for packages in ([], [str(ROOT)]):
            place = Path(made) / str(len(sizes))
            subprocess.run([sys.executable, "-m", "venv", place], check=True)
            if packages:
                subprocess.run([place / "bin" / "pip", "install", "-q", *packages], check=True)
            sizes.append(sum(f.lstat().st_size for f in place.rglob("*")) / 1e6)
        yield "size of a core install without pip, MB", sizes[1] - sizes[0], None


BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {
    "startup": startup,
    "tree": tree,
    "local": local,
    "install": install,
}


def main(names: Sequence[str]) -> None:
    """Run the named benchmarks and print a table; without names all but those that download a gigabyte."""
    if names[:1] == ["accuracy"]:
        accuracy()
        return
    if names[:1] == ["compile"]:
        compiling(names[1:])
        return
    if names[:1] == ["runs"]:
        local_runs(with_sdk="--no-sdk" not in names)
        return
    if "peers" in names:
        peers()
        names = [name for name in names if name != "peers"]
        if not names:
            return
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; medians of {RUNS} after a warm-up\n")
    print(f"{'what':<50} {'buzzflow':>9} {'baseline':>9}")
    for name in names or BENCHMARKS:
        if name == "local" and shutil.which("docker") is None:
            print(f"{name}: left out, there is no docker command")
            continue
        for what, seconds, baseline in BENCHMARKS[name]():
            print(f"{what:<50} {seconds:>9.2f} {'' if baseline is None else f'{baseline:.2f}':>9}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
