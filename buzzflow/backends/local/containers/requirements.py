"""Install requirements over an image, once for each content: the result is an image of its own.

Nothing of how they were fetched stays in it. Files for pip lie in an anonymous volume at /tmp, and the index settings
of this machine, which may hold a password, are given to one `docker exec` only.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import tarfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from buzzflow.backends.local.containers.api import Client, Json
from buzzflow.backends.local.containers.client import engine_errors, message_of, status_of
from buzzflow.backends.local.containers.labels import build_name, remove_container
from buzzflow.backends.local.containers.pip_settings import index_settings, without_passwords
from buzzflow.backends.local.executor import ExecutorError, Tell

REPOSITORY = "buzzflow/requirements"
_RECIPE = "1"  # part of the key: raise it when what follows makes a different image
_FOLDER = "/tmp"  # noqa: S108 - a volume of the build's own
_WAIT = "import time; time.sleep(86400)"
_LAST_LINES = 15
_QUIET = {
    "PIP_ROOT_USER_ACTION": "ignore",
    "PIP_BREAK_SYSTEM_PACKAGES": "1",
    "PIP_NO_INPUT": "1",
    "PYTHONUNBUFFERED": "1",
}
_INSTALL = ("-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check", "--progress-bar", "off")
_OF_UNREACHABLE = ("NewConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "name resolution", "is unreachable")


@dataclass(frozen=True, slots=True)
class Base:
    """The image to install over, by the user's name for it, and what the daemon knows of it."""

    name: str
    facts: Json

    @property
    def id(self) -> str:
        """Its content's name."""
        return str(self.facts["Id"])

    @property
    def config(self) -> Json:
        """What it sets for its containers."""
        return self.facts.get("Config") or {}


def requirements_image(client: Client, base: Base, texts: Sequence[str], folder: Path, tell: Tell) -> str:
    """Return the id of *base* with *texts* installed, the contents of requirement files.

    Threads and processes that want the same wait for one another, by a lock file in *folder*.
    """
    key = hashlib.sha256(json.dumps([_RECIPE, base.id, *texts]).encode()).hexdigest()[:16]
    if (found := _find(client, key)) is not None:
        return found
    with _locked(folder / f"requirements-{key}.lock"):
        if (found := _find(client, key)) is not None:
            return found
        tell(f"installing {_names(texts)} over image {base.name}")
        began = time.monotonic()
        try:
            made = _make(client, base, texts, key)
        except engine_errors() as e:
            what = f"Docker cannot install requirements over image {base.name}: {message_of(e)}"
            raise ExecutorError(what, unreachable=status_of(e) is None) from e
        tell(f"installed requirements over image {base.name} in {time.monotonic() - began:.0f} s")
        return made


def _find(client: Client, key: str) -> str | None:
    try:
        return str(client.api.inspect_image(f"{REPOSITORY}:{key}")["Id"])
    except engine_errors() as e:
        if status_of(e) == 404:
            return None
        raise ExecutorError(f"the Docker daemon does not answer: {message_of(e)}", unreachable=True) from e


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as f:
        fcntl.flock(f, fcntl.LOCK_EX)  # the system lets go of it when this process dies
        yield


def _names(texts: Iterable[str]) -> str:
    lines = (line.partition("#")[0].strip() for text in texts for line in text.splitlines())
    names = [line for line in lines if line and not line.startswith("-") and "://" not in line]
    return f"{', '.join(names[:5])}{' …' if names[5:] else ''}" or "requirements"


def _make(client: Client, base: Base, texts: Sequence[str], key: str) -> str:
    container, python = _started(client, base, key)
    try:
        client.api.put_archive(container, _FOLDER, _archive(texts))
        _install(client, container, python, base.name, len(texts))
        client.api.kill(container, "SIGKILL")
        client.api.wait(container)
        made = client.api.commit(
            container, repository=REPOSITORY, tag=key, message="requirements", pause=False, conf=_config(base, key)
        )
        return str(made["Id"])
    finally:
        remove_container(client, container)


def _started(client: Client, base: Base, key: str) -> tuple[str, str]:
    """Start a container that waits; return its id, and what Python is called in it. No shell is needed."""
    for python in ("python3", "python"):
        config = {
            "Image": base.id,
            "Entrypoint": [python],
            "Cmd": ["-c", _WAIT],
            "Healthcheck": None,
            "HostConfig": {"Mounts": [{"Type": "volume", "Target": _FOLDER}], "SecurityOpt": ["no-new-privileges"]},
        }
        if base.config.get("User"):
            config["User"] = "0:0"
        container = str(client.api.create_container_from_config(config, build_name(key))["Id"])
        try:
            client.api.start(container)
        except BaseException as e:
            remove_container(client, container)
            if isinstance(e, engine_errors()) and "executable file not found" in message_of(e):
                continue
            raise
        return container, python
    hint = "use an image with Python and pip, or leave out the step's requirements"
    raise ExecutorError(f"image {base.name} has no Python, so its step's requirements cannot be installed", hint)


def _archive(texts: Sequence[str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for number, text in enumerate(texts):
            content = text.encode()
            entry = tarfile.TarInfo(f"requirements-{number}.txt")
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _install(client: Client, container: str, python: str, image: str, count: int) -> None:
    files = [part for number in range(count) for part in ("-r", f"{_FOLDER}/requirements-{number}.txt")]
    environment = {**_QUIET, **index_settings()}
    command = [python, *_INSTALL, *files]
    execution = client.api.exec_create(container, command, user="0:0", workdir="/", environment=environment)["Id"]
    output = client.api.exec_start(execution).decode(errors="replace").strip()
    if (code := client.api.exec_inspect(execution)["ExitCode"]) != 0:
        raise _failed(image, code, without_passwords(output, environment))


def _failed(image: str, code: int | None, output: str) -> ExecutorError:
    last = "\n".join(output.splitlines()[-_LAST_LINES:])
    unreachable = any(words in output for words in _OF_UNREACHABLE)
    if "No module named pip" in output:
        hint = "use an image that has pip, or leave out the step's requirements"
    elif unreachable:
        hint = "is the package index reachable from a container? PIP_INDEX_URL names another one"
    else:
        hint = f"each requirement needs a version for the Python of the image: docker run --rm -it {image} python3 -V"
    summary = f"pip could not install the requirements over image {image} (exit code {code}):\n{last}"
    return ExecutorError(summary, hint, unreachable=unreachable)


def _config(base: Base, key: str) -> Json:
    """Return the image's own settings for the commit, which takes those that are missing from the container.

    So an entrypoint of none must be said as an empty list. An image with neither entrypoint nor command keeps the
    arguments of our waiting Python as its command, which cannot run: it ends as it would have, with an error.
    """
    config = base.config
    labels = {"buzzflow.requirements": key, "buzzflow.base": base.id, "buzzflow.recipe": _RECIPE}
    return {
        **config,
        "Entrypoint": config.get("Entrypoint") or [],
        "Labels": {**(config.get("Labels") or {}), **labels},
    }
