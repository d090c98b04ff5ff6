"""One world for the tests of this folder: an account, a pipeline in two states, and commands to deploy it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reliability.world import World, world


@pytest.fixture(scope="session")
def _made() -> Iterator[World]:
    import pytest_socket

    pytest_socket.enable_socket()
    with world() as made:
        yield made


@pytest.fixture
def made(_made: World, monkeypatch: pytest.MonkeyPatch, socket_enabled: None) -> World:
    """The world, whose account is emptied by whoever puts something into it."""
    for name, value in _made.aws.env.items():
        monkeypatch.setenv(name, value)
    return _made
