"""The stricter of a pipeline's and its environment's budget counts, and who set it is known."""

import pytest

from buzzflow import ir
from buzzflow.config.parse import parse, parse_environment
from buzzflow.diagnostics import PipelineError, Span
from buzzflow.loader.interpolate import interpolate
from buzzflow.loader.nodes import from_plain
from buzzflow.loader.shorthands import expand_shorthands
from buzzflow.lower import lower

STEPS = {"stop": {"type": "fail", "message": "stop"}}


def _long(data):
    return expand_shorthands(interpolate(from_plain(data, Span("f", 1, 1)))).plain()


def budget(own=None, theirs=None):
    config = parse(_long({"steps": STEPS, **({} if own is None else {"budget": own})}), name="ctr")
    environment = parse_environment(_long({"name": "prod", **({} if theirs is None else {"budget": theirs})}))
    return lower(config, code={}, environment=environment).pipeline.budget


def test_nobody_needs_a_budget():
    assert budget() is None


def test_a_number_is_the_most_in_usd():
    assert budget(25) == budget({"max_cost_per_run": 25}) == ir.Budget(25, "warn")
    assert budget(theirs=7.5) == ir.Budget(7.5, "warn", environment="prod")


@pytest.mark.parametrize(
    ("own", "theirs", "stricter"),
    [
        (25, 10, ir.Budget(10, "warn", "prod")),
        (10, 25, ir.Budget(10, "warn")),
        (10, 10, ir.Budget(10, "warn")),
        ({"max_cost_per_run": 10, "unknown": "allow"}, 25, ir.Budget(10, "warn")),
        (
            {"max_cost_per_run": 10, "unknown": "allow"},
            {"max_cost_per_run": 25, "unknown": "fail"},
            ir.Budget(10, "fail"),
        ),
        ({"max_cost_per_run": 50, "unknown": "fail"}, {"max_cost_per_run": 25}, ir.Budget(25, "fail", "prod")),
    ],
)
def test_the_stricter_counts_member_by_member(own, theirs, stricter):
    assert budget(own, theirs) == stricter


@pytest.mark.parametrize(
    ("given", "code"), [(0, "BF206"), (-3, "BF206"), ("much", "BF206"), ({"unknown": "warn"}, "BF204"), ([25], "BF206")]
)
def test_a_budget_that_is_none_is_told(given, code):
    with pytest.raises(PipelineError) as caught:
        budget(given)
    assert [d.code for d in caught.value.diagnostics] == [code]
    with pytest.raises(PipelineError) as caught:
        budget(theirs=given)
    assert [d.code for d in caught.value.diagnostics] == [code]
