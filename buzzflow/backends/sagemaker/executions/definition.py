"""Read a deployed pipeline definition: its parameters, its steps in order, and what each of them needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

# {"Get": "Steps.train.ModelArtifacts.S3ModelArtifacts"}; the same text as a value of a user is a literal elsewhere
_REFERENCE = re.compile(r"Steps\.([A-Za-z0-9_-]+)")
_BRANCHES = (("IfSteps", True), ("ElseSteps", False))
BODY = "ForEachBody"


@dataclass(frozen=True, slots=True)
class DefinedParameter:
    """A parameter as the definition has it; *type* is String, Integer, Float or Boolean."""

    name: str
    type: str
    default: str | float | None = None
    choices: tuple[str | float, ...] = ()


@dataclass(frozen=True, slots=True)
class DefinedStep:
    """A step of a definition. *inside* is the condition or foreach step that holds it, *taken* the condition's branch.

    *needs* are the steps that must be there before it: those it refers to, those it depends on, and the one it is in.
    """

    name: str
    type: str
    needs: frozenset[str] = frozenset()
    inside: str | None = None
    taken: bool | None = None
    depth: int = 0


@dataclass(frozen=True)
class Definition:
    """What is deployed: *steps* stand in its order, those of a branch right below their condition."""

    parameters: tuple[DefinedParameter, ...] = ()
    steps: tuple[DefinedStep, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, DefinedStep]:
        """The steps by name."""
        return {step.name: step for step in self.steps}

    def is_body(self, step: DefinedStep) -> bool:
        """Whether *step* is in the body of a foreach step, and so runs for many items, or none."""
        while step.inside is not None:
            if step.taken is None:
                return True
            step = self.by_name[step.inside]
        return False


def read_definition(text: str) -> Definition:
    """Return what the JSON *text* of a pipeline definition (version 2020-12-01) says."""
    data = json.loads(text)
    parameters = tuple(_parameter(p) for p in data.get("Parameters") or ())
    found = tuple(_steps(data.get("Steps") or (), None, taken=None, depth=0))
    names = frozenset(step.name for step in found)
    return Definition(parameters, tuple(_within(step, names) for step in found))


def _parameter(data: Mapping[str, Any]) -> DefinedParameter:
    return DefinedParameter(
        data["Name"], data.get("Type", "String"), data.get("DefaultValue"), tuple(data.get("EnumValues") or ())
    )


def _steps(
    steps: Iterable[Mapping[str, Any]], inside: str | None, *, taken: bool | None, depth: int
) -> Iterator[DefinedStep]:
    for data in steps:
        name, arguments = data["Name"], data.get("Arguments") or {}
        nested = [(key, branch) for key, branch in (*_BRANCHES, (BODY, None)) if _holds(data["Type"], key)]
        own = {key: value for key, value in arguments.items() if key not in [key for key, _ in nested]}
        rest = {key: value for key, value in data.items() if key not in ("Name", "Type", "Arguments", "DependsOn")}
        needs = {*_referred(own), *_referred(rest), *_ordered(data.get("DependsOn") or ())}
        needs |= {inside} if inside is not None else set()
        yield DefinedStep(name, data["Type"], frozenset(needs), inside, taken, depth)
        for key, branch in nested:
            yield from _steps(arguments.get(key) or (), name, taken=branch, depth=depth + 1)


def _holds(kind: str, key: str) -> bool:
    return kind == ("ForEach" if key == BODY else "Condition")


def _referred(value: Any) -> Iterator[str]:
    match value:
        case {"Get": str(path)} if match := _REFERENCE.match(path):
            yield match[1]
        case dict():
            for item in value.values():
                yield from _referred(item)
        case list():
            for item in value:
                yield from _referred(item)


def _ordered(depends_on: Iterable[Any]) -> Iterator[str]:
    """Yield the names in a `DependsOn`; one with a trigger is a mapping."""
    yield from (item["Step"] if isinstance(item, dict) else item for item in depends_on)


def _within(step: DefinedStep, names: frozenset[str]) -> DefinedStep:
    """Return *step* without needs that are no steps of the definition, nor itself."""
    needs = (step.needs & names) - {step.name}
    return DefinedStep(step.name, step.type, needs, step.inside, step.taken, step.depth)
