"""Evaluate the plan's expressions with what the run knows so far."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, assert_never

from buzzflow.backends.local import plan
from buzzflow.backends.local.walls import read_some

MAX_REPORT = 1024 * 1024  # bytes of a JSON report: it holds figures, not data
Plain = str | int | float | bool
V = TypeVar("V")


class EvaluationError(Exception):
    """An expression has no value; the text says why, about the user's things."""


class Findings(Protocol):
    """What a step left, by step and name."""

    @property
    def addresses(self) -> Mapping[tuple[str, str], str]: ...  # noqa: D102
    @property
    def reports(self) -> Mapping[tuple[str, str], Path]: ...  # noqa: D102
    @property
    def properties(self) -> Mapping[tuple[str, str], Plain]: ...  # noqa: D102


@dataclass(slots=True)
class Known:
    """What a run knows: parameters, itself, and what finished steps left.

    *addresses* are of outputs, by step and name; *reports* files, by step and report; *properties* by step and word.
    """

    parameters: Mapping[str, Plain]
    run: Mapping[str, str]
    addresses: dict[tuple[str, str], str] = field(default_factory=dict)
    reports: dict[tuple[str, str], Path] = field(default_factory=dict)
    properties: dict[tuple[str, str], Plain] = field(default_factory=dict)
    find: Callable[[str], Path] | None = None  # where an address lies on this machine

    def learn(self, left: Findings) -> None:
        """Take note of what a step left."""
        self.addresses.update(left.addresses)
        self.reports.update(left.reports)
        self.properties.update(left.properties)


def text(expression: plan.Expression, known: Known) -> str:
    """Return the expression as text, the way the service writes numbers and truth values."""
    return as_text(value(expression, known))


def as_text(plain: Plain) -> str:
    """Return *plain* as text: `true`, not `True`."""
    return str(plain).lower() if isinstance(plain, bool) else str(plain)


def number(expression: plan.NumberExpression, known: Known) -> int:
    """Return a whole number."""
    found = value(expression, known)
    try:
        return int(found)
    except (ValueError, OverflowError):
        raise EvaluationError(f"{found!r} is no whole number") from None


def value(expression: plan.Scalar, known: Known) -> Plain:
    """Return the value of an expression; EvaluationError when it has none."""
    match expression:
        case str() | bool() | int() | float():
            return expression
        case plan.ParameterValue(name=name):
            return known.parameters[name]
        case plan.OutputAddress(step=step, name=name):
            return _found(known.addresses, (step, name), f"step {step!r} left no output {name!r}")
        case plan.StepProperty(step=step, word=word):
            return _found(known.properties, (step, word), f"step {step!r} left no {word!r}")
        case plan.ReportValue(step=step, report=report, path=path):
            file = _found(known.reports, (step, report), f"step {step!r} left no report {report!r}")
            return _in_report(file, path, f"report {report!r} of step {step!r}")
        case plan.StoredValue(uri=uri, path=path):
            address = text(uri, known)
            if known.find is None:
                raise EvaluationError(f"{address} cannot be read here")
            return _in_report(known.find(address), path, address)
        case plan.RunValue(field=name):
            return known.run[name]
        case plan.Join(parts=parts):
            return "".join(text(p, known) for p in parts)
        case plan.DescribePath(step=step, path=path):
            word = f"properties.{'.'.join(path)}"
            return _found(known.properties, (step, word), f"{word} of step {step!r} exists on the service only")
        case plan.ItemValue():
            raise EvaluationError("there is an item only in the steps that a foreach runs")
        case _:
            assert_never(expression)


def _found(table: Mapping[tuple[str, str], V], key: tuple[str, str], missing: str) -> V:
    if key not in table:
        raise EvaluationError(missing)
    return table[key]


def items(expression: plan.Expression, known: Known) -> list[Any]:
    """Return the items of a list, which is JSON text."""
    given = text(expression, known)
    try:
        found = json.loads(given)
    except (ValueError, RecursionError):
        raise EvaluationError(f"{given[:60]!r} is no JSON list of items") from None
    if not isinstance(found, list):
        raise EvaluationError(f"the items are no list: {given[:60]}")
    return found


