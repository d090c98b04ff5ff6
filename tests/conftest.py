"""What all tests share: which of them may connect, which need Docker, and how hard Hypothesis looks."""

import gc
import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import docker
import pytest
from docker.errors import DockerException, ImageNotFound
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests.aws and tests.fuzz are imported by that name

from tests.aws.fixtures import aws, aws_server
from tests.browser import Browser, find_browser

__all__ = ["aws", "aws_server"]

RUN_LABEL = "buzzflow.run"
HOW_TO_START = "tests/engine/start.sh makes an engine and the images available"

settings.register_profile("default", deadline=None, max_examples=100, derandomize=False)
settings.register_profile("ci", deadline=None, max_examples=200, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

_engine: pytest.StashKey[docker.DockerClient | str] = pytest.StashKey()
_before: pytest.StashKey[set[str]] = pytest.StashKey()


def pytest_configure() -> None:
    if os.environ.get("CI") and os.environ.get("UPDATE_GOLDEN"):
        raise pytest.UsageError("UPDATE_GOLDEN rewrites what CI is to compare with: unset it")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell; children inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests with Docker or `aws` connect: the engine may be on TCP, containers and the fake listen on a port."""
    for item in items:
        if item.get_closest_marker("docker") or "aws_server" in getattr(item, "fixturenames", ()):
            item.add_marker("enable_socket")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("docker") and isinstance(reason := _engine_or_reason(item.config), str):
        unavailable(f"no Docker engine answers ({reason}); {HOW_TO_START}")
    if item.get_closest_marker("browser") and find_browser() is None:
        reason = "no Chromium is on PATH; on Debian: apt-get install chromium"
        unavailable(reason, "BUZZFLOW_TEST_BROWSER")


@pytest.fixture(scope="session")
def docker_engine(pytestconfig: pytest.Config) -> docker.DockerClient:
    """A client of the engine; for tests marked `docker`."""
    engine = _engine_or_reason(pytestconfig)
    assert not isinstance(engine, str), "mark the test with @pytest.mark.docker"
    return engine


@pytest.fixture(scope="session")
def python_image(docker_engine: docker.DockerClient) -> str:
    """The name of an image that has Python, pip and a shell."""
    image = os.environ.get("BUZZFLOW_TEST_IMAGE", "buzzflow-test/python:3.11")
    try:
        docker_engine.images.get(image)
    except ImageNotFound:
        unavailable(f"the engine has no image {image}; {HOW_TO_START}")
    return image


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; for tests marked `browser`."""
    program = find_browser()
    assert program is not None, "mark the test with @pytest.mark.browser"
    with Browser(program) as started:
        yield started


@pytest.fixture(scope="session", autouse=True)
def _nothing_left_behind(pytestconfig: pytest.Config) -> Iterator[None]:
    yield
    engine = pytestconfig.stash.get(_engine, "")
    if isinstance(engine, str):
        return
    give_up = time.monotonic() + 5  # a container that removes itself takes a moment
    while (left := _of_runs(engine) - pytestconfig.stash[_before]) and time.monotonic() < give_up:
        time.sleep(0.2)
    engine.close()
    assert not left, f"the tests (or another session on this engine) left behind: {', '.join(sorted(left))}"


def _engine_or_reason(config: pytest.Config) -> docker.DockerClient | str:
    """Ask once in a session whether an engine answers; if not, return why."""
    if _engine not in config.stash:
        config.stash[_engine] = _connect()
        if not isinstance(engine := config.stash[_engine], str):
            config.stash[_before] = _of_runs(engine)
    return config.stash[_engine]


def _connect() -> docker.DockerClient | str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the SDK leaves a socket open when it cannot connect
        try:
            engine = docker.from_env(timeout=5)  # asks the engine for its version
        except DockerException as e:
            reason = str(e)
        else:
            engine.api.timeout = 60
            return engine
        gc.collect()
        return reason


def _of_runs(engine: docker.DockerClient) -> set[str]:
    filters = {"label": RUN_LABEL}
    containers = {f"container {c.name}" for c in engine.containers.list(all=True, filters=filters, ignore_removed=True)}
    return containers | {f"network {n.name}" for n in engine.networks.list(filters=filters)}


def unavailable(reason: str, variable: str = "BUZZFLOW_TEST_DOCKER") -> NoReturn:
    """Fail where *variable* says that it is required, else skip."""
    if os.environ.get(variable) == "required":
        pytest.fail(f"{reason} ({variable}=required)", pytrace=False)
    pytest.skip(reason)
