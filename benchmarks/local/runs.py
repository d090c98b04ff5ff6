"""Run each graph with buzzflow, with bare `docker run`, and in the SageMaker SDK's local mode, and print a table."""

from __future__ import annotations

import json
import logging
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import boto3
from moto.server import ThreadedMotoServer

from benchmarks.local.graphs import GRAPHS, Graph
from benchmarks.peers.environments import ROOT, install

BUZZFLOW = str(Path(sys.executable).with_name("buzzflow"))
IMAGE = os.environ.get("BUZZFLOW_TEST_IMAGE", "buzzflow-test/python:3.11")
JOBS = 4
SDK_ROUNDS = 3
COMPOSE = ROOT / "build/compose"
_KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


def local_runs(*, runs: int = 5, with_sdk: bool = True) -> None:
    """Print, for each graph, the median seconds of each way to run it; the ways take turns."""
    print(f"medians of {runs} rounds after a warm-up (SDK: 3); seconds; {JOBS} steps side by side\n")
    print("| graph | critical path | bare `docker run` | buzzflow | of it the run | SDK local mode | SDK / buzzflow |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as made, _servers(with_sdk=with_sdk) as environment:
        for graph in GRAPHS:
            folder = graph.write(Path(made) / graph.name, IMAGE)
            rounds = [_round(graph, folder, environment if i <= SDK_ROUNDS else None) for i in range(runs + 1)][1:]
            bare, ours, run = (statistics.median(one[i] for one in rounds) for i in range(3))
            cells = [graph.name, f"{graph.critical_seconds:.1f}", f"{bare:.2f}"]
            cells += [f"{ours:.2f} ({_more(ours, bare)})", f"{run:.2f} ({_more(run, bare)})"]
            sdk = [one[3] for one in rounds if len(one) > 3]
            cells += [f"{statistics.median(sdk):.1f}", f"{statistics.median(sdk) / ours:.1f}"] if sdk else ["-", "-"]
            print(f"| {' | '.join(cells)} |", flush=True)
    cores = os.cpu_count()
    print(f"\nPython {platform.python_version()}, {cores} cores, `python -m benchmarks runs`")


def _round(graph: Graph, folder: Path, environment: dict[str, str] | None) -> list[float]:
    """Return the seconds of bare `docker run`, of the command, of its run alone, and of the SDK where it is to run."""
    bare = _bare(graph)
    ours = _timed([BUZZFLOW, "create", "--local=docker", "--jobs", str(JOBS)], folder)
    manifest = max(folder.glob(".buzzflow/runs/*/manifest.json"), key=lambda file: file.stat().st_mtime)
    run = float(json.loads(manifest.read_bytes())["seconds"])
    return [bare, ours, run, *([_sdk(graph, folder, environment)] if environment else [])]


def _more(ours: float, bare: float) -> str:
    return f"{100 * (ours - bare) / bare:+.0f} %"


def _timed(command: list[str], folder: Path | None = None, environment: dict[str, str] | None = None) -> float:
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return seconds


def _bare(graph: Graph) -> float:
    """Return the seconds of one `docker run` for each step, each as soon as what it needs has ended, and a network."""
    begun = time.perf_counter()
    _timed(["docker", "network", "create", "buzzflow-bench"])
    with ThreadPoolExecutor(len(graph.sleeps)) as pool:
        seats = threading.Semaphore(JOBS)
        ended: dict[str, Future[None]] = {}

        def step(name: str) -> None:
            for need in graph.needs.get(name, ()):
                ended[need].result()
            with seats:
                sleep = ["/bin/sleep", str(graph.sleeps[name])]
                _timed(["docker", "run", "--rm", "--network", "buzzflow-bench", IMAGE, *sleep])

        for name in graph.sleeps:
            ended[name] = pool.submit(step, name)
        for one in ended.values():
            one.result()
    _timed(["docker", "network", "rm", "buzzflow-bench"])
    return time.perf_counter() - begun


# ------------------------------------------------------------------ the SDK


@contextmanager
def _servers(*, with_sdk: bool) -> Iterator[dict[str, str] | None]:
    """Yield the environment of the SDK's processes: it asks S3 even for steps without data, and Compose for each."""
    if not with_sdk:
        yield None
        return
    subprocess.run([Path(__file__).with_name("compose.sh"), COMPOSE], check=True)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address = "http://{}:{}".format(*cast("tuple[str, int]", server.get_host_and_port()))
        os.environ.update(_KEYS)
        boto3.client("s3", endpoint_url=address).create_bucket(Bucket="example-ml")
        mine = {"AWS_ENDPOINT_URL": address, "SAGEMAKER_VALIDATE_ROLE": "false", "DOCKER_CONFIG": str(COMPOSE)}
        yield {**os.environ, **mine}
    finally:
        server.stop()


def _sdk(graph: Graph, folder: Path, environment: dict[str, str]) -> float:
    file = folder / "graph.json"
    needs = {step: list(names) for step, names in graph.needs.items()}
    file.write_text(json.dumps({"name": graph.name, "sleeps": dict(graph.sleeps), "needs": needs, "image": IMAGE}))
    return _timed(
        [install("sagemaker").python, str(Path(__file__).with_name("run_sdk.py")), str(file)], None, environment
    )
