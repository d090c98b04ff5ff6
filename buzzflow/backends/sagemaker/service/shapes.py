"""The shapes of requests and responses, read from `models.json` when one is first needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, TypedDict

Type = Literal[
    "structure",
    "list",
    "map",
    "string",
    "integer",
    "long",
    "float",
    "double",
    "boolean",
    "timestamp",
    "unknown",
]


class _ShapeData(TypedDict, total=False):
    type: Type
    members: dict[str, str]
    member: str
    key: str
    value: str
    required: list[str]
    one_of: list[str]
    enum: list[str]
    pattern: str
    min: float
    max: float
    sensitive: bool


class _Service(TypedDict):
    requests: dict[str, str]
    responses: dict[str, str]
    shapes: dict[str, _ShapeData]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One shape of a service, made once; its parts are named, and found with `part`.

    *low* and *high* bound the number, or how long the text, list or map is. Of *one_of* exactly one member is given.
    """

    service: str
    name: str
    type: Type
    members: Mapping[str, str]
    member: str
    key: str
    value: str
    required: tuple[str, ...]
    one_of: tuple[str, ...]
    enum: tuple[str, ...]
    pattern: str | None
    low: float | None
    high: float | None
    sensitive: bool

    def part(self, name: str) -> Shape:
        """Return the shape called *name* in the same service."""
        return _shape(self.service, name)


def request_shape(operation: str) -> Shape:
    """Return what *operation* takes; a KeyError says that there is no such operation."""
    return _operation(operation, "requests")


def response_shape(operation: str) -> Shape:
    """Return what *operation* tells; a KeyError says that there is no such operation."""
    return _operation(operation, "responses")


def request_operations() -> tuple[str, ...]:
    """Return every operation that `request_shape` knows."""
    return tuple(operation for service in _services().values() for operation in service["requests"])


def response_operations() -> tuple[str, ...]:
    """Return every operation that `response_shape` knows."""
    return tuple(operation for service in _services().values() for operation in service["responses"])


def _operation(operation: str, direction: Literal["requests", "responses"]) -> Shape:
    for name, service in _services().items():
        if operation in service[direction]:
            return _shape(name, service[direction][operation])
    raise KeyError(operation)


@cache
def _services() -> dict[str, _Service]:
    models = json.loads((files(__package__) / "models.json").read_text("utf-8"))
    services: dict[str, _Service] = models["services"]
    return services


@cache
def _shape(service: str, name: str) -> Shape:
    data = _services()[service]["shapes"][name]
    return Shape(
        service,
        name,
        data["type"],
        data.get("members", {}),
        data.get("member", ""),
        data.get("key", ""),
        data.get("value", ""),
        tuple(data.get("required", ())),
        tuple(data.get("one_of", ())),
        tuple(data.get("enum", ())),
        data.get("pattern"),
        data.get("min"),
        data.get("max"),
        data.get("sensitive", False),
    )
