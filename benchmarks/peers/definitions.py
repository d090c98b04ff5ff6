"""Compare two pipeline definitions value by value, and sort what differs by its reason."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

NAMES = ("Name", "InputName", "OutputName", "ChannelName", "PropertyFileName")
WHOLE = ("ContainerEntrypoint", "ContainerArguments")  # lists without names: one value each
UNKNOWN = "no reason known"
ABSENT = "not there"


@dataclass(slots=True)
class Difference:
    """What two definitions have in common and what not: counts of values."""

    same: int = 0
    by_reason: Counter[str] = field(default_factory=Counter)
    unknown: list[str] = field(default_factory=list)
    steps: tuple[int, int] = (0, 0)


def compare(ours: str, theirs: str) -> Difference:
    """Compare the definitions; the order of keys and of named members says nothing, so it is left out."""
    here, there = dict(_values(json.loads(ours))), dict(_values(json.loads(theirs)))
    found = Difference(steps=(_steps(here), _steps(there)))
    for path in sorted({*here, *there}):
        mine, other = here.get(path, ABSENT), there.get(path, ABSENT)
        if mine == other:
            found.same += 1
            continue
        reason = _reason(path, mine, other)
        found.by_reason[reason] += 1
        if reason == UNKNOWN:
            found.unknown.append(f"{path}: {mine} | {other}")
    return found


def _reason(path: str, ours: Any, theirs: Any) -> str:
    """Say why the values differ; a reason holds only for exactly the difference that it explains."""
    inside = re.sub(r"^.*Arguments\.", "", path)
    if re.match(r"(ProcessingInputs|InputDataConfig)\.(code|sm_drivers)\.", inside):
        return "where the code lies, and a second input with the SDK's driver files"
    if re.fullmatch(r"(AppSpecification|AlgorithmSpecification)\.Container(Entrypoint|Arguments)", inside):
        return "how the code is started"
    if re.match(r"Environment\.(BUZZFLOW|SM)_", inside) and theirs == ABSENT:
        return "folders and names for the script; the SDK's drivers set such variables in the container"
    if re.search(r"\bEnable\w+$", inside) and (ours, theirs) == (False, ABSENT):
        return "buzzflow says false where it is the service's default"
    if inside.startswith("HyperParameters.") and ours == {"Std:Join": {"On": "", "Values": [theirs]}}:
        return "a number parameter as text: buzzflow joins it, the SDK refers to the number"
    if (path, theirs) == ("MlflowConfig", None):
        return "the SDK says null"
    return UNKNOWN


def _steps(values: Iterable[str]) -> int:
    return len({name for path in values for name in re.findall(r"Steps\.(\w+ [\w-]+)\.", path)})


def _values(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value with its path; a step is called by its type and name, a list's member by its name."""
    match data:
        case {"Get": _} | {"Std:Join": _} | {"Std:JsonGet": _}:
            yield path, data
        case dict() if data:
            for key, value in data.items():
                yield from _values(value, f"{path}.{key}" if path else key)
        case list() if data and not path.endswith(WHOLE) and all(isinstance(item, dict) for item in data):
            for position, item in enumerate(data):
                name = next((item[key] for key in NAMES if key in item), position)
                kind = f"{item['Type']} " if "Arguments" in item else ""
                yield from _values(item, f"{path}.{kind}{name}")
        case _:
            yield path, data
