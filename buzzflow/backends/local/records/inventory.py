"""What is installed in the image or the virtual environment of a step: asked once, and kept for later runs."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from pydantic import ValidationError

from buzzflow.backends.local.executor import End, Executor, Setting, Task
from buzzflow.backends.local.records.manifest import write_json
from buzzflow.backends.local.records.origins import Inventory
from buzzflow.backends.local.request.request import RunRequest

_STEP = "inventory"  # the container's name
_SECONDS = 20.0
_MOST_BYTES = 1024**2
_MARK = "buzzflow-inventory:"
_ASK = f"""\
import json, sys
try:
    from importlib import metadata
    found = {{d.metadata["Name"]: d.version for d in metadata.distributions() if d.metadata["Name"]}}
except ImportError:
    found = {{}}
print("{_MARK}" + json.dumps({{"python": sys.version.split()[0], "packages": found}}))
"""
_START = 'for name in python3 python; do if command -v "$name" >/dev/null; then exec "$name" -c "$0"; fi; done'


def inventory(
    executor: Executor, setting: Setting, key: str, request: RunRequest, stop: threading.Event
) -> Inventory | None:
    """Return what is installed in *setting*, whose content has the name *key*; None without Python, or an answer.

    It is asked in a container of its own, without network and in limited time: no step is touched.
    """
    file = request.state / "cache" / "packages" / f"{re.sub('[^A-Za-z0-9.-]', '-', key)}.json"
    if (known := _read(file)) is not None:
        return known
    lines: list[bytes] = []
    task = Task(request.run, _STEP, setting, ("/bin/sh", "-c", _START, _ASK), (), {}, (), False, _SECONDS)  # noqa: FBT003
    outcome = executor.run(task, lines.append, stop)
    if outcome.end is not End.EXITED or outcome.exit_code != 0:
        return None
    found = _answer(b"".join(lines)[-_MOST_BYTES:])
    if found is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, found.model_dump(mode="json"))
    return found


def _read(file: Path) -> Inventory | None:
    try:
        return Inventory.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None


def _answer(output: bytes) -> Inventory | None:
    _, mark, answer = output.partition(_MARK.encode())
    try:
        found = Inventory.model_validate_json(answer.strip()) if mark else None
    except ValidationError:
        return None
    if found is not None:
        found.packages = dict(sorted(found.packages.items(), key=lambda item: item[0].lower()))
    return found
