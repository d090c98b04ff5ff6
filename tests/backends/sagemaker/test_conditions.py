"""A compiled condition is true exactly when the test of the IR is."""

import json

from hypothesis import given
from hypothesis import strategies as st

from buzzflow import ir
from buzzflow.backends.sagemaker.conditions import say_conditions

NAMES = ("a", "b", "c")
ORDERS = {
    "==": lambda x, y: x == y,
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
}
TYPES = {
    "Equals": "==",
    "LessThan": "<",
    "LessThanOrEqualTo": "<=",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": ">=",
}
operands = st.sampled_from([ir.ParameterReference(n, ir.Kind.NUMBER) for n in NAMES]) | st.integers(0, 3)
leaves = st.builds(ir.Comparison, st.sampled_from([*ORDERS]), operands, operands) | st.builds(
    ir.Membership, operands, st.lists(operands, min_size=1, max_size=3).map(tuple)
)


def _more(inner):
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(ir.Not, inner) | st.builds(ir.All, several) | st.builds(ir.Any, several)


tests = st.recursive(leaves, _more, max_leaves=12)


def meaning(test, values):
    def of(operand):
        return values[operand.parameter] if isinstance(operand, ir.ParameterReference) else operand

    match test:
        case ir.Comparison(operator=operator, left=left, right=right):
            return ORDERS[operator](of(left), of(right))
        case ir.Membership(value=value, options=options):
            return of(value) in [of(o) for o in options]
        case ir.Not(test=inner):
            return not meaning(inner, values)
        case ir.All(tests=inner):
            return all(meaning(t, values) for t in inner)
        case ir.Any(tests=inner):
            return any(meaning(t, values) for t in inner)


def service_meaning(condition, values):
    """Evaluate a condition as the Developer Guide describes the types."""

    def of(operand):
        return values[operand["Get"].removeprefix("Parameters.")] if isinstance(operand, dict) else operand

    match condition:
        case {"Type": "Not", "Condition": inner, **rest} if not rest:
            return not service_meaning(inner, values)
        case {"Type": "Or", "Conditions": inner, **rest} if not rest:
            return any(service_meaning(c, values) for c in inner)
        case {"Type": "In", "QueryValue": value, "Values": options, **rest} if not rest:
            return of(value) in [of(o) for o in options]
        case {"Type": kind, "LeftValue": left, "RightValue": right, **rest} if not rest:
            return ORDERS[TYPES[kind]](of(left), of(right))
    raise AssertionError(condition)


@given(tests, st.fixed_dictionaries({n: st.integers(0, 3) for n in NAMES}))
def test_a_compiled_condition_holds_exactly_when_the_test_does(test, values):
    conditions = say_conditions(test, {})
    assert all(service_meaning(c, values) for c in conditions) == meaning(test, values)


@given(tests)
def test_no_not_stands_directly_in_a_not(test):
    assert '{"Type": "Not", "Condition": {"Type": "Not"' not in json.dumps(say_conditions(test, {}))


def test_and_inside_or_is_a_not_of_or_of_nots():
    a, b, c = (ir.Comparison("==", ir.ParameterReference(n, ir.Kind.TEXT), "x") for n in NAMES)
    both = ir.All((a, ir.Not(b)))
    [condition] = say_conditions(ir.Any((both, c)), {})
    said = {t: say_conditions(t, {})[0] for t in (a, b, c)}
    negated = {"Type": "Or", "Conditions": [{"Type": "Not", "Condition": said[a]}, said[b]]}
    assert condition == {"Type": "Or", "Conditions": [{"Type": "Not", "Condition": negated}, said[c]]}
