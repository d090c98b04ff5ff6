"""Which images of cAdvisor and Prometheus a run takes, and fetching those that are not here for the next one."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from buzzflow.backends.local.containers.api import Client
from buzzflow.backends.local.containers.client import connect, engine_errors, message_of, status_of

# The digests are those of the tags as many public repositories pin them; Docker pulls by digest and checks it.
_CADVISOR = "ghcr.io/google/cadvisor:v0.60.5"
_CADVISOR_DIGEST = "sha256:763aecf1c32c2be8a1a75f9abfc2fc461005c9dbbaa39cb356b354aac1296dbe"
_PROMETHEUS = "prom/prometheus:v3.13.1"
_PROMETHEUS_DIGEST = "sha256:3c42b892cf723fa54d2f262c37a0e1f80aa8c8ddb1da7b9b0df9455a35a7f893"
_PULL_SECONDS = 300  # between two messages of the daemon
_TRY_AGAIN_SECONDS = 24 * 3600
_MOST_TOLD = 120
_ATTEMPT = "monitoring-images.json"


@dataclass(frozen=True, slots=True)
class MonitoringImages:
    """The two images, by address."""

    cadvisor: str
    prometheus: str


def monitoring_images(replacements: Mapping[str, str]) -> MonitoringImages:
    """Return the upstream images by digest, or what *replacements*, `local.images`, has for their addresses."""
    return MonitoringImages(
        cadvisor=replacements.get(_CADVISOR, f"{_CADVISOR}@{_CADVISOR_DIGEST}"),
        prometheus=replacements.get(_PROMETHEUS, f"{_PROMETHEUS}@{_PROMETHEUS_DIGEST}"),
    )


def missing_images(client: Client, images: MonitoringImages) -> list[str]:
    """Return those that the daemon does not have."""
    missing = []
    for image in astuple(images):
        try:
            client.api.inspect_image(image)
        except engine_errors() as e:
            if status_of(e) != 404:
                raise
            missing.append(image)
    return missing


def fetch_images(missing: list[str], cache_folder: Path, tell: Callable[[str], None]) -> None:
    """Pull *missing* for later runs; tell it once, and after a failure leave it for a day.

    Who is offline every day should read of it one time, and who is not gets figures from the next run on. It has a
    client of its own, as it may outlast the run.
    """
    file = cache_folder / _ATTEMPT
    attempt = _read(file)
    is_new = attempt.get("images") != missing
    if not is_new and attempt.get("failed") and time.time() - float(str(attempt.get("at", 0))) < _TRY_AGAIN_SECONDS:
        return
    _write(file, missing, failed=False)
    names = " and ".join(_in_short(image) for image in missing)
    told = threading.Event()

    def comes() -> None:
        if is_new and not told.is_set():
            told.set()
            tell(f"{names} come in the background: they measure the steps of later runs")

    for image in missing:
        if (problem := _pull(image, comes)) is not None:
            _write(file, missing, failed=True)
            if is_new:
                tell(f"{names} cannot be pulled, so steps are measured without them: {problem[:_MOST_TOLD]}")
            return
    with contextlib.suppress(OSError):
        file.unlink()


def _pull(image: str, comes: Callable[[], None]) -> str | None:
    """Return why *image* cannot be pulled, None when it is here now; *comes* is called when a registry has it."""
    from docker.utils import parse_repository_tag

    repository, tag = parse_repository_tag(image)
    client = connect(_PULL_SECONDS)
    try:
        for message in client.api.pull(repository, tag=tag or "latest", stream=True, decode=True):
            if "error" in message:
                return str(message["error"])
            comes()
    except engine_errors() as e:
        return message_of(e)
    finally:
        client.close()
    return None


def _in_short(image: str) -> str:
    return image.partition("@")[0].rpartition("/")[2]


def _read(file: Path) -> dict[str, object]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write(file: Path, missing: list[str], *, failed: bool) -> None:
    with contextlib.suppress(OSError):  # then it is told again
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"images": missing, "failed": failed, "at": round(time.time())}), "utf-8")
