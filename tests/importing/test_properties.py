"""Whatever a definition holds: what is imported compiles to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from buzzflow.backends.sagemaker.importing.document import read_document
from buzzflow.backends.sagemaker.semantics import same_definition
from buzzflow.driver import check, compile_artifact
from buzzflow.driver.importing.imported import import_document
from tests.importing.strategies import Json, definitions


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("imported")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(definition=definitions())
def test_what_is_imported_compiles_to_the_definition(definition: Json, folder: Path) -> None:
    document = read_document(json.dumps(definition).encode(), "d.json")
    imported = import_document(document, folder, "demo", source="d.json")
    for name, content in imported.files.items():
        (folder / name).write_bytes(content)
    compiled = json.loads(compile_artifact(check(folder)).content)
    (folder / "environment.yaml").unlink()
    assert same_definition(compiled, definition)
