"""Compare text with a committed file, and write that file anew when it is asked for."""

from __future__ import annotations

import difflib
import json
import os
import re
from pathlib import Path

from buzzflow.api import Artifact

UPDATE = "UPDATE_GOLDEN"
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
_SIZE = re.compile(r'("sha256": "<sha256>",\s*"size": )\d+')
_MOST_LINES = 60


def compare(found: object, file: Path, *, digests: bool = False) -> None:
    """Compare *found*, an artifact, text, or data for JSON, with *file*; AssertionError shows how they differ.

    With UPDATE_GOLDEN=1 the file is written instead. Digests and sizes of files are left out unless *digests*: else
    every edit of a script would change the file.
    """
    text = as_text(found) if digests else _without_digests(as_text(found))
    if os.environ.get(UPDATE):
        if os.environ.get("CI"):
            raise AssertionError(f"{UPDATE} would rewrite what CI is to compare with: unset it")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return
    if not file.exists():
        raise AssertionError(f"there is no {file}: write it with {UPDATE}=1 pytest, look at it, and commit it")
    kept = file.read_text("utf-8")
    if text != kept:
        raise AssertionError(
            f"{file} is not what the pipeline gives; {UPDATE}=1 pytest writes it\n{_difference(kept, text)}"
        )


def as_text(found: object) -> str:
    """Return *found* as the file holds it: with an end of line."""
    match found:
        case Artifact():
            text = str(found)
        case bytes():
            text = found.decode()
        case str():
            text = found
        case _:
            text = json.dumps(found, indent=2, ensure_ascii=False)
    return text if text.endswith("\n") else f"{text}\n"


def _without_digests(text: str) -> str:
    return _SIZE.sub(r"\g<1>0", _DIGEST.sub("<sha256>", text))


def _difference(kept: str, found: str) -> str:
    lines = [*difflib.unified_diff(kept.splitlines(), found.splitlines(), "kept", "now", lineterm="", n=2)]
    more = [f"… {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES else []
    return "\n".join([*lines[:_MOST_LINES], *more])
