"""Which steps run together: the rules, and what holds for every pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow.backends.sagemaker.executions.definition import DefinedStep, Definition, read_definition
from buzzflow.backends.sagemaker.executions.selection import after, connected, legal, problems, selectable

Steps = Callable[..., dict[str, Any]]
Defined = Callable[..., Definition]


@pytest.fixture
def abalone(a_definition: Defined, a_step: Steps) -> Definition:
    """The example of the Developer Guide: process, train, evaluate, and a condition with two branches."""
    branches = {
        "IfSteps": [a_step("register", "evaluate", kind="RegisterModel"), a_step("create", kind="Model")],
        "ElseSteps": [a_step("reject", kind="Fail")],
    }
    return a_definition(
        a_step("process"),
        a_step("train", "process", kind="Training"),
        a_step("evaluate", "train", "process"),
        a_step("condition", "evaluate", kind="Condition", **branches),
    )


def test_neighbours_are_legal_with_the_results_of_what_is_before_them(abalone: Definition) -> None:
    assert problems(abalone, ["train", "evaluate"], ["process"]) == ()


def test_a_step_on_a_path_between_two_selected_ones_is_lacking(abalone: Definition) -> None:
    assert legal(abalone, ["train", "condition"], ["process"]) == ("train", "evaluate", "condition")
    [lacking] = problems(abalone, ["train", "condition"], ["process", "evaluate"])
    assert (lacking.step, lacking.because) == ("evaluate", "lies on a path between two of them")


def test_a_needed_step_that_did_not_succeed_is_lacking(abalone: Definition) -> None:
    assert legal(abalone, ["evaluate"], ["process"]) == ("train", "evaluate")
    assert legal(abalone, ["evaluate"], []) == ("process", "train", "evaluate")


def test_a_step_of_a_branch_comes_with_its_condition(abalone: Definition) -> None:
    succeeded = ["process", "train", "evaluate", "condition"]
    assert legal(abalone, ["register"], succeeded) == ("condition", "register")
    assert [p.because for p in problems(abalone, ["register"], succeeded)] == ["decides whether register runs"]


def test_what_comes_after_a_step_has_both_branches(abalone: Definition) -> None:
    assert after(abalone, ["evaluate"]) == ("evaluate", "condition", "register", "create", "reject")


def test_the_body_of_a_foreach_is_selected_by_its_foreach(a_definition: Defined, a_step: Steps) -> None:
    body = [a_step("score", "prepare"), a_step("store", "score")]
    definition = a_definition(
        a_step("prepare"), a_step("each", kind="ForEach", ForEachBody=body), a_step("report", "each")
    )
    assert selectable(definition, ["store"]) == ("each",)
    assert legal(definition, ["score", "report"], ["prepare"]) == ("each", "report")
    assert legal(definition, ["each"], []) == ("prepare", "each")
    assert after(definition, ["prepare"]) == ("prepare", "each", "report")


def test_parts_are_connected_by_a_shortest_way(a_definition: Defined, a_step: Steps) -> None:
    definition = a_definition(
        a_step("data"), a_step("left", "data"), a_step("right", "data"), a_step("join", "left", "right")
    )
    whole = legal(definition, ["left", "right"], ["data"])
    assert len(whole) == 3
    assert {"left", "right"} < {*whole}
    assert connected(definition, whole)


def test_steps_that_share_nothing_are_never_connected(a_definition: Defined, a_step: Steps) -> None:
    definition = a_definition(a_step("one"), a_step("other"))
    assert legal(definition, ["one", "other"], []) == ("one", "other")
    assert not connected(definition, ["one", "other"])


# ------------------------------------------------------------------ properties


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Pipelines of up to eleven steps; conditions and foreach steps hold the next one or two of them."""
    count = draw(st.integers(1, 10))
    top: list[dict[str, Any]] = []
    index = 0
    while index < count:
        before = [f"s{i}" for i in range(index)]
        kind = draw(st.sampled_from(["Processing", "Processing", "Condition", "ForEach"]))
        outside = [step["Name"] for step in top]
        needs = draw(st.lists(st.sampled_from(outside), unique=True, max_size=3)) if outside else []
        step: dict[str, Any] = {"Name": f"s{index}", "Type": kind, "Arguments": {}, "DependsOn": needs}
        held = draw(st.integers(1, 2)) if kind != "Processing" else 0
        keys = ["ForEachBody"] if kind == "ForEach" else ["IfSteps", "ElseSteps"]
        for _ in range(held):
            index += 1
            inner = draw(st.lists(st.sampled_from(before), unique=True, max_size=2)) if before else []
            inner = [name for name in inner if name in outside]
            found = {"Name": f"s{index}", "Type": "Processing", "Arguments": {}, "DependsOn": inner}
            step["Arguments"].setdefault(draw(st.sampled_from(keys)), []).append(found)
        top.append(step)
        index += 1
    return read_definition(json.dumps({"Steps": top}))


