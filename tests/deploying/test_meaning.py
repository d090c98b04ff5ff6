"""Two definitions are the same when they mean the same, whatever the order and form; and every other change shows."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow.backends.sagemaker.meaning import MISSING, changes, digest, normal, steps_of

GOLDENS = [*(Path(__file__).parents[1] / "goldens").glob("*/pipeline-definition.json")]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def shuffled(value, chance, key=""):
    """Return *value* with what has no order in another one."""
    match value:
        case dict():
            items = [(name, shuffled(part, chance, name)) for name, part in value.items()]
            chance.shuffle(items)
            return dict(items)
        case list():
            parts = [shuffled(part, chance) for part in value]
            named = parts and all(
                isinstance(p, dict) and ("InputName" in p or "Name" in p or "Key" in p) for p in parts
            )
            if key in ("Steps", "IfSteps", "ElseSteps", "ForEachBody", "DependsOn") or named:
                chance.shuffle(parts)
            return parts
        case _:
            return value


def test_there_are_goldens():
    assert len(GOLDENS) >= 4


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: path.parent.name)
def test_order_has_no_meaning(golden):
    data = json.loads(golden.read_text())
    for seed in range(5):
        assert digest(shuffled(data, random.Random(seed))) == digest(data)


def leaves(value, path=()):
    match value:
        case dict():
            for key, part in value.items():
                yield from leaves(part, (*path, key))
        case list():
            for i, part in enumerate(value):
                yield from leaves(part, (*path, i))
        case _ if path[-1:] != ("On",):  # between the values of a join, of which there may be one
            yield path


def changed(value, path):
    if not path:
        return f"{value}x"
    copy = dict(value) if isinstance(value, dict) else [*value]
    copy[path[0]] = changed(copy[path[0]], path[1:])
    return copy


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: path.parent.name)
def test_every_value_has_a_meaning(golden):
    data = json.loads(golden.read_text())
    before = digest(data)
    for path in leaves(data):
        assert digest(changed(data, path)) != before, path


@given(JSON)
def test_a_value_does_not_differ_from_itself(value):
    assert [*changes(normal(value), normal(value))] == []
    assert normal(normal(value)) == normal(value)


@given(JSON, JSON)
def test_what_differs_is_told(one, other):
    found = [*changes(normal(one), normal(other))]
    assert bool(found) == (digest({"Metadata": one}) != digest({"Metadata": other}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Std:Join": {"On": "/", "Values": ["s3:/", "b", "k"]}}, "s3://b/k"),
        (
            {"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Parameters.b"}, "k"]}},
            {"Std:Join": {"On": "", "Values": ["s3://", {"Get": "Parameters.b"}, "/k"]}},
        ),
        (
            {"Std:Join": {"On": "", "Values": ["a", {"Std:Join": {"On": "-", "Values": ["b", {"Get": "X"}]}}]}},
            {"Std:Join": {"On": "", "Values": ["ab-", {"Get": "X"}]}},
        ),
        ({"a": 1.0}, {"a": 1}),
        ({"DependsOn": ["b", "a"]}, {"DependsOn": ["a", "b"]}),
    ],
)
def test_other_forms_of_the_same(one, other):
    assert [*changes(normal(one), normal(other))] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": None}, {}),
        ({"a": True}, {"a": 1}),
        ({"a": "1"}, {"a": 1}),
        ({"Get": "X"}, {"Std:Join": {"On": "", "Values": [{"Get": "X"}]}}),
        ({"ContainerArguments": ["a", "b"]}, {"ContainerArguments": ["b", "a"]}),
    ],
)
def test_what_may_mean_something_else_differs(one, other):
    assert [*changes(normal(one), normal(other))] != []


def test_steps_are_found_wherever_they_stand():
    inner = {"Name": "c", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    condition = {"Name": "b", "Type": "Condition", "Arguments": {"Conditions": [], "IfSteps": [inner], "ElseSteps": []}}
    found = steps_of({"Steps": [condition]})
    assert {name: step.place for name, step in found.items()} == {"b": "", "c": "then b"}
    assert "IfSteps" not in found["b"].body["Arguments"]
    assert repr(MISSING) == "MISSING"
