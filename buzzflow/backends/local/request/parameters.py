"""The parameters of a run: text that a caller gives, as the values that the plan declares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from buzzflow.backends.local import plan
from buzzflow.backends.local.evaluate import Plain
from buzzflow.diagnostics import Diagnostic, did_you_mean


def values_of(
    parameters: Sequence[plan.Parameter], given: Mapping[str, str]
) -> tuple[dict[str, Plain], list[Diagnostic]]:
    """Return the value of each parameter, *given* as text or its default, and what is wrong with those given."""
    declared = {p.name: p for p in parameters}
    problems = [
        Diagnostic("BF500", f"there is no parameter {name!r}", hint=did_you_mean(name, declared, label="parameters"))
        for name in given
        if name not in declared
    ]
    values: dict[str, Plain] = {}
    for name, parameter in declared.items():
        if name in given:
            try:
                values[name] = _typed(given[name], parameter)
            except ValueError as e:
                problems.append(Diagnostic("BF500", f"--param {name}: {e}", ("parameters", name)))
        elif parameter.default is not None:
            values[name] = parameter.default
        else:
            hint = f"give it: --param {name}=…, or a default in the file"
            problems.append(Diagnostic("BF500", f"parameter {name!r} has no value", ("parameters", name), hint))
    return values, problems


def _typed(given: str, parameter: plan.Parameter) -> Plain:
    value: Plain = given
    match parameter.type:
        case "integer":
            value = _convert(int, given, "a whole number")
        case "float":
            value = _convert(float, given, "a number")
        case "boolean":
            if given.lower() not in ("true", "false"):
                raise ValueError(f"{given!r} is not true or false")
            value = given.lower() == "true"
        case "string":
            pass
    if parameter.choices and value not in parameter.choices:
        raise ValueError(f"{given!r} is not among its choices: {', '.join(map(str, parameter.choices))}")
    return value


def _convert(kind: type[int] | type[float], given: str, wanted: str) -> int | float:
    try:
        found = kind(given)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):  # the service takes no nan either, and JSON has none
        raise ValueError(f"{given!r} is not {wanted}")
    return found
