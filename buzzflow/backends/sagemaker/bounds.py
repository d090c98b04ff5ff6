"""The most that a value can be before a run: what stands there, or the defaults and choices of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

from buzzflow import ir


class UnboundedError(Exception):
    """Nothing says how much a value is at most; the text tells why, as the end of a sentence."""


@dataclass(slots=True)
class Bounds:
    """Reads values of one step; *assumptions* collects what it had to take for granted."""

    parameters: Mapping[str, ir.Parameter]
    assumptions: list[str]

    def number(self, value: ir.Number, what: str) -> int:
        """Return the largest number that *value* can be; UnboundedError where only the run knows."""
        match value:
            case int():
                return value
            case ir.ParameterReference(parameter=name):
                numbers = [int(n) for n in self._options(name) if isinstance(n, int | float)]
                if not numbers:
                    raise UnboundedError(f"parameter {name!r} is no number")
                return max(numbers)
            case _:
                raise UnboundedError(f"its {what} is known only to the run")

    def dearest(self, value: ir.Value, price: Callable[[str], float | None]) -> str:
        """Return the dearest of what *value* can be; one whose *price* is unknown may be any, so it goes first."""
        return dearest(self._texts(value), price)

    def _texts(self, value: ir.Value) -> list[str]:
        match value:
            case str():
                return [value]
            case ir.ParameterReference(parameter=name):
                return [str(option) for option in self._options(name)]
            case ir.Text(parts=parts):
                return ["".join(words) for words in product(*(self._texts(part) for part in parts))]
            case _:
                raise UnboundedError("its instance type is known only to the run")

    def _options(self, name: str) -> tuple[str | int | float | bool, ...]:
        parameter = self.parameters[name]
        if parameter.choices:
            self._assume(f"parameter {name!r}: any of its {len(parameter.choices)} choices")
            return parameter.choices
        if parameter.default is None:
            raise UnboundedError(f"parameter {name!r} has no default and no choices")
        self._assume(f"parameter {name!r}: its default {parameter.default}")
        return (parameter.default,)

    def _assume(self, what: str) -> None:
        if what not in self.assumptions:
            self.assumptions.append(what)


def dearest(instances: list[str], price: Callable[[str], float | None]) -> str:
    """Return the dearest of *instances*, of which there is one at least; one of unknown price counts as dearest."""
    return max(instances, key=lambda name: float("inf") if (known := price(name)) is None else known)
