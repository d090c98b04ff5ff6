"""Pull an image: how far it has come, and in the user's words why it cannot be pulled."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from enum import StrEnum

from buzzflow.backends.local.containers.api import Client, Json
from buzzflow.backends.local.containers.client import engine_errors, message_of, status_of
from buzzflow.backends.local.events import Transfer
from buzzflow.backends.local.executor import ExecutorError, Tell

_TELL_SECONDS = 0.25
_ECR = re.compile(r"\d{12}\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_OF_DENIED = ("denied", "unauthorized", "authentication required", "no basic auth credentials", "forbidden", "http 401")
_OF_NOT_FOUND = ("not found", "manifest unknown", "does not exist", "no such image", "http 404")
_OF_UNREACHABLE = (
    "no such host",
    "connection refused",
    "timeout",
    "timed out",
    "deadline exceeded",
    "no route to host",
    "network is unreachable",
    "name resolution",
    "connection reset",
    "server misbehaving",
    "awaiting headers",
    ": eof",
)
_OF_BROKEN = ("unexpected eof", "verification failed", "digest mismatch", "unexpected commit digest")
_ELSEWHERE = "or name another image under `local.images` in pipeline.local.yaml"


class PullPolicy(StrEnum):
    """When images are pulled: only those that are not here, none, or all, as there may be newer ones."""

    MISSING = "missing"
    NEVER = "never"
    ALWAYS = "always"


def pull_image(client: Client, image: str, tell: Tell) -> None:
    """Pull *image* with the logins of the user's Docker; ExecutorError says why that is impossible."""
    from docker.utils import parse_repository_tag

    repository, tag = parse_repository_tag(image)
    tell(f"pulling image {image}")
    began = time.monotonic()
    progress = _Progress(f"image {image}", tell)
    try:
        for problem in _problems(client.api.pull(repository, tag=tag or "latest", stream=True, decode=True), progress):
            raise _not_pulled(image, problem, status=None)
    except engine_errors() as e:
        raise _not_pulled(image, message_of(e), status_of(e)) from e
    finally:
        progress.end()
    tell(f"pulled image {image} in {time.monotonic() - began:.0f} s")


class _Progress:
    """Adds up the layers of one image; tells not more often than somebody can read it."""

    def __init__(self, what: str, tell: Tell) -> None:
        self._what, self._tell = what, tell
        self._layers: dict[str, tuple[int, int]] = {}
        self._told = 0.0

    def take(self, message: Json) -> None:
        detail = message.get("progressDetail") or {}
        layer, total = str(message.get("id")), detail.get("total")
        if message.get("status") == "Downloading" and total:
            self._layers[layer] = (int(detail.get("current") or 0), int(total))
        elif message.get("status") in ("Download complete", "Pull complete") and layer in self._layers:
            self._layers[layer] = (self._layers[layer][1],) * 2
        else:
            return
        if time.monotonic() - self._told >= _TELL_SECONDS:
            self._told = time.monotonic()
            done, whole = (sum(column) for column in zip(*self._layers.values(), strict=True))
            self._tell(Transfer(self._what, done, whole))

    def end(self) -> None:
        if self._told:
            self._tell(Transfer(self._what, None, None))


def _problems(messages: Iterator[Json], progress: _Progress) -> Iterator[str]:
    """Read a pull to its end; what breaks after the first byte is in the stream, not an HTTP status."""
    for message in messages:
        if "error" in message:
            yield str(message["error"])
        progress.take(message)


def _not_pulled(image: str, message: str, status: int | None) -> ExecutorError:
    lowered = message.lower()
    host = registry_of(image)
    if any(words in lowered for words in _OF_BROKEN):
        summary = f"image {image} arrived damaged from {host}: {message}"
        return ExecutorError(summary, f"try again, {_ELSEWHERE}", image=image)
    if any(words in lowered for words in _OF_UNREACHABLE):
        summary = f"image {image} is not here, and its registry {host} cannot be reached: {message}"
        return ExecutorError(summary, f"look at your network, {_ELSEWHERE}", unreachable=True, image=image)
    if status in (401, 403) or any(words in lowered for words in _OF_DENIED):
        summary = f"image {image} does not exist or may not be pulled from {host}"
        return ExecutorError(summary, f"if it is private, log in (`{_login(host)}`), {_ELSEWHERE}", image=image)
    if status == 404 or any(words in lowered for words in _OF_NOT_FOUND):
        summary = f"there is no image {image} at {host}"
        return ExecutorError(summary, f"look at its name and tag, {_ELSEWHERE}", image=image)
    if "credentials store" in lowered or "docker-credential" in lowered:
        summary = f"Docker's store of logins does not answer for {host}: {message}"
        return ExecutorError(summary, "look at credsStore and credHelpers in ~/.docker/config.json", image=image)
    summary = f"image {image} cannot be pulled from {host}: {message}"
    return ExecutorError(summary, f"try again, {_ELSEWHERE}", image=image)


def registry_of(image: str) -> str:
    """Return the host of the registry that *image* names, which is Docker Hub when it names none."""
    host, slash, _ = image.partition("/")
    return host if slash and ("." in host or ":" in host or host == "localhost") else "Docker Hub"


def _login(host: str) -> str:
    if match := _ECR.fullmatch(host):
        given = f"aws ecr get-login-password --region {match[1]}"
        return f"{given} | docker login --username AWS --password-stdin {host}"
    return "docker login" if host == "Docker Hub" else f"docker login {host}"
