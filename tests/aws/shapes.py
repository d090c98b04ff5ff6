"""Check requests as the services do, by botocore's models: members, types, lengths, patterns, enumerations.

botocore itself checks only required members and types before it sends, and moto nothing, so that without this a name
of 300 characters would pass all tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import regex
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from tests.aws.errors import ServiceError
from tests.aws.operations import service_model

_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,), "map": (dict,), "list": (list,), "string": (str,), "integer": (int,), "long": (int,),
    "float": (int, float), "double": (int, float), "boolean": (bool,), "timestamp": (int, float, str),
}  # fmt: skip


def check_request(service: str, operation: str, members: dict[str, Any]) -> None:
    """Raise the ValidationException with which a service refuses *members*, if it does."""
    shape = service_model(service).operation_model(operation).input_shape
    if shape is None:
        return
    if problems := [*_problems(shape, members, "")]:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        raise ServiceError("ValidationException", f"{count}: {'; '.join(problems)}")


def check_answer(service: str, operation: str, members: dict[str, Any]) -> None:
    """Assert that the fake itself answers with what the model has."""
    shape = service_model(service).operation_model(operation).output_shape
    problems = [*_problems(shape, members, "")] if shape else []
    assert not problems, f"the fake's answer to {operation}: {problems}"


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    kinds = _TYPES.get(shape.type_name)
    if kinds and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
        yield f"Value {_shown(value)} at '{path}' failed to satisfy constraint: Member must be a {shape.type_name}"
        return
    match shape:
        case StructureShape():
            yield from _of_structure(shape, value, path)
        case ListShape():
            yield from _of_size(shape, len(value), value, path)
            for n, item in enumerate(value, 1):
                yield from _problems(shape.member, item, f"{path}.{n}.member")
        case MapShape():
            yield from _of_size(shape, len(value), value, path)
            for key, item in value.items():
                yield from _problems(shape.value, item, f"{path}.{key}.member")
        case StringShape():
            yield from _of_size(shape, len(value), value, path)
            yield from _of_text(shape, value, path)
        case _ if shape.type_name in ("integer", "long", "float", "double"):
            yield from _of_size(shape, value, value, path)


def _of_structure(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            where = _below(path, name)
            yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
    for name, item in value.items():
        if name not in shape.members:
            yield f"Value at '{_below(path, name)}' failed to satisfy constraint: Member is not known"
        elif item is not None:
            yield from _problems(shape.members[name], item, _below(path, name))


def _of_size(shape: Shape, size: float, value: Any, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    number = shape.type_name in ("integer", "long", "float", "double")
    noun = "value" if number else "length"
    if low is not None and size < low:
        yield (
            f"Value {_shown(value)} at '{path}' failed to satisfy constraint: "
            f"Member must have {noun} greater than or equal to {low}"
        )
    if high is not None and size > high:
        yield (
            f"Value {_shown(value)} at '{path}' failed to satisfy constraint: "
            f"Member must have {noun} less than or equal to {high}"
        )


def _of_text(shape: StringShape, value: str, path: str) -> Iterator[str]:
    pattern = shape.metadata.get("pattern")
    if pattern and regex.fullmatch(pattern, value, flags=regex.DOTALL) is None:
        yield (
            f"Value {_shown(value)} at '{path}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {pattern}"
        )
    if shape.enum and value not in shape.enum:
        allowed = ", ".join(shape.enum)
        yield (
            f"Value {_shown(value)} at '{path}' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{allowed}]"
        )


def _below(path: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=datetime.isoformat)
    return f"'{text[:200]}'"
