"""Build an image from a folder with a Dockerfile, as `docker build` does."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path

from buzzflow.backends.local.containers.api import Client
from buzzflow.backends.local.containers.client import engine_errors, message_of, status_of
from buzzflow.backends.local.executor import ExecutorError, Tell

_LAST_LINES = 15


def build_image(client: Client, image: str, context: Path, tell: Tell, *, pull: bool = False) -> None:
    """Build *image*; ExecutorError has the last lines of what the Dockerfile said. *pull* asks for newer bases."""
    tell("building the image of a folder")
    began = time.monotonic()
    said: deque[str] = deque(maxlen=_LAST_LINES)
    try:
        messages = client.api.build(path=str(context), tag=image, rm=True, forcerm=True, pull=pull, decode=True)
        for message in messages:
            if "error" in message:
                raise _failed(str(message["error"]), said)
            said.extend(str(message.get("stream", "")).splitlines())
    except engine_errors() as e:
        if status_of(e) is None:
            raise ExecutorError(f"the Docker daemon does not answer: {message_of(e)}", unreachable=True) from e
        raise _failed(message_of(e), said) from e
    tell(f"built the image of a folder in {time.monotonic() - began:.0f} s")


def _failed(error: str, said: deque[str]) -> ExecutorError:
    last = "\n".join(line for line in said if line.strip())
    return ExecutorError(f"the Dockerfile cannot be built: {error}\n{last}".rstrip(), "look at the lines above")
