"""Say a test of the IR as the `Conditions` of a condition step, of which all must hold.

The service has Equals, the four orders, In, Not and Or, and no And: inside Or and Not, `a and b` is
Not(Or(Not a, Not b)). Spelled as the SageMaker Python SDK 3.27 does (`sagemaker.mlops.workflow.conditions`).
"""

from __future__ import annotations

from typing import assert_never

from buzzflow import ir
from buzzflow.backends.sagemaker.text import Object, Steps, say

_TYPES: dict[ir.Operator, str] = {
    "==": "Equals",
    "<": "LessThan",
    "<=": "LessThanOrEqualTo",
    ">": "GreaterThan",
    ">=": "GreaterThanOrEqualTo",
}


def say_conditions(test: ir.Test, steps: Steps) -> list[Object]:
    """Return the list that holds when *test* does."""
    match test:
        case ir.All(tests=tests):
            return [condition for inner in tests for condition in say_conditions(inner, steps)]
        case ir.Not(test=ir.Not(test=inner)):
            return say_conditions(inner, steps)
        case _:
            return [_condition(test, steps)]


def _condition(test: ir.Test, steps: Steps) -> Object:
    match test:
        case ir.Comparison(operator=operator, left=left, right=right):
            return {"Type": _TYPES[operator], "LeftValue": say(left, steps), "RightValue": say(right, steps)}
        case ir.Membership(value=value, options=options):
            return {"Type": "In", "QueryValue": say(value, steps), "Values": [say(o, steps) for o in options]}
        case ir.Not(test=inner):
            return _negation(inner, steps)
        case ir.Any(tests=tests):
            return {"Type": "Or", "Conditions": [_condition(inner, steps) for inner in tests]}
        case ir.All(tests=tests):
            return {"Type": "Not", "Condition": _any_fails(tests, steps)}
        case _:
            assert_never(test)


def _negation(test: ir.Test, steps: Steps) -> Object:
    match test:
        case ir.Not(test=inner):
            return _condition(inner, steps)
        case ir.All(tests=tests):
            return _any_fails(tests, steps)
        case _:
            return {"Type": "Not", "Condition": _condition(test, steps)}


def _any_fails(tests: tuple[ir.Test, ...], steps: Steps) -> Object:
    return {"Type": "Or", "Conditions": [_negation(inner, steps) for inner in tests]}
