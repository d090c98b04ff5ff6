"""Every step of every pipeline in this repository can be given another instance by one line, or says why not."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
import yaml

from buzzflow.loader.yaml_edit import CannotEditError, has_step, with_instance

ROOT = Path(__file__).parents[2]
FILES = sorted(
    file
    for folder in ("projects", "docs/examples", "tests/goldens", "buzzflow/scaffold/templates")
    for file in (ROOT / folder).rglob("*pipeline.yaml")
)


def steps_of(file: Path) -> list[str]:
    tree = yaml.safe_load(file.read_text("utf-8"))
    return [name for name, step in (tree.get("steps") or {}).items() if isinstance(step, dict)]


def test_there_are_pipelines_to_try() -> None:
    assert sum(len(steps_of(file)) for file in FILES) > 20


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_one_line_changes_in_any_pipeline(file: Path) -> None:
    text = file.read_text("utf-8")
    for step in steps_of(file):
        assert has_step(text, step)
        try:
            changed = with_instance(text, step, "ml.c5.xlarge")
        except CannotEditError as e:
            assert "${" in str(e)  # a variable gives it
            continue
        lines = [line[0] for line in difflib.ndiff(text.splitlines(), changed.splitlines()) if line[0] in "+-"]
        assert lines in (["-", "+"], ["+"]), step
        given = yaml.safe_load(changed)["steps"][step]["instance"]
        assert "ml.c5.xlarge" in (given, given["type"] if isinstance(given, dict) else None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("steps: {train: {type: x", "it cannot be read: "),
        ("steps: {other: {type: x}}", "it does not stand in this file"),
        ("steps: [train]", "it does not stand in this file"),
        ("", "it does not stand in this file"),
        ("steps: {train: {instance: [a]}}", "it is no text"),
        ("steps:\n  train:\n    ? type\n    : x\n", "its keys do not stand on lines of their own"),
    ],
)
def test_what_cannot_be_edited_says_why(text: str, told: str) -> None:
    with pytest.raises(CannotEditError) as error:
        with_instance(text, "train", "ml.c5.xlarge")
    assert told in str(error.value)


def test_a_quoted_text_over_lines_is_replaced_whole() -> None:
    text = 'steps: {train: {instance: "ml.m5\\\n  .large"}} # c\n'
    assert with_instance(text, "train", "ml.c5.xlarge") == 'steps: {train: {instance: "ml.c5.xlarge"}} # c\n'
