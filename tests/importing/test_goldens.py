"""Every golden definition of the repository comes back; some of what comes of them is kept, for people to read.

`UPDATE_GOLDEN=1 pytest` writes the kept files again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from buzzflow.backends.sagemaker.semantics import same_definition

TESTS = Path(__file__).parents[1]
HERE = Path(__file__).parent
KEPT = sorted((HERE / "definitions").glob("*.json"))


def _is_definition(file: Path) -> bool:
    data = json.loads(file.read_text("utf-8"))
    return isinstance(data, dict) and isinstance(data.get("Steps"), list)


FOUND = [
    *(TESTS / "goldens").glob("*/pipeline-definition.json"),
    *(TESTS / "backends" / "sagemaker").rglob("*.json"),
    *(TESTS / "conformance").rglob("*.json"),
    *KEPT,
]
DEFINITIONS = sorted(file for file in FOUND if _is_definition(file))


@pytest.mark.parametrize("file", DEFINITIONS, ids=lambda file: file.relative_to(TESTS).as_posix())
def test_a_golden_definition_comes_back(file: Path, around: Callable[..., Any]) -> None:
    definition = json.loads(file.read_text("utf-8"))

    assert same_definition(around(definition).compiled, definition)


def test_there_are_definitions() -> None:
    assert len(DEFINITIONS) >= 30
    assert len(KEPT) >= 2


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.stem)
def test_what_comes_of_a_definition_is_what_people_would_write(file: Path, around: Callable[..., Any]) -> None:
    found = around(file.read_bytes(), name=file.stem)

    for name, content in found.imported.files.items():
        golden = HERE / "golden" / file.stem / name
        if os.environ.get("UPDATE_GOLDEN"):
            golden.parent.mkdir(exist_ok=True)
            golden.write_bytes(content)
        assert content.decode() == golden.read_text("utf-8")
