"""Everything that a pipeline definition can hold occurs in a golden of the SDK, or it is shown why it cannot."""

from __future__ import annotations

import pytest

from tests.conformance.coverage import NOT_BUILT, STEP_TYPES, Form, forms
from tests.conformance.goldens import sdk


@pytest.mark.parametrize("form", [*forms()], ids=lambda form: f"{form.group}: {form.name}")
def test_a_golden_holds_it(form: Form) -> None:
    assert form.cases


def test_there_are_22_step_types_and_those_that_the_sdk_cannot_build_are_shown_to_fail() -> None:
    assert len({*STEP_TYPES}) == 22
    assert {kind for kind, attempt in NOT_BUILT.items() if "raised" in sdk("attempts")[attempt]} == {*NOT_BUILT}
