"""Pipelines in the IR, made by hand, and the service's model to hold what they compile to against."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from buzzflow import ir
from buzzflow.backends.sagemaker import backend
from buzzflow.diagnostics import Diagnostic

HERE = Path(__file__).parent
ROLE = "arn:aws:iam::111122223333:role/R"
IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/img:1"
ENVIRONMENT = ir.Environment("research", "111122223333", "eu-west-1", "example-bucket", "research-")
BUNDLE = ir.Bundle("0" * 64, (ir.BundleFile("entry.sh", "1" * 64, 10), ir.BundleFile("src/main.py", "2" * 64, 20)))


class Make:
    """Makes steps and pipelines that SageMaker takes, but for what a test changes."""

    role, image, environment = ROLE, IMAGE, ENVIRONMENT
    code = ir.Code("src/main.py", "python3", BUNDLE)

    def job(self, **fields: Any) -> ir.Job:
        return ir.Job(**{"image": ir.ImageUri(IMAGE), "role": ROLE} | fields)

    def processing(self, name: str = "extract", *, step: dict[str, Any] | None = None, **fields: Any) -> ir.Step:
        return ir.Step(name, ir.Processing(self.job(**fields)), **step or {})

    def training(self, name: str = "train", *, step: dict[str, Any] | None = None, **fields: Any) -> ir.Step:
        own = {
            f: fields.pop(f) for f in ("hyperparameters", "metrics", "input_mode", "spot", "checkpoints") if f in fields
        }
        return ir.Step(name, ir.Training(self.job(**fields), **own), **step or {})

    def pipeline(self, *steps: ir.Step, **fields: Any) -> ir.Pipeline:
        return ir.Pipeline(**{"name": "delays", "steps": steps, "environment": ENVIRONMENT} | fields)

    def input(self, name: str, source: ir.Value, **fields: Any) -> ir.Input:
        return ir.Input(name, source, fields.pop("path", f"/opt/ml/processing/input/{name}"), **fields)

    def output(self, name: str, **fields: Any) -> ir.Output:
        return ir.Output(name, fields.pop("path", f"/opt/ml/processing/output/{name}"), **fields)


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def service_model() -> ModuleType:
    """Validates definitions: `service_model.issues(definition)`."""
    return _load("service_model")


@pytest.fixture(scope="session")
def example() -> ir.Pipeline:
    """A pipeline that has every step type and nearly every field."""
    pipeline: ir.Pipeline = _load("example").example()
    return pipeline


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()


@pytest.fixture(scope="session")
def compiled(service_model: ModuleType) -> Callable[[ir.Pipeline], dict[str, Any]]:
    """Compiles a pipeline that has no errors, and holds it against the service's model."""

    def compiled(pipeline: ir.Pipeline) -> dict[str, Any]:
        assert [d for d in backend.check(pipeline) if d.is_error] == []
        definition: dict[str, Any] = json.loads(backend.compile(pipeline).content)
        assert service_model.issues(definition) == []
        return definition

    return compiled


@pytest.fixture(scope="session")
def compiled_step(compiled: Callable[[ir.Pipeline], dict[str, Any]], make: Make) -> Callable[..., dict[str, Any]]:
    """Compiles the last of some steps."""

    def compiled_step(*steps: ir.Step, **fields: Any) -> dict[str, Any]:
        step: dict[str, Any] = compiled(make.pipeline(*steps, **fields))["Steps"][-1]
        return step

    return compiled_step


@pytest.fixture(scope="session")
def problem(make: Make) -> Callable[..., Diagnostic]:
    """Checks steps that have exactly one problem, and returns it."""

    def problem(*steps: ir.Step, **fields: Any) -> Diagnostic:
        [found] = backend.check(make.pipeline(*steps, **fields))
        return found

    return problem
