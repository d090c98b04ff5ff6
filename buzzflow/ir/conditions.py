"""Conditions: comparisons of references and literals, joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from buzzflow.ir.values import Reference

Operand = Reference | str | int | float | bool
Operator = Literal["==", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`; `!=` is a `Not` around `==`."""

    operator: Operator
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether *value* is one of *options*."""

    value: Operand
    options: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when *test* is false."""

    test: Test


@dataclass(frozen=True, slots=True)
class All:
    """True when every test is: two at least, or none where a patch says the test."""

    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """True when a test is: two at least."""

    tests: tuple[Test, ...]


Test = Comparison | Membership | Not | All | Any
