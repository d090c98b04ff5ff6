"""Definitions small enough to read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from buzzflow.backends.sagemaker.aws.account import Account
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


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return Account("eu-west-1")


@pytest.fixture
def answers(account: Account) -> Iterator[Stubber]:
    """Answers of the service, checked against its model."""
    with Stubber(account.sagemaker) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
