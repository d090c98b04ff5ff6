"""Whether a request is certainly one that the service takes: quick, because nearly all are.

What is not certain here is looked at by `requests`, which says what is wrong and where.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import cache

from buzzflow.backends.sagemaker.service.placeholders import MalformedPlaceholder, is_placeholder, known_text
from buzzflow.backends.sagemaker.service.shapes import Shape
from buzzflow.backends.sagemaker.service.texts import is_taken, text_problems

MAX_DEPTH = 50
BITS = {"integer": 31, "long": 63}
_NUMBERS = (int, float)


def fits(shape: Shape, value: object, absent: Collection[str] = (), depth: int = 0) -> bool:
    """Whether nothing is wrong with *value*; members of it named in *absent* may be missing."""
    kind = shape.type
    if kind == "string" and type(value) is str:
        return is_taken(shape, value)
    if type(value) is dict:
        if len(value) == 1 and is_placeholder(value):
            return _placeholder_fits(shape, value)
        if kind == "structure":
            return depth <= MAX_DEPTH and _structure_fits(shape, value, absent, depth)
        if kind == "map":
            key, inner = shape.part(shape.key), shape.part(shape.value)
            for name, item in value.items():
                if not fits(key, name, (), depth + 1) or not fits(inner, item, (), depth + 1):
                    return False
            return _in_bounds(shape, len(value))
        return kind == "unknown"
    if type(value) is list:
        if kind != "list":
            return kind == "unknown"
        member = shape.part(shape.member)
        for item in value:
            if not fits(member, item, (), depth + 1):
                return False
        return _in_bounds(shape, len(value))
    return _scalar_fits(shape, value)


def _structure_fits(shape: Shape, value: dict[object, object], absent: Collection[str], depth: int) -> bool:
    parts = _parts(shape)
    for name, inner in value.items():
        part = parts.get(name)
        if part is None:
            return False
        if type(inner) is str and part.type == "string":  # as most are
            if not is_taken(part, inner):
                return False
        elif not fits(part, inner, (), depth + 1):
            return False
    for name in shape.required:
        if name not in value and name not in absent:
            return False
    return not shape.one_of or sum(name in value for name in shape.one_of) == 1


@cache
def _parts(shape: Shape) -> dict[object, Shape]:
    return {name: shape.part(member) for name, member in shape.members.items()}


def _scalar_fits(shape: Shape, value: object) -> bool:
    match shape.type:
        case "boolean":
            return type(value) is bool
        case "integer" | "long":
            limit = 2 ** BITS[shape.type]
            return type(value) is int and -limit <= value < limit and _in_bounds(shape, value)
        case "float" | "double":
            return type(value) in _NUMBERS and math.isfinite(value) and _in_bounds(shape, value)  # type: ignore[arg-type]
        case "timestamp":
            return type(value) in (str, *_NUMBERS)
        case kind:
            return kind == "unknown"


def _placeholder_fits(shape: Shape, value: dict[object, object]) -> bool:
    match shape.type:
        case "structure":
            return False
        case "list" | "map":
            return "Get" in value and type(value["Get"]) is str
        case kind:
            try:
                text = known_text(value)
            except MalformedPlaceholder:
                return False
            return kind != "string" or not any(text_problems(shape, text, ()))


def _in_bounds(shape: Shape, number: float) -> bool:
    return (shape.low is None or number >= shape.low) and (shape.high is None or number <= shape.high)
