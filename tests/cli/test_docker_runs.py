"""`create --local=docker` through the real command, on a real engine."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

pytestmark = pytest.mark.docker
SLEEPS = """\
name: sleeps
defaults: {image: {uri: IMAGE}}
steps:
  one: {type: processing, code: sleep.py}
  two: {type: processing, code: sleep.py}
  three: {type: processing, code: sleep.py}
  four: {type: processing, code: sleep.py}
"""
SLEEP = """\
import time
print("from", time.time(), flush=True)
time.sleep(3)
print("to", time.time(), flush=True)
"""


@pytest.fixture
def sleeps(tmp_path: Path, make_project: Callable[..., Path], python_image: str) -> Path:
    pipeline = SLEEPS.replace("IMAGE", python_image)
    return make_project(tmp_path / "sleeps", pipeline=pipeline, **{"sleep.py": SLEEP})


def times(folder: Path) -> Iterator[tuple[float, float]]:
    for log in folder.glob(".buzzflow/runs/*/steps/*/log.txt"):
        match = re.fullmatch(r"from ([0-9.]+)\nto ([0-9.]+)\n", log.read_text())
        assert match, log.read_text()
        yield float(match[1]), float(match[2])


def test_the_project_runs_in_containers(
    tmp_path: Path, make_project: Callable[..., Path], python_image: str, command: str
) -> None:
    folder = make_project(tmp_path / "small", image=f"{{uri: {python_image}}}")
    done = subprocess.run(
        [command, "create", "--local=docker", "--param", "rows=7"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "gate: 0.7 >= 0.5: yes" in done.stdout
    assert "(docker)" in done.stderr


def test_four_independent_steps_run_side_by_side(sleeps: Path, command: str) -> None:
    begun = time.monotonic()
    arguments = [command, "create", "--local=docker", "--jobs", "4"]
    done = subprocess.run(arguments, cwd=sleeps, capture_output=True, text=True, timeout=60, check=False)
    took = time.monotonic() - begun
    assert done.returncode == 0, done.stderr
    spans = [*times(sleeps)]
    assert len(spans) == 4
    assert max(start for start, _ in spans) < min(end for _, end in spans), "all four were there at one moment"
    assert took < 12, "one after another they would sleep that long"


def test_an_interrupt_leaves_no_container(sleeps: Path, command: str, docker_engine: docker.DockerClient) -> None:
    process = subprocess.Popen(
        [command, "create", "--local=docker"], cwd=sleeps, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    seen = ""
    while " | from" not in seen:
        line = process.stderr.readline()
        assert line, seen
        seen += line
    match = re.search(r"^run (\S+) of ", seen, re.MULTILINE)
    assert match
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert re.search(r"\nrun \S+ stopped in ", out)
    left = docker_engine.containers.list(all=True, filters={"label": f"buzzflow.run={match[1]}"}, ignore_removed=True)
    assert left == []


BUILT = """\
name: built
steps:
  look:
    type: processing
    image: {build: docker}
    code: look.py
    outputs: [seen]
"""
LOOK = """\
import os, pathlib
text = pathlib.Path("/inside.txt").read_text()
pathlib.Path(os.environ["BUZZFLOW_OUTPUT_SEEN"], "seen.txt").write_text(text)
"""


@pytest.fixture
def built(tmp_path: Path, make_project: Callable[..., Path], python_image: str) -> Iterator[Path]:
    (tmp_path / "built" / "docker").mkdir(parents=True)
    files = {
        "docker/Dockerfile": f"FROM {python_image}\nCOPY inside.txt /inside.txt\n",
        "docker/inside.txt": "from the folder",
        "look.py": LOOK,
    }
    yield make_project(tmp_path / "built", pipeline=BUILT, **files)
    engine = docker.from_env()
    for image in engine.images.list("buzzflow/built"):
        engine.images.remove(image.id, force=True)
    engine.close()


def create(command: str, folder: Path, executor: str = "docker") -> subprocess.CompletedProcess[str]:
    arguments = [command, "create", f"--local={executor}"]
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=100, check=False)


def test_an_image_is_built_from_its_folder_once_for_each_content(built: Path, command: str) -> None:
    first, second = create(command, built), create(command, built)
    assert first.returncode == 0, first.stderr
    assert "building the image of a folder" in first.stderr
    assert "building the image" not in second.stderr
    seen = [f.read_text() for f in built.glob(".buzzflow/runs/*/outputs/look/seen/seen.txt")]
    assert seen == ["from the folder"] * 2
    (built / "docker" / "inside.txt").write_text("another")
    third = create(command, built)
    assert "building the image of a folder" in third.stderr
    assert sorted(f.read_text() for f in built.glob(".buzzflow/runs/*/outputs/look/seen/seen.txt"))[0] == "another"


def test_a_dockerfile_that_cannot_be_built_shows_its_last_lines(built: Path, command: str, python_image: str) -> None:
    text = f'FROM {python_image}\nRUN ["python3", "-c", "print(1); raise SystemExit(3)"]\n'
    (built / "docker" / "Dockerfile").write_text(text)
    done = create(command, built)
    assert done.returncode == 1
    assert "error[BF502]: the Dockerfile cannot be built" in done.stderr
    assert "returned a non-zero code: 3" in done.stderr


def test_a_built_image_needs_docker(built: Path, command: str) -> None:
    done = create(command, built, "process")
    assert done.returncode == 1
    assert "error[BF502]: an image that is built from a folder runs in Docker only" in done.stderr


def test_cached_results_and_a_reproduction_in_containers(
    tmp_path: Path, make_project: Callable[..., Path], python_image: str, command: str
) -> None:
    folder = make_project(tmp_path / "small", image=f"{{uri: {python_image}}}")
    pipeline = (folder / "pipeline.yaml").read_text()
    (folder / "pipeline.yaml").write_text(
        pipeline.replace("    code: extract.py", "    cache: 1d\n    code: extract.py")
    )

    def buzzflow(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )

    local = ("create", "--local=docker", "--param", "rows=7")
    for _ in range(2):
        done = buzzflow(*local)
        assert done.returncode == 0, done.stderr
    assert re.search(r"^extract +cached", done.stdout, re.MULTILINE)
    (folder / "pipeline.yaml").unlink()
    done = buzzflow("reproduce", "last", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["same"] is True
    for run in (folder / ".buzzflow/runs").iterdir():
        found = json.loads((run / "manifest.json").read_text())["provenance"]
        assert found["platform"]["engine"].startswith("Docker ")
        assert {*found["packages"]} == {image["id"] for image in found["images"].values()}
        assert all(packages["python"].startswith("3.") for packages in found["packages"].values())
