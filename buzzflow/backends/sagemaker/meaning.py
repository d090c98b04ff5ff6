"""What a definition means, whatever the order and form in which it is written: to compare two of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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
        name, arguments = str(step.get("Name")), step.get("Arguments")
        inside: dict[str, object] = {}
        body = dict(step)
        if isinstance(arguments, dict):
            inside = {key: arguments[key] for key in _NESTS if key in arguments}
            body["Arguments"] = {key: value for key, value in arguments.items() if key not in _NESTS}
        yield PlacedStep(name, str(step.get("Type")), place, normal(body))  # type: ignore[arg-type]  # of a mapping
        for key, nested in inside.items():
            yield from _placed(nested, f"{_NESTS[key]} {name}")


def normal(value: object, key: str = "") -> object:
    """Return *value* so that equal meanings are equal: joins are flat, and what has no order is sorted."""
    match value:
        case {"Std:Join": {"On": str() as on, "Values": list() as values}}:
            return _joined([normal(v) for v in values], on)
        case dict():
            return {name: normal(part, name) for name, part in value.items()}
        case list():
            parts = [normal(part) for part in value]
            if key == "DependsOn":
                return sorted(parts, key=canonical)
            named = _by_name(parts)
            return parts if named is None else [named[name] for name in sorted(named)]
        case _:
            return value


def _joined(parts: list[object], on: str) -> object:
    flat: list[object] = []
    for i, part in enumerate(parts):
        if i and on:
            flat.append(on)
        match part:
            case {"Std:Join": {"On": "", "Values": list() as values}}:
                flat += values
            case _:
                flat.append(part)
    merged: list[object] = []
    for part in flat:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    if all(isinstance(part, str) for part in merged):
        return "".join(map(str, merged))
    return {JOIN: {"On": "", "Values": merged}}


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
    return json.dumps(_whole(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _whole(value: object) -> object:
    """Return *value* with whole floats as integers: 1.0 and 1 are the same number."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: _whole(part) for key, part in value.items()}
        case list():
            return [_whole(part) for part in value]
        case _:
            return value


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
