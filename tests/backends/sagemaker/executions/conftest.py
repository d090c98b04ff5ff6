"""Definitions small enough to read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from buzzflow.backends.sagemaker.executions.definition import Definition, read_definition


def step_data(name: str, *needs: str, kind: str = "Processing", **arguments: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "Arguments": arguments, "DependsOn": [*needs]}


@pytest.fixture
def a_step() -> Callable[..., dict[str, Any]]:
    return step_data


@pytest.fixture
def a_definition() -> Callable[..., Definition]:
    """Reads a definition of these steps and parameters."""

    def a_definition(*steps: dict[str, Any], parameters: Any = ()) -> Definition:
        return read_definition(json.dumps({"Version": "2020-12-01", "Parameters": [*parameters], "Steps": [*steps]}))

    return a_definition
