"""Make images available: pull what is not here, install requirements over it."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from buzzflow.backends.local.containers.api import Client, Json
from buzzflow.backends.local.containers.build import build_image
from buzzflow.backends.local.containers.client import engine_errors, message_of, status_of
from buzzflow.backends.local.containers.requirements import Base, requirements_image
from buzzflow.backends.local.executor import ExecutorError, Setting

_GO_NAMES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i386": "386", "i686": "386"}
_OF_DENIED = ("denied", "unauthorized", "authentication required", "no basic auth credentials", "forbidden")
_OF_NOT_FOUND = ("not found", "manifest unknown", "does not exist", "no such image")
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
_ELSEWHERE = "or name another image under `local.images` in pipeline.local.yaml"


class Images:
    """What is known to be ready on a daemon of the kind *architecture*; warnings go to *notes*."""

    def __init__(self, client: Client, cache_folder: Path, architecture: str, notes: list[str]) -> None:
        self._client, self._cache_folder, self._notes = client, cache_folder, notes
        self._architecture = _GO_NAMES.get(architecture, architecture)
        self._ready: dict[Setting, str] = {}
        self._bases: dict[str, Json] = {}
        self._lock = threading.Lock()
        self._locks: defaultdict[object, threading.Lock] = defaultdict(threading.Lock)

    def ready(self, setting: Setting, tell: Callable[[str], None]) -> str:
        """Return the id of an image that has everything of *setting*. Many threads may ask; one does the work."""
        with self._lock_of(setting):
            if setting not in self._ready:
                base = self._base(setting, tell)
                texts = [text for text in setting.over_image if _asks_for_something(text)]
                self._ready[setting] = (
                    requirements_image(self._client, Base(setting.image, base), texts, self._cache_folder, tell)
                    if texts
                    else base["Id"]
                )
            return self._ready[setting]

    def _base(self, setting: Setting, tell: Callable[[str], None]) -> Json:
        image = setting.image
        with self._lock_of(image):
            if image not in self._bases:
                found = _inspect(self._client, image)
                if found is None:
                    if setting.context is not None:
                        build_image(self._client, image, setting.context, tell)
                    else:
                        _pull(self._client, image, tell)
                    found = _inspect(self._client, image)
                if found is None:
                    raise ExecutorError(f"the registry gave no image {image}", "does it end in the right tag?")
                self._warn_of_architecture(image, found.get("Architecture") or "", tell)
                self._bases[image] = found
            return self._bases[image]

    def _warn_of_architecture(self, image: str, architecture: str, tell: Callable[[str], None]) -> None:
        if architecture and self._architecture and architecture != self._architecture:
            note = f"image {image} is for {architecture}, this Docker is {self._architecture}: slow, or does not start"
            self._notes.append(note)
            tell(note)

    def _lock_of(self, key: object) -> threading.Lock:
        with self._lock:
            return self._locks[key]


def _asks_for_something(text: str) -> bool:
    return any(line.strip() and not line.strip().startswith("#") for line in text.splitlines())


def _inspect(client: Client, image: str) -> Json | None:
    """Return what the daemon knows of *image*, None when it has none."""
    try:
        found: Json = client.api.inspect_image(image)
    except engine_errors() as e:
        match status_of(e):
            case 404:
                return None
            case 400:
                raise ExecutorError(f"{image!r} is no name of an image: {message_of(e)}") from e
            case None:
                raise ExecutorError(f"the Docker daemon does not answer: {message_of(e)}", unreachable=True) from e
            case _:
                raise ExecutorError(f"Docker cannot look at image {image}: {message_of(e)}") from e
    return found


def _pull(client: Client, image: str, tell: Callable[[str], None]) -> None:
    from docker.utils import parse_repository_tag

    repository, tag = parse_repository_tag(image)
    tell(f"pulling image {image}")
    began = time.monotonic()
    try:
        for problem in _problems(client.api.pull(repository, tag=tag or "latest", stream=True, decode=True)):
            raise _not_pulled(image, problem, status=None)
    except engine_errors() as e:
        raise _not_pulled(image, message_of(e), status_of(e)) from e
    tell(f"pulled image {image} in {time.monotonic() - began:.0f} s")


def _problems(messages: Iterator[Json]) -> Iterator[str]:
    """Read a pull to its end; what breaks after the first byte is in the stream, not an HTTP status."""
    for message in messages:
        if "error" in message:
            yield str(message["error"])


def _not_pulled(image: str, message: str, status: int | None) -> ExecutorError:
    lowered = message.lower()
    host, slash, _ = image.partition("/")
    if not slash or ("." not in host and ":" not in host and host != "localhost"):
        host = "Docker Hub"
    if any(words in lowered for words in _OF_UNREACHABLE):
        summary = f"image {image} is not here, and its registry {host} cannot be reached"
        return ExecutorError(f"{summary}: {message}", f"look at your network, {_ELSEWHERE}", unreachable=True)
    if status in (401, 403) or any(words in lowered for words in _OF_DENIED):
        login = "aws ecr get-login-password | docker login …" if ".dkr.ecr." in host else f"docker login {host}"
        login = "docker login" if host == "Docker Hub" else login
        summary = f"image {image} does not exist or may not be pulled from {host}"
        return ExecutorError(summary, f"if it is private, log in (`{login}`), {_ELSEWHERE}")
    if status == 404 or any(words in lowered for words in _OF_NOT_FOUND):
        return ExecutorError(f"there is no image {image} at {host}", f"look at its name and tag, {_ELSEWHERE}")
    return ExecutorError(f"image {image} cannot be pulled from {host}: {message}", f"try again, {_ELSEWHERE}")
