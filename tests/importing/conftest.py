"""Import a definition into a folder of its own, and compile what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from buzzflow.backends.sagemaker.importing.document import read_document
from buzzflow.driver import check, compile_artifact
from buzzflow.driver.importing.imported import Imported, import_document

Json = Any


@dataclass(frozen=True, slots=True)
class Round:
    """What came of a definition: the project, its pipeline.yaml, and what that compiles to."""

    imported: Imported
    text: str
    compiled: Json

    @property
    def codes(self) -> list[str]:
        return [d.code for d in self.imported.warnings]

    def how(self, step: str) -> str:
        return next(s.how for s in self.imported.steps if s.name == step)


@pytest.fixture
def around(tmp_path: Path) -> Callable[[Json], Round]:
    """Imports a definition, given as data or as the bytes of its file, and compiles the project."""

    def around(definition: Json, *, name: str = "demo") -> Round:
        content = definition if isinstance(definition, bytes) else json.dumps(definition).encode()
        folder = tmp_path / "here" / name
        imported = import_document(read_document(content, "d.json"), folder, name, source="d.json")
        folder.mkdir(parents=True, exist_ok=True)
        for file, written in imported.files.items():
            (folder / file).write_bytes(written)
        compiled = json.loads(compile_artifact(check(folder)).content)
        return Round(imported, imported.files["pipeline.yaml"].decode(), compiled)

    return around
