"""What became of a file into which instance types were written: a diff, and what stays as it is."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from buzzflow.instances.change import Applied
from buzzflow.loader.files import shown
from buzzflow.views.problems import as_data

_COLOURS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}
_OFF = "\x1b[0m"


def human(applied: Applied, without: Mapping[str, str], *, colour: bool = False) -> str:
    """Return the diff, then a line for each step that was changed or was not; *without* says why not."""
    name = shown(applied.file)
    lines = [*_diff(applied)]
    painted = [f"{_COLOURS[line[0]]}{line}{_OFF}" if colour and line[:1] in _COLOURS else line for line in lines]
    told = [f"{step}: not changed: {why}" for step, why in without.items()]
    if applied.after != applied.before:
        told.append(f"wrote {name}: {', '.join(f'{c.step} asks for {c.instance}' for c in applied.done)}")
    else:
        told.append(f"{name} is as it was")
    return "\n".join([*painted, *([""] if lines else []), *told])


def _diff(applied: Applied) -> Iterator[str]:
    name = shown(applied.file)
    before, after = applied.before.splitlines(), applied.after.splitlines()
    yield from difflib.unified_diff(before, after, name, name, lineterm="", n=2)


def data(applied: Applied, without: Mapping[str, str]) -> dict[str, Any]:
    """Return the same as JSON can hold it."""
    return {
        "file": str(applied.file),
        "written": applied.after != applied.before,
        "changes": {change.step: change.instance for change in applied.done},
        "diff": [*_diff(applied)],
        "without": dict(without),
        "diagnostics": as_data(applied.problems),
    }
