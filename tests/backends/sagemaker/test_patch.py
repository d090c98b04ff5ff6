"""`arguments_patch` lies over a request as RFC 7396 says, and leaves references whole."""

from __future__ import annotations

import pytest

from buzzflow import ir
from buzzflow.backends.sagemaker.patch import patched
from buzzflow.backends.sagemaker.scope import Scope

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
