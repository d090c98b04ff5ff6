"""Check the values that a run is started with against the parameters of the deployed definition. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from buzzflow.backends.sagemaker.executions.definition import DefinedParameter, Definition
from buzzflow.diagnostics import Diagnostic, PipelineError, did_you_mean

MAX_VALUE = 1024  # the service's String1024
_KINDS = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}


def checked_parameters(
    definition: Definition, given: Mapping[str, object], *, reused: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return each value of *given* as the text that the service takes; PipelineError tells all that is wrong.

    *reused* are the values of an earlier run: they stand in for what is not given, where the parameter still exists.
    """
    known = {parameter.name: parameter for parameter in definition.parameters}
    problems = [*_unknown(known, given)]
    found = {name: text for name, text in (reused or {}).items() if name in known and name not in given}
    for name, parameter in known.items():
        if name in given:
            try:
                found[name] = _text(parameter, given[name])
            except ValueError as e:
                hint = f"choose one: {', '.join(map(_shown, parameter.choices))}" if parameter.choices else None
                problems.append(Diagnostic("BF633", f"parameter {name!r}: {e}", hint=hint))
        elif parameter.default is None and name not in found:
            summary = f"parameter {name!r} of the deployed pipeline has no value"
            problems.append(Diagnostic("BF633", summary, hint=f"give it: --param {name}=…"))
    if problems:
        raise PipelineError(problems)
    return found


def _unknown(known: Mapping[str, DefinedParameter], given: Mapping[str, object]) -> Iterator[Diagnostic]:
    for name in given:
        if name not in known:
            summary = f"the deployed pipeline has no parameter {name!r}"
            hint = did_you_mean(name, known, label="its parameters") or "it has none"
            yield Diagnostic("BF633", summary, hint=hint)


def _text(parameter: DefinedParameter, value: object) -> str:
    """Return *value* as text; ValueError says why the parameter cannot have it."""
    text = _shown(value)
    match parameter.type:
        case "Integer":
            comparable: object = _number(int, text)
        case "Float":
            comparable = _number(float, text)
        case "Boolean":
            text = text.lower()
            if text not in ("true", "false"):
                raise ValueError(f"{text!r} is not {_KINDS['Boolean']}")
            comparable = text == "true"
        case _:
            comparable = text
    if len(text) > MAX_VALUE:
        raise ValueError(f"{len(text):,} characters are more than the {MAX_VALUE:,} that SageMaker takes")
    if parameter.choices and comparable not in parameter.choices:
        raise ValueError(f"{text!r} is not among its choices")
    return text


def _number(kind: type[int] | type[float], text: str) -> int | float:
    try:
        found = kind(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise ValueError(f"{text!r} is not {_KINDS['Integer' if kind is int else 'Float']}")
    return found


def _shown(value: object) -> str:
    """Return *value* as the service spells it: true, not True."""
    return str(value).lower() if isinstance(value, bool) else str(value)
