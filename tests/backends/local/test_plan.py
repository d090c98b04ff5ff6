"""The run plan travels as JSON and is the same on the other side."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from buzzflow import ir
from buzzflow.backends.local import backend
from buzzflow.backends.local.compiling.compile import compile_plan
from buzzflow.backends.local.plan import RunPlan

Pipelines = Callable[..., st.SearchStrategy[ir.Pipeline]]


@settings(max_examples=50)
@given(data=st.data())
def test_a_plan_read_back_from_json_is_equal(data: st.DataObject, pipelines: Pipelines) -> None:
    pipeline = data.draw(pipelines(describe=False))
    assert RunPlan.model_validate_json(backend.compile(pipeline).content) == compile_plan(pipeline)


@pytest.mark.parametrize("text", ['{"version": 2}', '{"unknown": 1}', '{"steps": [{"type": "tuning"}]}'])
def test_a_plan_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        RunPlan.model_validate_json(text)
