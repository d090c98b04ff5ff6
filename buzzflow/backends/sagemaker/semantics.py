"""Compare definitions by what they mean: the order of keys, of steps and of `DependsOn` says nothing.

Nor does the way in which a text is put together: a `Std:Join` with `/` between its values is one with the slashes
among them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from buzzflow.backends.sagemaker.text import Object

# where the arguments of a step hold steps
NESTED = ("IfSteps", "ElseSteps", "ForEachBody")


def same_definition(one: Object, other: Object) -> bool:
    """Whether two definitions mean the same."""
    return _key(_definition(one)) == _key(_definition(other))


def same(one: object, other: object) -> bool:
    """Whether two values of a definition mean the same."""
    return _key(normal(one)) == _key(normal(other))


def normal(data: object) -> object:
    """Return *data* with its joins flattened, and whole numbers without a point."""
    match data:
        case {"Std:Join": {"On": str(on), "Values": [*values], **more}, **rest} if not more and not rest:
            return _joined([*_flat(on, values)])
        case dict():
            return {key: normal(value) for key, value in data.items()}
        case list():
            return [normal(item) for item in data]
        case float() if data.is_integer() and abs(data) < 2**53:
            return int(data)
        case _:
            return data


def parts_of(data: object) -> list[object]:
    """Return the literals and references that a text is made of; one of anything else."""
    match normal(data):
        case {"Std:Join": {"On": "", "Values": [*parts]}}:
            return parts
        case part:
            return [part]


def steps_in(step: Object) -> Iterator[tuple[str, Object]]:
    """Yield the steps that stand inside of *step*, with the member that holds them."""
    arguments = step.get("Arguments")
    if step.get("Type") not in ("Condition", "ForEach") or not isinstance(arguments, dict):
        return
    for member in NESTED:
        held = arguments.get(member)
        for item in held if isinstance(held, list) else ():
            if isinstance(item, dict):
                yield member, item


def without_steps(step: Object) -> Object:
    """Return *step* with empty lists in place of the steps in it, and its order sorted."""
    found = {key: _ordered(key, normal(value)) for key, value in step.items() if key != "Arguments"}
    if "Arguments" in step:
        arguments = step["Arguments"]
        if any(steps_in(step)) and isinstance(arguments, dict):
            held = {member for member, _ in steps_in(step)}
            arguments = {key: [] if key in held else value for key, value in arguments.items()}
        found["Arguments"] = normal(arguments)
    return found


def _ordered(key: str, value: object) -> object:
    return sorted(value, key=_key) if key == "DependsOn" and isinstance(value, list) else value


def _definition(definition: Object) -> Object:
    rest = {key: normal(value) for key, value in definition.items() if key != "Steps"}
    steps = definition.get("Steps")
    if isinstance(steps, list) and all(isinstance(step, dict) for step in steps):
        steps = _steps(steps)
    return {**rest, "Steps": steps}


def _steps(steps: list[Object]) -> list[Object]:
    found = []
    for step in steps:
        inside: dict[str, list[Object]] = {}
        for member, item in steps_in(step):
            inside.setdefault(member, []).append(item)
        found.append({**without_steps(step), "inside": {member: _steps(items) for member, items in inside.items()}})
    return sorted(found, key=lambda step: str(step.get("Name")))


def _key(data: object) -> str:
    return json.dumps(data, sort_keys=True, ensure_ascii=False)


def _flat(on: str, values: list[object]) -> Iterator[object]:
    """Yield the literals and references of a join; a join in it is part of it."""
    for i, value in enumerate(values):
        if i and on:
            yield on
        match normal(value):
            case {"Std:Join": {"On": "", "Values": [*inner]}}:
                yield from inner
            case item:
                yield item


def _joined(parts: list[object]) -> object:
    found: list[object] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        elif part != "":
            found.append(part)
    if not found:
        return ""
    if len(found) == 1 and isinstance(found[0], str):
        return found[0]
    return {"Std:Join": {"On": "", "Values": found}}
