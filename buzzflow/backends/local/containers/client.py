"""Reach a Docker daemon, or say in the user's words why that is impossible.

The SDK is imported when a client is made, so this module and those that use it cost nothing to import.
"""

from __future__ import annotations

import os
import shutil
from typing import cast

from buzzflow.backends.local.containers.api import Client

_PING_SECONDS = 3
_DEFAULT_SOCKET = "/var/run/docker.sock"
_TO_GROUP = "add your user to the docker group (`sudo usermod -aG docker $USER`) and log in again"


def connect(timeout: int) -> Client:
    """Return a client of the daemon that DOCKER_HOST or the Docker context names; *timeout* is in seconds a call."""
    import docker

    over_ssh = os.environ.get("DOCKER_HOST", "").startswith("ssh://")
    return cast("Client", docker.from_env(timeout=timeout, max_pool_size=32, use_ssh_client=over_ssh))


def docker_problem() -> str | None:
    """Return None when a daemon answers within 3 seconds, else why none does."""
    try:
        client = connect(_PING_SECONDS)
    except ImportError:
        return "the Python package `docker` is not installed"
    except Exception as e:  # noqa: BLE001 - the SDK raises its own, requests' and the system's errors here
        return _reason(str(e))
    client.close()  # making it has asked for the daemon's version
    return None


def is_on_this_machine() -> bool:
    """Tell whether the daemon, or the virtual machine that it is in, publishes ports on this machine's loopback."""
    return os.environ.get("DOCKER_HOST", "unix:").startswith(("unix:", "npipe:"))


def engine_errors() -> tuple[type[Exception], ...]:
    """Return what the SDK raises when a daemon refuses or does not answer."""
    from docker.errors import DockerException
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    return DockerException, RequestException, HTTPError, OSError


def status_of(error: Exception) -> int | None:
    """Return the HTTP status of the daemon's answer, None when it did not answer."""
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def message_of(error: Exception) -> str:
    """Return the daemon's own words, without the URL that the SDK puts around them."""
    return str(getattr(error, "explanation", None) or error).strip()


def socket_paths() -> list[str]:
    """Return where this machine's daemon may listen: what no step may see."""
    host = os.environ.get("DOCKER_HOST", "")
    return [_DEFAULT_SOCKET, *([host.removeprefix("unix://")] if host.startswith("unix://") else [])]


def _reason(message: str) -> str:
    host = os.environ.get("DOCKER_HOST")
    if "PermissionError" in message or "Permission denied" in message:
        return f"no permission to use Docker: {_TO_GROUP}"
    if host is not None and not host.startswith("unix://"):
        return f"no Docker daemon answers at DOCKER_HOST={host}"
    if "timed out" in message.lower():
        return f"the Docker daemon does not answer within {_PING_SECONDS} s"
    if host is None and shutil.which("docker") is None and shutil.which("dockerd") is None:
        return "Docker is not installed"
    where = f" at DOCKER_HOST={host}" if host else ""
    return f"the Docker daemon is not running{where}: start it (`sudo systemctl start docker`, or Docker Desktop)"
