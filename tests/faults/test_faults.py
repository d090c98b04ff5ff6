"""Faults during local runs, against a real engine: one of each kind. `make faults` tries them in full."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from tests.conftest import unavailable
from tests.faults import cells
from tests.faults.daemon import Daemon
from tests.faults.world import World, faketime_library

pytestmark = [
    pytest.mark.docker,
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="a Docker daemon of its own and a small disk need root"),
]
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]


@pytest.fixture
def world(tmp_path: Path, python_image: str) -> World:
    """A project for the engine that all tests share."""
    socket = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    return World(tmp_path / "project", python_image, socket)


@pytest.fixture(params=[False, True], ids=["no live-restore", "live-restore"], scope="module")
def daemon(request: pytest.FixtureRequest, docker_engine: docker.DockerClient, python_image: str) -> Iterator[Daemon]:
    """A daemon of our own."""
    root = Path(tempfile.mkdtemp(prefix="bzd", dir="/tmp"))  # a socket's name has 107 bytes at most
    own = Daemon(root / "d", live_restore=request.param)
    try:
        own.start()
        own.load(python_image, os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
        yield own
    finally:
        own.close()
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def its_world(daemon: Daemon, tmp_path: Path, python_image: str) -> World:
    return World(tmp_path / "project", python_image, daemon.host)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_a_daemon_that_goes_and_comes_back(
    daemon: Daemon, its_world: World, how: signal.Signals, request: pytest.FixtureRequest
) -> None:
    lives = request.node.callspec.params["daemon"]
    fault: Callable[[World, Daemon, signal.Signals], list[str]] = (
        cells.daemon_goes_and_the_step_goes_on if lives else cells.daemon_goes_and_the_step_with_it
    )
    assert fault(its_world, daemon, how) == []


@pytest.mark.parametrize("daemon", [True], indirect=True, ids=["live-restore"])
def test_a_power_loss(daemon: Daemon, its_world: World) -> None:
    assert cells.daemon_goes_and_the_step_with_it(its_world, daemon, cells.POWER) == []


@pytest.mark.parametrize("what", ["eat", "child eats", "child eats, parent goes on"])
def test_a_lack_of_memory(world: World, what: str) -> None:
    assert cells.memory_runs_out(world, what) == []


def test_a_full_disk(world: World) -> None:
    assert cells.disk_runs_full(world) == []


def test_a_missing_image(world: World) -> None:
    assert cells.image_is_missing(world) == []


@pytest.mark.parametrize("number", SIGNALS, ids=lambda n: n.name)
def test_a_signal_in_the_middle(world: World, number: signal.Signals) -> None:
    assert cells.command_is_signalled(world, number, 2.5) == []


def test_a_clock_that_is_set_back(world: World) -> None:
    library = faketime_library()
    if library is None:
        unavailable("setting a process's clock needs Debian's package faketime")
    assert cells.clock_jumps(world, library, -3600) == []


def test_two_runs_at_once(world: World) -> None:
    assert cells.two_runs_at_once(world) == []
