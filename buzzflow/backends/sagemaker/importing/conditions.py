"""Write the `Conditions` of a condition step as people do: `${json:evaluate.report.auc} >= 0.75`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from buzzflow.backends.sagemaker.importing.said import at
from buzzflow.backends.sagemaker.patch import is_reference

_OPERATORS = {
    "Equals": "==",
    "LessThan": "<",
    "LessThanOrEqualTo": "<=",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": ">=",
}
_MEMBERS = {"Equals": {"Type", "LeftValue", "RightValue"}, "In": {"Type", "QueryValue", "Values"}}
_WEAK, _STRONG = 0, 2  # how tightly a text holds together: or, and, all else


class Unwritable(Exception):
    """The language has no words for a condition."""


def condition_texts(
    conditions: Any, reference: Callable[[Any], str | None], escaped: Callable[[str], str]
) -> list[str] | None:
    """Return the texts of `if`, of which all must hold; None where the language has no words for them.

    *reference* writes a placeholder, *escaped* a literal.
    """
    if not isinstance(conditions, list) or not conditions:
        return None
    writer = _Writer(reference, escaped)
    try:
        return [writer.text(condition) for condition in conditions]
    except Unwritable:
        return None


class _Writer:
    def __init__(self, reference: Callable[[Any], str | None], escaped: Callable[[str], str]) -> None:
        self._reference, self._escaped = reference, escaped

    def text(self, condition: Any) -> str:
        return self._written(condition, nested=False)[0]

    def _written(self, condition: Any, *, nested: bool) -> tuple[str, int]:
        """Return the text, and how tightly it holds together."""
        match at(condition, "Type"):
            case "Or" if condition.keys() == {"Type", "Conditions"}:
                return self._any(condition["Conditions"]), _WEAK
            case "Not" if condition.keys() == {"Type", "Condition"}:
                return self._not(condition["Condition"], nested=nested)
            case "In" if condition.keys() == _MEMBERS["In"]:
                return f"{self._operand(condition['QueryValue'])} in {self._options(condition['Values'])}", _STRONG
            case str(kind) if kind in _OPERATORS and condition.keys() == _MEMBERS["Equals"]:
                left, right = self._operand(condition["LeftValue"]), self._operand(condition["RightValue"])
                return f"{left} {_OPERATORS[kind]} {right}", _STRONG
            case _:
                raise Unwritable

    def _any(self, conditions: Any) -> str:
        if not isinstance(conditions, list) or len(conditions) < 2:
            raise Unwritable
        return " or ".join(self._within(condition, _WEAK + 1) for condition in conditions)

    def _not(self, inner: Any, *, nested: bool) -> tuple[str, int]:
        if at(inner, "Type") == "Equals" and inner.keys() == _MEMBERS["Equals"]:
            return f"{self._operand(inner['LeftValue'])} != {self._operand(inner['RightValue'])}", _STRONG
        if at(inner, "Type") == "In" and inner.keys() == _MEMBERS["In"]:
            return f"{self._operand(inner['QueryValue'])} not in {self._options(inner['Values'])}", _STRONG
        if at(inner, "Type") == "Not":
            raise Unwritable  # the language knows no double negation
        parts = at(inner, "Conditions") if at(inner, "Type") == "Or" and nested else None
        if isinstance(parts, list) and len(parts) > 1 and all(at(part, "Type") == "Not" for part in parts):
            return " and ".join(self._within(part["Condition"], _STRONG) for part in parts), _STRONG - 1
        return f"not {self._within(inner, _STRONG)}", _STRONG

    def _within(self, condition: Any, wanted: int) -> str:
        text, strength = self._written(condition, nested=True)
        return text if strength >= wanted else f"({text})"

    def _options(self, values: Any) -> str:
        if not isinstance(values, list) or not values:
            raise Unwritable
        return f"[{', '.join(map(self._operand, values))}]"

    def _operand(self, value: Any) -> str:
        match value:
            case dict() if is_reference(value) and "Std:Join" not in value:
                if (written := self._reference(value)) is not None:
                    return written
            case bool():
                return str(value).lower()
            case int() | float() if math.isfinite(value):
                return repr(value)
            case str() if "'" not in value or '"' not in value:
                quote = '"' if "'" in value else "'"
                return f"{quote}{self._escaped(value)}{quote}"
        raise Unwritable
