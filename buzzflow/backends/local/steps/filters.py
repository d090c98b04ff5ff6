"""JSONPath as batch transform reads it: names, positions and slices from `$`.

Source: Amazon SageMaker AI Developer Guide, "Associate Prediction Results with Input Records", its table of operators.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_STEP = re.compile(r"\.(?P<name>[A-Za-z_][\w-]*)|\[(?P<inside>[^\]]*)\]")
_NAME = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_SLICE = re.compile(r"(-?\d+)?:(-?\d+)?")


class FilterError(Exception):
    """A filter is none that batch transform knows, or does not fit a record; the text says why."""


@dataclass(frozen=True, slots=True)
class Names:
    """Members of an object; of several, an object with these."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Positions:
    """Items of an array; of several, or of a slice, an array of these."""

    parts: tuple[int | slice, ...]


Filter = tuple[Names | Positions, ...]


def read_filter(text: str) -> Filter:
    """Return the steps of *text*; FilterError when it is more than batch transform's JSONPath."""
    if not text.startswith("$"):
        raise FilterError(f"{text!r} does not start with $")
    found: list[Names | Positions] = []
    end = 1
    while end < len(text):
        match = _STEP.match(text, end)
        if match is None:
            raise FilterError(f"{text[end:]!r} is no name and no position")
        found.append(Names((match["name"],)) if match["name"] else _bracket(match["inside"]))
        end = match.end()
    return tuple(found)


def _bracket(inside: str) -> Names | Positions:
    parts = [part.strip() for part in inside.split(",")]
    if all(_NAME.fullmatch(part) for part in parts):
        return Names(tuple(part[1:-1] for part in parts))
    positions: list[int | slice] = []
    for part in parts:
        if re.fullmatch(r"-?\d+", part):
            positions.append(int(part))
        elif match := _SLICE.fullmatch(part):
            low, high = (None if bound is None else int(bound) for bound in match.groups())
            positions.append(slice(low, high))
        else:
            raise FilterError(f"[{inside}] is no list of names, positions or slices")
    return Positions(tuple(positions))


def select(record: Any, wanted: Filter) -> Any:
    """Return the part of *record*, JSON, that *wanted* names; FilterError when it has none."""
    for step in wanted:
        record = _names(record, step.names) if isinstance(step, Names) else _positions(record, step.parts)
    return record


def _names(record: Any, names: Sequence[str]) -> Any:
    if not isinstance(record, dict):
        raise FilterError(f"a record is no object, so it has no {names[0]!r}")
    if missing := [name for name in names if name not in record]:
        raise FilterError(f"a record has no {missing[0]!r}")
    return record[names[0]] if len(names) == 1 else {name: record[name] for name in names}


def _positions(record: Any, parts: Sequence[int | slice]) -> Any:
    if not isinstance(record, list):
        raise FilterError("a record is no list, so it has no positions")
    found: list[Any] = []
    for part in parts:
        if isinstance(part, slice):
            found += record[part]
        elif -len(record) <= part < len(record):
            found.append(record[part])
        else:
            raise FilterError(f"a record has {len(record)} values, and none at {part}")
    return found[0] if len(parts) == 1 and isinstance(parts[0], int) else found
