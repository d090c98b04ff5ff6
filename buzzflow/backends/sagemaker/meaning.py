"""What differs between two definitions in what they mean, step by step; and a digest of the meaning of one.

The order of inputs, outputs, channels, tags and parameters says nothing here, beside what `semantics` says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from buzzflow.backends.sagemaker import semantics

JOIN = "Std:Join"
# The members by which the services tell the items of a list apart: the order of such a list means nothing.
_NAMES = ("InputName", "OutputName", "ChannelName", "PropertyFileName", "Key", "Name")
_NESTS = {"IfSteps": "then", "ElseSteps": "else", "ForEachBody": "in"}


class Missing:
    """Stands where one of two definitions has nothing."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs; *path* is that in the step or the pipeline, an item of a list by its name or position."""

    path: tuple[str, ...]
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """A step without those inside it; *place* is what it stands in: `then good_enough`, or nothing."""

    name: str
    type: str
    place: str
    body: Mapping[str, object]


def steps_of(definition: Mapping[str, object]) -> dict[str, PlacedStep]:
    """Return every step by its name, those in branches and loops too; of two with one name, both under one of it."""
    found: dict[str, PlacedStep] = {}
    for step in _placed(definition.get("Steps"), ""):
        name = step.name
        while name in found:
            name += " (again)"
        found[name] = step
    return found


def _placed(steps: object, place: str) -> Iterator[PlacedStep]:
    for step in steps if isinstance(steps, list) else ():
        if not isinstance(step, dict):
            continue
        name = str(step.get("Name"))
        inside = [*semantics.steps_in(step)]
        held = {member for member, _ in inside}
        body = step
        if held:
            body = {**step, "Arguments": {k: v for k, v in step["Arguments"].items() if k not in held}}
        yield PlacedStep(name, str(step.get("Type")), place, normal(body))  # type: ignore[arg-type]  # of a mapping
        for member, item in inside:
            yield from _placed([item], f"{_NESTS[member]} {name}")


def normal(value: object) -> object:
    """Return *value* so that equal meanings are equal: joins are flat, and what has no order is sorted."""
    return _sorted(semantics.normal(value))


def _sorted(value: object, key: str = "") -> object:
    match value:
        case dict():
            return {name: _sorted(part, name) for name, part in value.items()}
        case list():
            parts = [_sorted(part) for part in value]
            if key == "DependsOn":
                return sorted(parts, key=canonical)
            named = _by_name(parts)
            return parts if named is None else [named[name] for name in sorted(named)]
        case _:
            return value


def _by_name(parts: list[object]) -> dict[str, object] | None:
    """Return the items of a list by the member that tells them apart; None when nothing does."""
    mappings = [part for part in parts if isinstance(part, dict)]
    if not mappings or len(mappings) != len(parts):
        return None
    for member in _NAMES:
        names = [part.get(member) for part in mappings]
        if all(isinstance(name, str) for name in names):
            return dict(zip(map(str, names), parts, strict=True)) if len({*names}) == len(names) else None
    return None


def canonical(value: object) -> str:
    """Return JSON in which equal values are equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(definition: Mapping[str, object]) -> str:
    """Return what is equal for definitions that mean the same: SHA-256, hexadecimal."""
    rest = {key: value for key, value in definition.items() if key != "Steps"}
    steps = sorted(
        (canonical([step.name, step.place, step.body]) for step in _placed(definition.get("Steps"), "")),
    )
    return hashlib.sha256(canonical([normal(rest), steps]).encode("ascii")).hexdigest()


def changes(before: object, after: object, path: tuple[str, ...] = ()) -> Iterator[Change]:
    """Yield where two normal values differ: the smallest parts that do."""
    match before, after:
        case dict(), dict() if JOIN not in before and JOIN not in after:
            for key in [*before, *(key for key in after if key not in before)]:
                yield from changes(before.get(key, MISSING), after.get(key, MISSING), (*path, str(key)))
        case list(), list():
            yield from _list_changes(before, after, path)
        case _ if canonical_or_missing(before) != canonical_or_missing(after):
            yield Change(path, before, after)


def _list_changes(before: list[object], after: list[object], path: tuple[str, ...]) -> Iterator[Change]:
    old, new = _by_name(before), _by_name(after)
    if old is not None and new is not None:
        for name in [*old, *(name for name in new if name not in old)]:
            yield from changes(old.get(name, MISSING), new.get(name, MISSING), (*path, name))
    elif len(before) == len(after):
        for i, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from changes(one, other, (*path, str(i)))
    else:
        yield Change(path, before, after)


def canonical_or_missing(value: object) -> str:
    """Return the canonical text of a value, or one that no value has."""
    return "missing" if isinstance(value, Missing) else canonical(value)
