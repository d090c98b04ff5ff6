"""Make images available: pull what is not here, install requirements over it."""

from __future__ import annotations

import threading
from collections import defaultdict
from pathlib import Path

from buzzflow.backends.local.containers.api import Client, Json
from buzzflow.backends.local.containers.build import build_image
from buzzflow.backends.local.containers.client import engine_errors, message_of, status_of
from buzzflow.backends.local.containers.pull import PullPolicy, pull_image
from buzzflow.backends.local.containers.requirements import Base, requirements_image
from buzzflow.backends.local.executor import ExecutorError, Setting, Tell

_GO_NAMES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i386": "386", "i686": "386"}


class Images:
    """What is known to be ready on a daemon of the kind *architecture*. An image is pulled once at most."""

    def __init__(
        self, client: Client, cache_folder: Path, architecture: str, policy: PullPolicy = PullPolicy.MISSING
    ) -> None:
        self._client, self._cache_folder, self._policy = client, cache_folder, policy
        self.architecture = _GO_NAMES.get(architecture, architecture)
        self._ready: dict[Setting, str] = {}
        self._bases: dict[str, Json] = {}
        self._lock = threading.Lock()
        self._locks: defaultdict[object, threading.Lock] = defaultdict(threading.Lock)

    def ready(self, setting: Setting, tell: Tell) -> str:
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

    def foreign(self, image: str) -> str | None:
        """Return the kind of processor that *image*, which is ready, was made for, when it is not the daemon's."""
        found = (self._bases.get(image) or {}).get("Architecture") or ""
        return found if found and self.architecture and found != self.architecture else None

    def digest_of(self, setting: Setting) -> str | None:
        """Return the registry's digest of the image that requirements lie over; None for one that was never there."""
        digests = self._base(setting, lambda _: None).get("RepoDigests") or []
        return str(digests[0]) if digests else None

    def _base(self, setting: Setting, tell: Tell) -> Json:
        image = setting.image
        with self._lock_of(image):
            if image not in self._bases:
                self._bases[image] = self._found(setting, tell)
                if (kind := self.foreign(image)) is not None:
                    told = f"image {image} is for {kind}, and this Docker is {self.architecture}"
                    tell(f"{told}: emulated it is slow, and without an emulator it ends with 'exec format error'")
            return self._bases[image]

    def _found(self, setting: Setting, tell: Tell) -> Json:
        """Return what the daemon says of the image, which is fetched or built as the policy says."""
        image = setting.image
        here = _inspect(self._client, image)
        if here is not None and self._policy is not PullPolicy.ALWAYS:
            return here
        if setting.context is not None:
            build_image(self._client, image, setting.context, tell, pull=self._policy is PullPolicy.ALWAYS)
        elif self._policy is PullPolicy.NEVER:
            hint = f"docker pull {image}, or leave out --pull never"
            raise ExecutorError(f"image {image} is not here, and --pull never forbids to fetch it", hint, image=image)
        else:
            pull_image(self._client, image, tell)
        found = _inspect(self._client, image)
        if found is None:
            hint = "does it end in the right tag?"
            raise ExecutorError(f"the registry gave no image {image}", hint, image=image)
        if here is not None and here["Id"] != found["Id"]:
            tell(f"a newer image {image} was fetched: {_short(here)} is now {_short(found)}")
        return found

    def _lock_of(self, key: object) -> threading.Lock:
        with self._lock:
            return self._locks[key]


def _asks_for_something(text: str) -> bool:
    return any(line.strip() and not line.strip().startswith("#") for line in text.splitlines())


def _short(image: Json) -> str:
    return str(image["Id"]).removeprefix("sha256:")[:12]


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
