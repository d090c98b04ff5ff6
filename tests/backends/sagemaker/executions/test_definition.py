"""What is deployed, read back: buzzflow's own definitions, and those of others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from buzzflow.backends.sagemaker.executions.definition import DefinedParameter, Definition, read_definition
from buzzflow.backends.sagemaker.executions.progress import State, snapshot
from buzzflow.backends.sagemaker.executions.runs import Run, RunSummary
from buzzflow.backends.sagemaker.executions.steps import StepRun

GOLDEN = Path(__file__).parents[1] / "golden" / "pipeline-definition.json"
Steps = Callable[..., dict[str, Any]]
Defined = Callable[..., Definition]
GOING = Run(RunSummary("arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p/execution/abc", "Executing", None), "p", "")


def test_a_definition_of_buzzflow_is_read_with_its_order_and_its_needs() -> None:
    found = read_definition(GOLDEN.read_text("utf-8"))
    assert [(s.name, s.inside, s.taken) for s in found.steps] == [
        ("extract", None, None),
        ("train", None, None),
        ("evaluate", None, None),
        ("good_enough", None, None),
        ("publish", "good_enough", True),
        ("reject", "good_enough", False),
    ]
    assert found.by_name["good_enough"].needs == {"evaluate", "train"}
    assert found.by_name["publish"].needs == {"good_enough", "evaluate", "extract"}
    assert found.parameters[0] == DefinedParameter("first_day", "String", "2013-01-01", ("2013-01-01", "2013-07-01"))


def test_references_of_every_form_are_needs(a_definition: Defined, a_step: Steps) -> None:
    definition = a_definition(
        a_step("a"),
        a_step("b"),
        a_step("c"),
        a_step("d"),
        {
            "Name": "e",
            "Type": "Processing",
            "Arguments": {"X": [{"Std:Join": {"On": "", "Values": ["s3://", {"Get": "Steps.a.Arn"}]}}]},
            "DependsOn": ["b", {"Step": "c", "Trigger": "Failed"}, "not-a-step"],
            "CacheConfig": {"Enabled": True},
            "PropertyFile": {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.d.PropertyFiles.f"}, "Path": "x"}},
            "Text": "Steps.a is only a text",
        },
    )
    assert definition.by_name["e"].needs == {"a", "b", "c", "d"}


def test_each_item_of_a_foreach_has_its_line(a_definition: Defined, a_step: Steps) -> None:
    definition = a_definition(a_step("each", kind="ForEach", ForEachBody=[a_step("score")]), a_step("report", "each"))
    begun = [
        StepRun("each", "Executing"),
        StepRun("score", "Failed", index=1, reason="AlgorithmError: no\nrows"),
        StepRun("score", "Succeeded", index=0),
    ]
    lines = snapshot(definition, GOING, begun).steps
    assert [(line.name, line.state, line.depth, line.note) for line in lines] == [
        ("each", State.RUNNING, 0, ""),
        ("score[0]", State.SUCCEEDED, 1, ""),
        ("score[1]", State.FAILED, 1, "AlgorithmError: no"),
        ("report", State.WAITING, 0, "for each"),
    ]


def test_what_is_below_a_branch_that_was_not_taken_is_not_taken_either(a_definition: Defined, a_step: Steps) -> None:
    inner = a_step("inner", kind="Condition", IfSteps=[a_step("deep")])
    definition = a_definition(a_step("outer", kind="Condition", IfSteps=[inner], ElseSteps=[a_step("other")]))
    lines = snapshot(definition, GOING, [StepRun("outer", "Succeeded", outcome=False)]).steps
    assert {line.name: line.state for line in lines} == {
        "outer": State.SUCCEEDED,
        "inner": State.NOT_TAKEN,
        "deep": State.NOT_TAKEN,
        "other": State.WAITING,
    }


def test_steps_that_the_definition_does_not_know_are_shown_too(a_definition: Defined, a_step: Steps) -> None:
    lines = snapshot(a_definition(a_step("a")), GOING, [StepRun("new", "Executing")]).steps
    assert [(line.name, line.state) for line in lines] == [("a", State.WAITING), ("new", State.RUNNING)]