def _in_report(file: Path, path: list[str], what: str) -> Plain:
    try:
        content = read_some(file, MAX_REPORT + 1)
        if len(content) > MAX_REPORT:
            raise EvaluationError(f"{what} is larger than {MAX_REPORT // 1024} KiB")
        here = json.loads(content)
    except FileNotFoundError:
        raise EvaluationError(f"{what} was not written: there is no {file.name} in the output") from None
    except OSError as e:
        raise EvaluationError(f"{what} cannot be read: {e}") from None
    except (ValueError, RecursionError) as e:  # no UTF-8, no JSON, or a number of too many digits
        raise EvaluationError(f"{what} is no JSON: {e}") from None
    for i, part in enumerate(path):
        if isinstance(here, dict) and part in here:
            here = here[part]
        elif isinstance(here, list) and re.fullmatch("[0-9]{1,9}", part) and int(part) < len(here):
            here = here[int(part)]
        else:
            names = f"; it has {', '.join(map(str, list(here)[:8]))}" if isinstance(here, dict) and here else ""
            raise EvaluationError(f"{what} has no value {'.'.join(path[: i + 1])}{names}")
    if not isinstance(here, str | int | float | bool):
        raise EvaluationError(f"{'.'.join(path)} in {what} is no single value")
    if isinstance(here, float) and not math.isfinite(here):
        raise EvaluationError(f"{'.'.join(path)} in {what} is {here}, which is no number to compare or pass on")
    return here


# ------------------------------------------------------------------ conditions

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def holds(test: plan.Test, known: Known) -> bool:
    """Whether *test* is true; all of it is evaluated, so that a missing value is always told."""
    match test:
        case plan.Compare(operator=operator, left=left, right=right):
            return _compare(operator, value(left, known), value(right, known))
        case plan.Member(value=one, options=options):
            wanted = value(one, known)
            return True in [_equal(wanted, value(o, known)) for o in options]
        case plan.Negation(of=inner):
            return not holds(inner, known)
        case plan.Every(of=tests):
            return False not in [holds(t, known) for t in tests]
        case plan.Some(of=tests):
            return True in [holds(t, known) for t in tests]
        case _:
            assert_never(test)


def _compare(operator: str, left: Plain, right: Plain) -> bool:
    if operator == "==":
        return _equal(left, right)
    for side in (left, right):
        if isinstance(side, str | bool):
            raise EvaluationError(f"{operator} compares numbers, and {side!r} is none")
    return _COMPARE[operator](left, right)  # type: ignore[arg-type]  # the lines above let only numbers pass


def _equal(left: Plain, right: Plain) -> bool:
    """Equal values of one kind: the text `1` is not the number 1, and true is not 1."""
    if isinstance(left, str) != isinstance(right, str) or isinstance(left, bool) != isinstance(right, bool):
        return False
    return left == right


def shown(test: plan.Test, known: Known) -> str:
    """Return *test* with its values, for people: `0.93 >= 0.75`."""
    match test:
        case plan.Compare(operator=operator, left=left, right=right):
            return f"{_shown(value(left, known))} {operator} {_shown(value(right, known))}"
        case plan.Member(value=one, options=options):
            return f"{_shown(value(one, known))} in [{', '.join(_shown(value(o, known)) for o in options)}]"
        case plan.Negation(of=plan.Compare(operator="==", left=left, right=right)):
            return f"{_shown(value(left, known))} != {_shown(value(right, known))}"
        case plan.Negation(of=inner):
            return f"not ({shown(inner, known)})"
        case plan.Every(of=tests):
            return " and ".join(_grouped(t, known) for t in tests)
        case plan.Some(of=tests):
            return " or ".join(_grouped(t, known) for t in tests)
        case _:
            assert_never(test)


def _grouped(test: plan.Test, known: Known) -> str:
    told = shown(test, known)
    return f"({told})" if isinstance(test, plan.Every | plan.Some) else told


def _shown(plain: Plain) -> str:
    if isinstance(plain, float):
        return f"{plain:.4g}"
    return repr(plain) if isinstance(plain, str) else as_text(plain)
