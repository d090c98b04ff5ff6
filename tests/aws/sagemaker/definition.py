"""What a pipeline definition says: its parameters, its steps and what each waits for; checked as strictly as can be.

Format: "Pipeline definition JSON schema" of SageMaker Pipelines, version 2020-12-01.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from tests.aws.errors import ServiceError

_STEP_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
_REFERENCE = re.compile(r"Steps\.([A-Za-z0-9\-_]+)")
_TYPES = frozenset({"String", "Integer", "Float", "Boolean"})
_WITHOUT_ARGUMENTS = frozenset({"Lambda", "Callback"})


@dataclass(frozen=True)
class Step:
    """One step; *branch* names the condition and the outcome under which it runs."""

    name: str
    type: str
    data: dict[str, Any] = field(repr=False)
    needs: frozenset[str] = frozenset()
    branch: tuple[str, bool] | None = None


@dataclass(frozen=True)
class Definition:
    """A definition that the service takes; *steps* stand in an order in which each comes after what it needs."""

    parameters: dict[str, dict[str, Any]]
    steps: dict[str, Step]


def read(text: str) -> Definition:
    """Return what *text* defines, or raise the ValidationException that it meets."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as e:
        raise _refused(f"{e.msg} at line {e.lineno}, column {e.colno}") from e
    if not isinstance(data, dict):
        raise _refused("Expecting start of Json Object")
    if data.get("Version") != "2020-12-01":
        raise _refused(f"Version {data.get('Version')!r} is not supported")
    if not isinstance(data.get("Steps"), list) or not data["Steps"]:
        raise _refused("Expecting at least one step in Steps")
    parameters = _parameters(data.get("Parameters", []))
    found = [*_steps(data["Steps"], None)]
    names = [step.name for step in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise _refused(f"Step names must be unique; found more than once: {', '.join(twice)}")
    steps = {step.name: step for step in found}
    _check_references(data["Steps"], steps, parameters)
    return Definition(parameters, {name: steps[name] for name in _order(steps)})


def _parameters(found: Any) -> dict[str, dict[str, Any]]:
    parameters: dict[str, dict[str, Any]] = {}
    for parameter in found if isinstance(found, list) else [found]:
        if not isinstance(parameter, dict) or not parameter.get("Name") or parameter.get("Type") not in _TYPES:
            raise _refused(f"Parameter {json.dumps(parameter)} needs a Name and a Type of {', '.join(sorted(_TYPES))}")
        if parameter["Name"] in parameters:
            raise _refused(f"Parameter names must be unique; found more than once: {parameter['Name']}")
        parameters[parameter["Name"]] = parameter
    return parameters


def _steps(found: list[Any], branch: tuple[str, bool] | None) -> Iterator[Step]:
    for data in found:
        name, kind = (data.get("Name"), data.get("Type")) if isinstance(data, dict) else (None, None)
        if not isinstance(name, str) or not _STEP_NAME.fullmatch(name) or not isinstance(kind, str):
            raise _refused(f"Step {json.dumps(data)[:100]} needs a Type, and a Name of {_STEP_NAME.pattern}")
        if kind not in _WITHOUT_ARGUMENTS and not isinstance(data.get("Arguments"), dict):
            raise _refused(f"Step {name} has no Arguments")
        inner = {key: data["Arguments"].pop(key, []) for key in ("IfSteps", "ElseSteps")} if kind == "Condition" else {}
        needs = _needed(data) | ({branch[0]} if branch else set())
        yield Step(name, kind, data, frozenset(needs), branch)
        for key, steps in inner.items():
            yield from _steps(steps, (name, key == "IfSteps"))


def _needed(data: dict[str, Any]) -> set[str]:
    ordered = {d["Step"] if isinstance(d, dict) else d for d in data.get("DependsOn", [])}
    return ordered | {name for text in _gets(data) for name in _REFERENCE.findall(text)} | {*_of_files(data)}


def _gets(data: Any) -> Iterator[str]:
    """Yield the path of each {"Get": …} in *data*."""
    match data:
        case {"Get": str(path)} if len(data) == 1:
            yield path
        case dict():
            for item in data.values():
                yield from _gets(item)
        case list():
            for item in data:
                yield from _gets(item)


def _of_files(data: Any) -> Iterator[str]:
    """Yield the step whose property file a {"Std:JsonGet": …} reads."""
    match data:
        case {"Std:JsonGet": {"PropertyFile": {"Get": str(path)}}}:
            yield path.split(".")[1]
        case dict():
            for item in data.values():
                yield from _of_files(item)
        case list():
            for item in data:
                yield from _of_files(item)


def _check_references(data: list[Any], steps: dict[str, Step], parameters: dict[str, Any]) -> None:
    for step in steps.values():
        if unknown := sorted(step.needs - steps.keys()):
            raise _refused(f"Step {step.name} refers to the unknown step {unknown[0]}")
        for path in _gets(step.data):
            kind, _, name = path.partition(".")
            if kind == "Parameters" and name not in parameters:
                raise _refused(f"Step {step.name} refers to the unknown parameter {name}")


def _order(steps: dict[str, Step]) -> list[str]:
    try:
        return [*TopologicalSorter({name: sorted(step.needs) for name, step in steps.items()}).static_order()]
    except CycleError as e:
        raise _refused(f"Steps wait for each other: {' -> '.join(reversed(e.args[1]))}") from e


def _refused(reason: str) -> ServiceError:
    return ServiceError("ValidationException", f"Unable to parse pipeline definition. {reason}.")
