"""Find what a path into a Describe response leads to: `${step:S.properties.…}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from buzzflow import ir
from buzzflow.backends.sagemaker.service.problem import shortened
from buzzflow.backends.sagemaker.service.shapes import Shape, response_shape
from buzzflow.diagnostics import did_you_mean

# Lists that a pipeline searches by name: Amazon SageMaker AI Developer Guide, "Pass Data Between Steps".
_SEARCHED = frozenset(("Outputs", "FinalMetricDataList"))


@dataclass(frozen=True, slots=True)
class DescribeTarget:
    """One value of a response: *spelling* is what follows `Steps.S.` in a pipeline definition."""

    spelling: str
    kind: ir.Kind


class UnknownPath(Exception):
    """A path that leads to no value."""

    def __init__(self, summary: str, hint: str | None) -> None:
        self.summary = summary
        self.hint = hint
        super().__init__(summary)


def describe_path(operation_output: str, path: tuple[str, ...]) -> DescribeTarget:
    """Return what *path* names in the response of *operation_output*: members, positions in lists, keys of maps.

    `LambdaStep` and `CallbackStep` have the OutputParameters of such a step, and `DescribeStep` is EMR's.
    """
    shape = response_shape(operation_output)
    spelling = ""
    for i, part in enumerate(path):
        step, shape = _next(shape, part, spelling or operation_output, path[i - 1] if i else "")
        spelling += step
    spelling = spelling.removeprefix(".")
    kind = _kind(shape)
    if kind is None:
        raise UnknownPath(f"{spelling or operation_output} is no single value", _inside(shape))
    return DescribeTarget(spelling, kind)


def _next(shape: Shape, part: str, at: str, before: str) -> tuple[str, Shape]:
    """Return how *part* is written after what leads to *shape*, and the shape there."""
    at = at.removeprefix(".")
    match shape.type:
        case "structure" if part in shape.members:
            return f".{part}", shape.part(shape.members[part])
        case "structure":
            hint = did_you_mean(part, shape.members, label=f"{at} has")
            raise UnknownPath(f"{at} has no {shortened(part)!r}", hint)
        case "list" if part.isascii() and part.isdecimal():
            return f"[{part}]", shape.part(shape.member)
        case "list" if before in _SEARCHED:
            return _quoted(part, at), shape.part(shape.member)
        case "list":
            hint = f"write a position instead of {shortened(part)!r}: 0 is the first"
            raise UnknownPath(f"{at} is a list", hint)
        case "map":
            return _quoted(part, at), shape.part(shape.value)
        case "string" | "integer" | "long" | "float" | "double" | "boolean" | "timestamp" | "unknown":
            raise UnknownPath(f"{at} is a single value and has no {shortened(part)!r}", f"end the path at {at}")
        case _:
            assert_never(shape.type)


def _quoted(name: str, at: str) -> str:
    if not name or "'" in name:
        raise UnknownPath(f"{shortened(name)!r} cannot be looked up in {at}", "use a name without quotes")
    return f"['{name}']"


def _kind(shape: Shape) -> ir.Kind | None:
    match shape.type:
        case "string" | "timestamp":
            return ir.Kind.TEXT
        case "integer" | "long" | "float" | "double":
            return ir.Kind.NUMBER
        case "boolean":
            return ir.Kind.BOOLEAN
        case "unknown":
            return ir.Kind.UNKNOWN
        case "structure" | "list" | "map":
            return None
        case _:
            assert_never(shape.type)


def _inside(shape: Shape) -> str:
    match shape.type:
        case "list":
            return "go on with a position: 0 is the first"
        case "map":
            return "go on with a key"
        case _:
            names = [*shape.members]
            return f"go on with one of {', '.join(names[:8])}{', …' if len(names) > 8 else ''}"
