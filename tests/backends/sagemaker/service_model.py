"""Validate a step's arguments against botocore's service model: members, types, enums, patterns, limits.

botocore's own validator takes no references, and ignores enums, patterns and upper limits.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.loaders
import botocore.model

REQUESTS = {
    "Processing": ("CreateProcessingJob", "ProcessingJobName"),
    "Training": ("CreateTrainingJob", "TrainingJobName"),
}
RESPONSES = {"Processing": "DescribeProcessingJob", "Training": "DescribeTrainingJob"}
REFERENCES = ({"Get"}, {"Std:Join"}, {"Std:JsonGet"})
PART = re.compile(r"\.?([A-Za-z0-9_]+)|\['([^']+)'\]|\[(\d+)\]")


@cache
def service() -> botocore.model.ServiceModel:
    description = botocore.loaders.create_loader().load_service_model("sagemaker", "service-2")
    return botocore.model.ServiceModel(description, "sagemaker")


def steps_of(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every step, those in branches too."""
    waiting = [*definition["Steps"]]
    while waiting:
        step = waiting.pop(0)
        yield step
        if step["Type"] == "Condition":
            waiting += [*step["Arguments"]["IfSteps"], *step["Arguments"]["ElseSteps"]]


def issues(definition: dict[str, Any]) -> list[str]:
    """Return what the service would refuse in the arguments of jobs, and references to nothing."""
    types = {step["Name"]: step["Type"] for step in steps_of(definition)}
    found = []
    for step in steps_of(definition):
        if step["Type"] in REQUESTS:
            operation, name = REQUESTS[step["Type"]]
            shape = service().operation_model(operation).input_shape
            found += _problems(shape, {name: "x", **step["Arguments"]}, step["Name"])
        found += [problem for path in gets(step["Arguments"]) if (problem := _reference(path, types))]
    return found


def gets(value: Any) -> Iterator[str]:
    """Yield the path of every reference in *value*."""
    match value:
        case {"Get": str(path)}:
            yield path
        case dict():
            for inner in value.values():
                yield from gets(inner)
        case list():
            for inner in value:
                yield from gets(inner)


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict) and set(value) in REFERENCES:
        if shape.type_name in ("structure", "map", "list"):
            yield f"{path}: a reference where a {shape.type_name} belongs"
        return
    match shape.type_name, value:
        case "structure", dict():
            yield from (f"{path}: no {member}" for member in shape.required_members if member not in value)
            for name, inner in value.items():
                if name in shape.members:
                    yield from _problems(shape.members[name], inner, f"{path}.{name}")
                else:
                    yield f"{path}: unknown member {name}"
        case "list", list():
            yield from _limits(shape, len(value), path)
            for i, inner in enumerate(value):
                yield from _problems(shape.member, inner, f"{path}[{i}]")
        case "map", dict():
            yield from _limits(shape, len(value), path)
            for name, inner in value.items():
                yield from _problems(shape.key, name, f"{path} key {name!r}")
                yield from _problems(shape.value, inner, f"{path}.{name}")
        case "string", str():
            yield from _limits(shape, len(value), path)
            if shape.enum and value not in shape.enum:
                yield f"{path}: {value!r} is not in the enum"
            pattern = shape.metadata.get("pattern")
            if pattern and "\\p{" not in pattern and not re.fullmatch(pattern, value):
                yield f"{path}: {value!r} does not match {pattern}"
        case (("integer" | "long"), int()) if not isinstance(value, bool):
            yield from _limits(shape, value, path)
        case (("float" | "double"), int() | float()) if not isinstance(value, bool):
            yield from _limits(shape, value, path)
        case "boolean", bool():
            pass
        case _:
            yield f"{path}: {value!r} is no {shape.type_name}"


def _limits(shape: Any, number: float, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and number < low) or (high is not None and number > high):
        yield f"{path}: {number} is outside of {low} to {high}"


def _reference(path: str, types: dict[str, str]) -> str | None:
    if not path.startswith("Steps."):
        return None
    _, step, rest = path.split(".", 2)
    if step not in types:
        return f"{path}: no such step"
    if types[step] not in RESPONSES or rest.startswith("PropertyFiles."):
        return None
    shape: Any = service().operation_model(RESPONSES[types[step]]).output_shape
    for name, key, index in PART.findall(rest):
        if name and (shape.type_name != "structure" or name not in shape.members):
            return f"{path}: {shape.name} has no {name}"
        if not name and shape.type_name not in ("list", "map"):
            return f"{path}: {shape.name} has no {key or index}"
        shape = shape.members[name] if name else shape.member if shape.type_name == "list" else shape.value
    return None
