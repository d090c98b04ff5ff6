"""Compare two pipeline definitions step by step, after what does not matter is made the same.

What is made the same, and nothing else:

- `Std:Join`: joins inside joins are dissolved, separators become literals, neighbouring literals one. A join of one
  literal is that literal; a join of one reference stays one, because it makes text of what it refers to.
- Lists whose members have a name are matched by it: steps, parameters, inputs, outputs, channels, tags, metrics.
- `DependsOn` and `ExceptionType` are sets.
- The order of an object's members.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

NAMES = ("Name", "InputName", "OutputName", "ChannelName", "Key", "PropertyFileName", "StepName", "ActionName")
SETS = ("DependsOn", "ExceptionType")
STEPS = ("Steps", "IfSteps", "ElseSteps", "ForEachBody")


class Absent:
    """Where one side has nothing."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the two say different things; *path* starts at the step, or at the definition."""

    case: str
    step: str
    place: str  # type of the step and path in it: `Training.Arguments.InputDataConfig[code]`
    sdk: object
    ours: object

    def __str__(self) -> str:
        return f"{self.case}, step {self.step!r}, {self.place}: SDK {self.sdk!r}, buzzflow {self.ours!r}"


def differences(case: str, sdk: Mapping[str, Any], ours: Mapping[str, Any]) -> list[Difference]:
    """Return every difference between two definitions, each at the outermost place where it shows."""
    return [*_Walk(case, "").between("Pipeline", normalised(sdk), normalised(ours))]


def normalised(value: Any) -> Any:
    """Return *value* with texts, named lists and sets in one form; named lists become objects by name."""
    match value:
        case {"Std:Join": {"On": str(separator), "Values": list(values)}}:
            return _text(separator, values)
        case dict():
            return {k: _set(v) if k in SETS else normalised(v) for k, v in value.items()}
        case [{}, *_] if (named := _by_name(value)) is not None:
            return named
        case list():
            return [normalised(item) for item in value]
        case _:
            return value


def _set(members: list[Any]) -> Any:
    return sorted((normalised(m) for m in members), key=str)


def _by_name(members: list[Any]) -> dict[str, Any] | None:
    """Return members by name, when each is an object with the same naming member and the names differ."""
    for naming in NAMES:
        if all(isinstance(m, dict) and isinstance(m.get(naming), str) for m in members):
            found = {f"[{m[naming]}]": normalised(m) for m in members}
            return found if len(found) == len(members) else None
    return None


def _text(separator: str, values: list[Any]) -> Any:
    parts: list[Any] = []
    for i, value in enumerate(values):
        for part in ([separator] if i else []) + _parts(normalised(value)):
            if isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts[-1] += part
            elif part != "":
                parts.append(part)
    literal = all(isinstance(part, str) for part in parts)
    return "".join(parts) if literal else {"Std:Join": parts}


def _parts(value: Any) -> list[Any]:
    match value:
        case {"Std:Join": list(parts)}:
            return parts
        case _:
            return [value]


class _Walk:
    def __init__(self, case: str, step: str) -> None:
        self.case, self.step = case, step

    def between(self, place: str, sdk: Any, ours: Any) -> Iterator[Difference]:
        """Yield what differs below *place*."""
        match sdk, ours:
            case dict(), dict() if "Std:Join" not in sdk and "Std:Join" not in ours:
                for key in dict.fromkeys((*sdk, *ours)):
                    yield from self._member(place, key, sdk.get(key, ABSENT), ours.get(key, ABSENT))
            case list(), list() if len(sdk) == len(ours):
                for i, (theirs, mine) in enumerate(zip(sdk, ours, strict=True)):
                    yield from self.between(f"{place}[{i}]", theirs, mine)
            case _ if not _same(sdk, ours):
                yield Difference(self.case, self.step, place, sdk, ours)

    def _member(self, place: str, key: str, sdk: Any, ours: Any) -> Iterator[Difference]:
        step_list = place.rpartition(".")[2] in STEPS and key.startswith("[")
        if step_list and isinstance(sdk, dict) and isinstance(ours, dict):
            yield from _Walk(self.case, key[1:-1]).between(str(sdk["Type"]), sdk, ours)
        else:
            yield from self.between(f"{place}{key}" if key.startswith("[") else f"{place}.{key}", sdk, ours)


def _same(sdk: Any, ours: Any) -> bool:
    """Whether both are the same JSON: true is not 1."""
    return isinstance(sdk, bool) == isinstance(ours, bool) and bool(sdk == ours)
