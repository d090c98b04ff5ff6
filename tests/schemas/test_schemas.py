"""The committed schemas are the models', and accept what the compiler accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from buzzflow.config.schema import environment_schema, pipeline_schema

ROOT = Path(__file__).parents[2]
PIPELINES = sorted(
    p for folder in ("projects", "docs", "tests/goldens") for p in (ROOT / folder).rglob("*pipeline*.yaml")
)
MADE = {"pipeline": pipeline_schema, "environment": environment_schema}


@pytest.mark.parametrize("name", MADE)
def test_the_committed_schema_is_the_models(name: str) -> None:
    committed = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text())
    assert committed == MADE[name](), "run: python tools/refresh_schemas.py"
    Draft202012Validator.check_schema(committed)


@pytest.mark.parametrize("file", PIPELINES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_right_pipeline_fits_the_schema(file: Path) -> None:
    errors = [e.message for e in Draft202012Validator(pipeline_schema()).iter_errors(yaml.safe_load(file.read_text()))]
    assert errors == []


def test_the_environment_fits_the_schema() -> None:
    for file in (ROOT / "projects").rglob("environment.yaml"):
        Draft202012Validator(environment_schema()).validate(yaml.safe_load(file.read_text()))


@pytest.mark.parametrize(
    "text",
    [
        "steps: {train: {type: trainin, code: train.py}}",
        "steps: {train: {type: training, hyperparameter: {a: 1}}}",
        "steps: {train: {type: training, instance: {count: two}}}",
        "nmae: x",
    ],
)
def test_a_typo_does_not_fit_the_schema(text: str) -> None:
    assert not Draft202012Validator(pipeline_schema()).is_valid(yaml.safe_load(text))


def _fields_with_examples(name: str) -> list[tuple[dict[str, Any], Any]]:
    schema = pipeline_schema()["$defs"][name]
    return [(field, example) for field in schema["properties"].values() for example in field.get("examples", ())]


@pytest.mark.parametrize("name", ["ProcessorConfig", "EstimatorConfig", "TunerConfig", "ConditionConfig", "FailConfig"])
def test_every_example_of_a_field_fits_the_field(name: str) -> None:
    found = _fields_with_examples(name)
    assert found
    for field, example in found:
        whole = {"$defs": pipeline_schema()["$defs"], **field}
        assert [e.message for e in Draft202012Validator(whole).iter_errors(example)] == []
