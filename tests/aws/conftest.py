"""Pipelines small enough to read, for the tests of the fake itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::111122223333:role/buzzflow-execution"


def _step(name: str, *needs: str, kind: str = "Processing", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "Arguments": {}, "DependsOn": [*needs], **more}


@pytest.fixture
def define() -> Callable[..., str]:
    """Makes the text of a definition from its steps and parameters."""

    def define(*steps: dict[str, Any], parameters: list[dict[str, Any]] | None = None) -> str:
        return json.dumps({"Version": "2020-12-01", "Parameters": parameters or [], "Steps": [*steps]})

    return define


@pytest.fixture
def a_step() -> Callable[..., dict[str, Any]]:
    return _step


@pytest.fixture
def request_of(define: Callable[..., str]) -> Callable[..., dict[str, Any]]:
    """Makes the members of CreatePipeline."""

    def request_of(name: str = "demo", definition: str | None = None, **more: Any) -> dict[str, Any]:
        text = definition or define(_step("extract"), _step("train", "extract", kind="Training"))
        return {"PipelineName": name, "PipelineDefinition": text, "RoleArn": ROLE, **more}

    return request_of


@pytest.fixture
def refused() -> Callable[..., Any]:
    """A block that is to end in a ClientError with this code and this in its message."""

    @contextmanager
    def refused(code: str, message: str = "", status: int | None = None) -> Iterator[None]:
        with pytest.raises(ClientError) as caught:
            yield
        error = caught.value.response["Error"]
        assert error["Code"] == code, error
        assert message in error["Message"], error
        if status is not None:
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status

    return refused
