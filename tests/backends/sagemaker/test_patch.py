"""`arguments_patch` lies over a request as RFC 7396 says, and leaves references whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow import ir
from buzzflow.backends.sagemaker.difference import difference
from buzzflow.backends.sagemaker.patch import merge_patch, patched
from buzzflow.backends.sagemaker.scope import Scope
from buzzflow.backends.sagemaker.semantics import same

SCOPE = Scope(ir.Pipeline("p", ()))


def tree(value: object) -> ir.Tree:
    match value:
        case dict():
            return ir.Mapping(tuple((k, tree(v)) for k, v in value.items()))
        case list():
            return ir.Sequence(tuple(tree(v) for v in value))
        case _:
            return value  # type: ignore[return-value]  # scalars and references of the test


# the examples of RFC 7396, appendix A, whose target and patch are objects
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"a": "foo"}, {"a": {"b": {"c": None}}}, {"a": {"b": {}}}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_patch_merges_objects_and_replaces_all_else(target: dict, patch: dict, result: dict) -> None:
    assert patched(target, tree(patch), SCOPE) == result


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": 1}, {"a": {"=": None}}, {"a": None}),
        ({"a": {"b": 1}}, {"a": {"=": {"c": None}}}, {"a": {"c": None}}),
        ({}, {"a": {"=": {"=": 1}}}, {"a": {"=": 1}}),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": {"1": {"b": 3}}}, {"a": [{"b": 1}, {"b": 3}]}),
        ({"a": [{"b": 1}, {}]}, {"a": {"*": {"c": 0}, "0": {"b": None}}}, {"a": [{"c": 0}, {"c": 0}]}),
        ({"a": ["x", "y"]}, {"a": {"0": None}}, {"a": ["y"]}),
        ({"a": ["x"]}, {"a": {"5": "z"}}, {"a": ["x"]}),
        ({}, {"a": {"*": {"b": 1}}}, {}),
        ({}, {"a": {"0": "b"}}, {"a": {"0": "b"}}),
        ({"a": {"*": 1}}, {"a": {"0": "b"}}, {"a": {"*": 1, "0": "b"}}),
        ({"a": ["x"]}, {"a": {}}, {"a": {}}),
    ],
)
def test_a_patch_says_exactly_what_and_in_which_items(target: dict, patch: dict, result: dict) -> None:
    assert patched(target, tree(patch), SCOPE) == result


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "=", "*", "0", "1"]), inner, max_size=3)
        | st.just({"Get": "Parameters.p"})
    ),
    max_leaves=12,
)
_OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "=", "*", "0"]), _VALUES, max_size=3)


@given(have=_OBJECTS, wanted=_OBJECTS)
def test_the_difference_is_a_patch_that_makes_one_the_other(have: dict, wanted: dict) -> None:
    assert same(merge_patch(have, difference(have, wanted)), wanted)
    assert difference(wanted, wanted) == {}


def test_what_all_items_have_in_common_is_said_once() -> None:
    have = {"a": [{"b": 1}, {"b": 2}]}
    assert difference(have, {"a": [{"b": 1, "c": 0}, {"b": 2, "c": 0}]}) == {"a": {"*": {"c": 0}}}


def test_a_reference_replaces_and_is_replaced_whole() -> None:
    reference = ir.ParameterReference("p", ir.Kind.TEXT)
    assert patched({"a": {"b": 1}}, tree({"a": reference}), SCOPE) == {"a": {"Get": "Parameters.p"}}
    assert patched({"a": {"Get": "Parameters.p"}}, tree({"a": {"b": 1}}), SCOPE) == {"a": {"b": 1}}


def test_no_patch_changes_nothing() -> None:
    arguments = {"a": {"b": 1}}
    assert patched(arguments, None, SCOPE) is arguments


def test_the_request_that_is_patched_stays_as_it_was() -> None:
    arguments = {"a": {"b": 1}}
    patched(arguments, tree({"a": {"b": None}}), SCOPE)
    assert arguments == {"a": {"b": 1}}
