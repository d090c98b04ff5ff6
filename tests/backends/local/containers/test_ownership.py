"""Everything below .buzzflow belongs to who ran buzzflow, root or not, however the run ended."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from buzzflow.backends.local.containers.client import socket_paths

pytestmark = pytest.mark.docker

COMMAND = str(Path(sys.executable).with_name("buzzflow"))
SOMEBODY = 1234
PIPELINE = """\
defaults: {image: {uri: IMAGE}}
steps:
  odd: {type: processing, code: odd.py, outputs: [data]}
  read: {type: processing, code: read.py, inputs: {data: "${step:odd.outputs.data}"}}
  bad: {type: processing, code: bad.py, outputs: [data]}
"""
ODD = """\
import os, pathlib
out = pathlib.Path(os.environ["BUZZFLOW_OUTPUT_DATA"])
(out / "a/b").mkdir(parents=True)
(out / "a/b/c").write_text("hello"); (out / "a/b/c").chmod(0o000)
(out / "program").write_text("x"); (out / "program").chmod(0o6755)
(out / "a/b").chmod(0o000); (out / "a").chmod(0o111)
pathlib.Path("/opt/ml/processing/input/code/new").write_text("x")
"""
READ = """\
import os, pathlib
print(pathlib.Path(os.environ["BUZZFLOW_INPUT_DATA"], "a/b/c").read_text())
"""
BAD = """\
import os, pathlib
out = pathlib.Path(os.environ["BUZZFLOW_OUTPUT_DATA"])
(out / "x").mkdir(); (out / "x/y").write_text("z"); (out / "x").chmod(0o000)
raise SystemExit(3)
"""
SLEEP = """\
import os, pathlib, time
out = pathlib.Path(os.environ["BUZZFLOW_OUTPUT_DATA"])
(out / "x").mkdir(); (out / "x/y").write_text("z"); (out / "x").chmod(0o700)
print("written", flush=True)
time.sleep(300)
"""


def project(folder: Path, image: str, **files: str) -> Path:
    (folder / ".git").mkdir(parents=True)
    for name, text in {"pipeline.yaml": PIPELINE, "odd.py": ODD, "read.py": READ, "bad.py": BAD, **files}.items():
        (folder / name).write_text(text.replace("IMAGE", image))
    return folder


def owners(folder: Path) -> set[tuple[int, int]]:
    return {(p.lstat().st_uid, p.lstat().st_gid) for p in [folder, *folder.rglob("*")]}


def modes(folder: Path) -> list[int]:
    """Return those of what steps may have touched: the copies of code that runs share are read-only, by us."""
    found = [p for p in folder.rglob("*") if not p.is_symlink()]
    return [p.lstat().st_mode for p in found if p.parent.name != "code" or p.is_dir()]


def assert_is_the_callers(folder: Path, uid: int, gid: int) -> None:
    assert owners(folder) == {(uid, gid)}
    assert all(mode & (0o700 if stat.S_ISDIR(mode) else 0o600) >= 0o600 for mode in modes(folder))
    assert not any(mode & 0o6000 for mode in modes(folder))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter: pytest keeps its own to itself."""
    with tempfile.TemporaryDirectory(prefix="buzzflow-ownership-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_files_with_odd_rights_are_the_callers_and_can_be_read(python_image: str, tmp_path: Path) -> None:
    folder = project(tmp_path / "p", python_image)
    done = subprocess.run(
        [COMMAND, "create", "--local=docker"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 4, done.stderr
    assert "read | hello" in done.stderr
    assert_is_the_callers(folder / ".buzzflow", os.getuid(), os.getgid())
    assert not [*(folder / ".buzzflow/cache").glob("lent/*")]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_so_they_are_when_the_caller_is_not_root(python_image: str, open_folder: Path) -> None:
    if not (sockets := [Path(p) for p in socket_paths() if Path(p).exists()]):
        pytest.skip("the engine has no socket here")
    folder = project(open_folder / "p", python_image)
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, SOMEBODY, SOMEBODY)
    who = (f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", f"--groups={sockets[0].stat().st_gid}")
    done = subprocess.run(
        ["setpriv", *who, COMMAND, "create", "--local=docker"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(folder), "PATH": os.environ["PATH"]},
    )
    assert done.returncode == 4, done.stderr
    assert "read | hello" in done.stderr
    assert_is_the_callers(folder / ".buzzflow", SOMEBODY, SOMEBODY)


def test_so_they_are_after_a_kill(python_image: str, tmp_path: Path, docker_engine: docker.DockerClient) -> None:
    pipeline = "steps: {sleep: {type: processing, image: {uri: IMAGE}, code: sleep.py, outputs: [data]}}\n"
    folder = project(tmp_path / "p", python_image, **{"pipeline.yaml": pipeline, "sleep.py": SLEEP})
    process = subprocess.Popen([COMMAND, "create", "--local=docker"], cwd=folder, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert any("sleep | written" in line for line in process.stderr)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    assert until(lambda: owners(folder / ".buzzflow") == {(os.getuid(), os.getgid())})
    [run] = (folder / ".buzzflow/runs").iterdir()
    assert until(lambda: not docker_engine.containers.list(all=True, filters={"label": f"buzzflow.run={run.name}"}))
    assert until(lambda: not [*(folder / ".buzzflow/cache").glob("lent/*")])
    shutil.rmtree(folder)


def until(is_so: Callable[[], bool]) -> bool:
    give_up = time.monotonic() + 30
    while not is_so() and time.monotonic() < give_up:
        time.sleep(0.2)
    return is_so()
