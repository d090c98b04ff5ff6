"""What a definition is kept in, and what is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from buzzflow.backends.sagemaker.importing.document import MAX_BYTES, Document, read_document
from buzzflow.backends.sagemaker.importing.steps import read_steps
from buzzflow.diagnostics import Diagnostic, PipelineError

DEFINITION = {"Version": "2020-12-01", "Steps": [{"Name": "a", "Type": "Fail", "Arguments": {"ErrorMessage": "n"}}]}
TEXT = json.dumps(DEFINITION)


def read(content: str | bytes) -> Document:
    return read_document(content if isinstance(content, bytes) else content.encode(), "d.json")


def refusal(content: str | bytes) -> Diagnostic:
    with pytest.raises(PipelineError) as caught:
        read_steps(read(content).definition)
    return caught.value.diagnostics[0]


@pytest.mark.parametrize(
    ("content", "warnings"),
    [
        (TEXT, 0),
        ("\ufeff" + TEXT, 0),
        (json.dumps(TEXT), 1),
        (json.dumps(json.dumps(TEXT)), 2),
        (repr(DEFINITION), 1),
        (json.dumps({"PipelineDefinition": TEXT, "PipelineArn": "arn"}), 0),
        (json.dumps({"PipelineDefinition": DEFINITION}), 0),
        (json.dumps({"PipelineDefinition": json.dumps(TEXT)}), 1),
        (repr({"PipelineDefinition": TEXT, "Tags": ()}), 1),
    ],
    ids=[
        "plain",
        "byte order mark",
        "twice",
        "thrice",
        "Python",
        "answer",
        "answer with data",
        "answer, twice",
        "answer, Python",
    ],
)
def test_a_definition_is_found_in_what_it_is_kept_in(content: str, warnings: int) -> None:
    found = read(content)

    assert found.definition == DEFINITION
    assert [d.code for d in found.warnings] == ["BF652"] * warnings


def test_what_the_service_says_beside_the_definition_is_taken() -> None:
    answer = {
        "PipelineName": "churn",
        "PipelineDescription": "daily",
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 4},
        "PipelineDefinition": TEXT,
    }

    found = read(json.dumps(answer))

    assert (found.name, found.description, found.parallelism) == ("churn", "daily", 4)


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        ('{"Steps": [\n  {"Name": }\n]}', 2, 12),
        ('{"Steps": [NaN]}', 1, 12),
        ('{"Steps": [],\n "x": -Infinity}', 2, 7),
        ("", 1, 1),
        ("steps:\n  a: b\n", 1, 1),
        (b'{"Steps": [\n"\xff"]}', 2, 2),
    ],
)
def test_what_is_no_json_is_told_with_its_place(content: str | bytes, line: int, column: int) -> None:
    found = refusal(content)

    assert found.code == "BF650"
    assert found.span is not None
    assert (found.span.file, found.span.line, found.span.column) == ("d.json", line, column)


@pytest.mark.parametrize(
    "content", ["[]", "5", "{}", '{"Steps": {}}', '{"Steps": []}', '{"Steps": [5]}', '{"Steps": [{"Name": "a"}]}']
)
def test_what_is_no_definition_is_refused(content: str) -> None:
    assert refusal(content).code == "BF651"


def step(name: str, **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "n"}, **more}


@pytest.mark.parametrize(
    ("steps", "summary"),
    [
        ([step("a"), step("a")], "two steps are called 'a'"),
        (
            [{"Name": "c", "Type": "Condition", "Arguments": {"IfSteps": [step("a")], "ElseSteps": [step("a")]}}],
            "two steps",
        ),
        ([step("../../etc/passwd")], "no step can be called"),
        ([step("a b")], "no step can be called"),
        ([step("x" * 65)], "no step can be called"),
    ],
)
def test_names_that_cannot_be_are_refused(steps: Any, summary: str) -> None:
    found = refusal(json.dumps({"Steps": steps}))

    assert found.code == "BF653"
    assert summary in found.summary


@pytest.mark.parametrize("text", ["\ue000", "a\uf8ffb", "\ud800", "???"])
def test_texts_that_no_yaml_can_say_are_refused(text: str) -> None:
    definition = {"Steps": [{"Name": "a", "Type": "Lambda", "Arguments": {"deep": [text]}}]}

    found = refusal(json.dumps(definition))

    assert found.code == "BF654"
    assert found.path == ("Steps", 0, "Arguments", "deep", 0)


def test_numbers_that_no_yaml_can_say_are_refused() -> None:
    assert (
        refusal('{"Steps": [{"Name": "a", "Type": "b", "Arguments": {"n": 12345678901234567890123}}]}').code == "BF654"
    )
    assert refusal('{"Steps": [{"Name": "a", "Type": "b", "Arguments": {"n": 1e999}}]}').code == "BF654"


@pytest.mark.parametrize(
    "content",
    [b" " * (MAX_BYTES + 1), ('{"Steps": ' + "[" * 100_000).encode(), b'{"Steps": ' + b"[" * 300 + b"]" * 300 + b"}"],
)
def test_what_is_too_large_or_too_deep_is_refused(content: bytes) -> None:
    assert refusal(content).code == "BF655"


def test_nothing_of_a_python_text_is_executed() -> None:
    assert refusal("{'Steps': [__import__('os').system('true')]}").code == "BF650"


def test_utf_16_is_told() -> None:
    assert "UTF-16" in refusal(TEXT.encode("utf-16")).summary