def _ancestors(definition: Definition, name: str) -> set[str]:
    """Return what *name* comes after, told anew from the definition: a foreach needs what its body needs."""
    owner = {s.name: s.inside if s.inside and s.taken is None else s.name for s in definition.steps}
    graph: dict[str, set[str]] = {}
    for step in definition.steps:
        graph.setdefault(owner[step.name], set()).update(owner[n] for n in step.needs if owner[n] != owner[step.name])
    found: set[str] = set()
    todo = [name]
    while todo:
        for need in graph[todo.pop()] - found:
            found.add(need)
            todo.append(need)
    return found


def _breaks_no_rule(definition: Definition, chosen: Collection[str], succeeded: Collection[str]) -> bool:
    above = {step.name: _ancestors(definition, step.name) for step in definition.steps if not _is_body(step)}
    for step in definition.steps:
        owner = step.inside if step.inside is not None and _is_body(step) else step.name
        if owner in chosen and step.taken is not None and step.inside not in chosen:
            return False
        if owner in chosen and any(need not in chosen and need not in succeeded for need in step.needs - {owner}):
            return False
        between = any(owner in above[low] for low in chosen) and any(high in above[owner] for high in chosen)
        if between and owner not in chosen:
            return False
    return True


def _is_body(step: DefinedStep) -> bool:
    return step.inside is not None and step.taken is None


@given(definitions(), st.data())
def test_a_legal_set_breaks_no_rule_and_holds_what_was_wanted(definition: Definition, data: st.DataObject) -> None:
    names = [step.name for step in definition.steps]
    wanted = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    succeeded = data.draw(st.lists(st.sampled_from(names), unique=True))
    whole = legal(definition, wanted, succeeded)
    bodies = {s.name for s in definition.steps if _is_body(s)}
    assert {*selectable(definition, wanted)} <= {*whole}
    assert not {*whole} & bodies
    assert _breaks_no_rule(definition, whole, {*succeeded} | bodies)
    assert problems(definition, whole, succeeded) == ()
    assert legal(definition, whole, succeeded) == whole
    assert [*whole] == [name for name in names if name in whole]


@given(definitions(), st.data())
def test_no_smaller_legal_set_holds_a_single_step(definition: Definition, data: st.DataObject) -> None:
    """One step hangs together, so every step that is added is needed by a rule without choice."""
    names = [step.name for step in definition.steps]
    succeeded = {*data.draw(st.lists(st.sampled_from(names), unique=True))}
    [wanted] = selectable(definition, [data.draw(st.sampled_from(names))])
    bodies = {s.name for s in definition.steps if _is_body(s)}
    whole = {*legal(definition, [wanted], succeeded)}
    for name in whole - {wanted}:
        assert not _breaks_no_rule(definition, whole - {name}, succeeded | bodies)


@given(definitions(), st.data())
def test_all_that_comes_after_a_step_is_connected(definition: Definition, data: st.DataObject) -> None:
    names = [step.name for step in definition.steps]
    first = data.draw(st.sampled_from(names))
    whole = after(definition, [first])
    assert connected(definition, whole)
    assert legal(definition, whole, names) == whole or any(
        definition.by_name[name].inside not in (None, *whole) for name in whole
    )
