"""Find what a service would refuse in the arguments of an operation, by the service's own model."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from itertools import islice
from typing import assert_never

from buzzflow.backends.sagemaker.service.fits import BITS, MAX_DEPTH, fits
from buzzflow.backends.sagemaker.service.placeholders import MalformedPlaceholder, is_placeholder, known_text
from buzzflow.backends.sagemaker.service.problem import RequestProblem, shortened, subject
from buzzflow.backends.sagemaker.service.shapes import Shape, request_shape
from buzzflow.backends.sagemaker.service.texts import is_taken, text_problems
from buzzflow.diagnostics import MAX_PROBLEMS, Path, closest, did_you_mean

_EXPECTED = {
    "structure": "a mapping",
    "map": "a mapping",
    "list": "a list",
    "string": "a text",
    "integer": "a whole number",
    "long": "a whole number",
    "float": "a number",
    "double": "a number",
    "boolean": "true or false",
    "timestamp": "a time",
}
# A pipeline names these itself, afresh for each run: sagemaker.core.workflow.utilities.trim_request_dict
_NAMED_BY_THE_PIPELINE = {
    "CreateAutoMLJob": "AutoMLJobName",
    "CreateAutoMLJobV2": "AutoMLJobName",
    "CreateHyperParameterTuningJob": "HyperParameterTuningJobName",
    "CreateJob": "JobName",
    "CreateModel": "ModelName",
    "CreateProcessingJob": "ProcessingJobName",
    "CreateTrainingJob": "TrainingJobName",
    "CreateTransformJob": "TransformJobName",
}


def request_problems(operation: str, arguments: object, *, optional: Collection[str] = ()) -> Iterator[RequestProblem]:
    """Yield what is wrong with *arguments*, in which placeholders of a pipeline may stand; at most `MAX_PROBLEMS`.

    *operation* is one of SageMaker, or `EMRStep` or `EMRServerlessStep`, whose arguments only a pipeline has. Required
    members named in *optional* may be missing from *arguments* themselves, as may the name that a pipeline makes up.
    """
    absent = frozenset(optional) | {_NAMED_BY_THE_PIPELINE.get(operation, "")}
    shape = request_shape(operation)
    if not fits(shape, arguments, absent):
        yield from islice(_problems(shape, arguments, (), absent), MAX_PROBLEMS)


def _problems(
    shape: Shape, value: object, path: Path, absent: frozenset[str] = frozenset()
) -> Iterator[RequestProblem]:
    if shape.type == "unknown" or (shape.type == "string" and isinstance(value, str) and is_taken(shape, value)):
        return
    if is_placeholder(value):
        yield from _placeholder(shape, value, path)
        return
    match shape.type:
        case "structure" if isinstance(value, dict):
            yield from _structure(shape, value, path, absent)
        case "map" if isinstance(value, dict):
            yield from _map(shape, value, path)
        case "list" if isinstance(value, list | tuple):
            yield from _size(shape, len(value), "items", path)
            for i, item in enumerate(value):
                yield from _problems(shape.part(shape.member), item, (*path, i))
        case "string" if isinstance(value, str):
            yield from text_problems(shape, known_text(value), path)
        case "integer" | "long" if isinstance(value, int) and not isinstance(value, bool):
            yield from _number(shape, value, path)
        case "float" | "double" if isinstance(value, int | float) and not isinstance(value, bool):
            yield from _number(shape, value, path)
        case "boolean" if isinstance(value, bool):
            pass
        case "timestamp" if isinstance(value, str | int | float) and not isinstance(value, bool):
            pass
        case _:
            yield _wrong_type(shape, value, path)


def _placeholder(shape: Shape, value: object, path: Path) -> Iterator[RequestProblem]:
    assert isinstance(value, dict)
    try:
        text = known_text(value)
    except MalformedPlaceholder as e:
        yield RequestProblem("BF432", f"{subject(path)}: {e.summary}", path, e.hint)
        return
    [word] = value
    match shape.type:
        case "structure":
            yield _no_reference(path, "a mapping", f"write its members: {_first(shape.members)}")
        case "list" | "map" if word != "Get":
            yield _no_reference(path, _EXPECTED[shape.type], "here only a reference as a whole, {Get: …}, is taken")
        case "string":
            yield from text_problems(shape, text, path)
        case "list" | "map" | "integer" | "long" | "float" | "double" | "boolean" | "timestamp" | "unknown":
            pass
        case _:
            assert_never(shape.type)


def _no_reference(path: Path, expected: str, hint: str) -> RequestProblem:
    return RequestProblem("BF432", f"{subject(path)} is a reference, and the service takes {expected}", path, hint)


def _structure(
    shape: Shape, value: dict[object, object], path: Path, absent: frozenset[str]
) -> Iterator[RequestProblem]:
    if len(path) > MAX_DEPTH:
        yield RequestProblem("BF435", f"{subject(path)} is nested deeper than {MAX_DEPTH}", path, "nest it less")
        return
    meant: set[str] = set()
    for name, inner in value.items():
        if name in shape.members:
            assert isinstance(name, str)
            yield from _problems(shape.part(shape.members[name]), inner, (*path, name))
        else:
            meant.add(closest(str(name), shape.members) or "")
            yield _unknown_member(shape, str(name), path)
    yield from _missing(shape, {*value, *meant}, path, absent)


def _unknown_member(shape: Shape, name: str, path: Path) -> RequestProblem:
    summary = f"{subject(path)} has no member {shortened(name)!r}"
    return RequestProblem("BF430", summary, (*path, name), did_you_mean(name, shape.members, label="it takes"))


def _missing(shape: Shape, given: set[object], path: Path, absent: frozenset[str]) -> Iterator[RequestProblem]:
    for name in shape.required:
        if name not in given and name not in absent:
            kind = _EXPECTED.get(shape.part(shape.members[name]).type, "it")
            yield RequestProblem("BF431", f"{subject(path)} needs {name!r}", (*path, name), f"add it: {kind}")
    chosen = [name for name in shape.one_of if name in given]
    if shape.one_of and not chosen:
        yield RequestProblem("BF431", f"{subject(path)} needs one of {_first(shape.one_of)}", path, "add one of them")
    elif len(chosen) > 1:
        summary = f"{subject(path)} has both {chosen[0]!r} and {chosen[1]!r}, and the service takes one of them"
        yield RequestProblem("BF432", summary, (*path, chosen[1]), "leave one out")


def _map(shape: Shape, value: dict[object, object], path: Path) -> Iterator[RequestProblem]:
    yield from _size(shape, len(value), "entries", path)
    for key, inner in value.items():
        at = (*path, str(key))
        yield from _problems(shape.part(shape.key), key, at)
        yield from _problems(shape.part(shape.value), inner, at)


def _size(shape: Shape, number: int, what: str, path: Path) -> Iterator[RequestProblem]:
    if (bounds := _bounds(shape, number)) is not None:
        yield RequestProblem("BF435", f"{subject(path)} has {number} {what}", path, f"the service takes {bounds}")


def _number(shape: Shape, number: float, path: Path) -> Iterator[RequestProblem]:
    bits = BITS.get(shape.type)
    if isinstance(number, float) and not math.isfinite(number):
        yield RequestProblem(
            "BF432", f"{subject(path)} is {number}, which is no number in JSON", path, "write a number"
        )
    elif (bounds := _bounds(shape, number)) is not None:
        yield RequestProblem("BF435", f"{subject(path)} is {_digits(number)}", path, f"the service takes {bounds}")
    elif bits is not None and not -(2**bits) <= number < 2**bits:
        summary = f"{subject(path)} is {_digits(number)}"
        yield RequestProblem("BF435", summary, path, f"the service takes at most {2**bits - 1}")


def _digits(number: float) -> str:
    """Return *number* as text; Python refuses to write out an integer of thousands of digits."""
    return str(number) if isinstance(number, float) or number.bit_length() <= 64 else "a number of over 64 bits"


def _bounds(shape: Shape, number: float) -> str | None:
    """Return what is allowed, if *number* is not."""
    low, high = shape.low, shape.high
    if (low is None or number >= low) and (high is None or number <= high):
        return None
    if low is None or high is None:
        return f"at least {low}" if high is None else f"at most {high}"
    return str(low) if low == high else f"{low} to {high}"


def _wrong_type(shape: Shape, value: object, path: Path) -> RequestProblem:
    expected = _EXPECTED[shape.type]
    summary = f"{subject(path)} is {_kind(value)}, and the service takes {expected}"
    return RequestProblem("BF432", summary, path, _spelling(shape, value))


def _kind(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "a truth value"
        case int():
            return "a whole number"
        case float():
            return "a number"
        case str():
            return "a text"
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            return f"a {type(value).__name__}"


def _spelling(shape: Shape, value: object) -> str:
    """Return how *value* would be written right, when that can be told."""
    match shape.type, value:
        case _, None:
            return "leave it out, or give it a value"
        case "string", bool():
            return f"write {str(value).lower()!r} in quotes"
        case "string", int() | float():
            return f"write it in quotes: '{_digits(value)}'"
        case "boolean", str() if value.lower() in ("true", "false"):
            return f"write {value.lower()} without quotes"
        case (("integer" | "long" | "float" | "double"), str()) if value.isascii() and value.isdecimal():
            return f"write {shortened(value)} without quotes"
        case (("integer" | "long"), float()) if value.is_integer():
            return f"write {_digits(int(value))}"
        case "list", str() | int() | float():
            return "write a list: [first, second]"
        case "structure", _:
            return f"write its members: {_first(shape.members)}"
        case _:
            return f"write {_EXPECTED[shape.type]}"


def _first(names: Collection[str]) -> str:
    shown = ", ".join([*names][:6])
    return f"{shown}, …" if len(names) > 6 else shown
