"""A run that may cost more than its budget is an error that names the steps to change."""

from dataclasses import replace

import pytest

from buzzflow import ir
from buzzflow.backends.sagemaker import backend
from buzzflow.diagnostics import Severity
from buzzflow.instances.prices import price_list

HOUR = 3600
TABLE = (ir.Table("training", "s3://b/table/"),)


@pytest.fixture
def checked(make):
    """Return what is told of steps with a budget, in us-east-1."""

    def checked(*steps, budget, region="us-east-1"):
        environment = replace(make.environment, region=region)
        return [*backend.check(make.pipeline(*steps, environment=environment, budget=budget))]

    return checked


def _of_hours(make, name, hours):
    return make.processing(name, timeout=hours * HOUR)


def test_a_run_within_its_budget_is_fine(checked, make):
    assert checked(_of_hours(make, "a", 10), budget=ir.Budget(2.30)) == []


def test_a_cent_too_much_is_too_much(checked, make):
    [problem] = checked(_of_hours(make, "a", 10), budget=ir.Budget(2.29))
    assert (problem.code, problem.path, problem.is_error) == ("BF670", ("budget", "max_cost_per_run"), True)
    assert problem.summary == "a run may cost 2.30 USD, and the budget allows 2.29 USD"
    assert f"prices of {price_list().date}" in problem.hint


def test_the_dearest_steps_are_named_first(checked, make):
    steps = [_of_hours(make, f"s{hours}", hours) for hours in (1, 5, 2, 4, 3)]
    [problem] = checked(*steps, budget=ir.Budget(1))
    named = [problem.hint.index(repr(name)) for name in ("s5", "s4", "s3")]
    assert named == sorted(named)
    assert "'s1'" not in problem.hint
    assert "(1 x ml.m5.xlarge for 5 h)" in problem.hint


def test_the_budget_of_the_environment_is_told_as_its_own(checked, make):
    steps = (_of_hours(make, "a", 1), _of_hours(make, "b", 9))
    [problem] = checked(*steps, budget=ir.Budget(2, environment="prod"))
    assert problem.path == ("steps", "b")
    assert "the budget of environment 'prod' allows 2.00 USD" in problem.summary


def test_an_unknown_cost_is_told_with_its_reason(checked, make):
    steps = (
        _of_hours(make, "a", 1),
        ir.Step("table", ir.AutoML("y", TABLE, ir.Output("result", ""), make.role, None, ir.Encryption())),
    )
    [problem] = [d for d in checked(*steps, budget=ir.Budget(25)) if d.code == "BF671"]
    assert problem.severity is Severity.WARNING
    assert problem.hint.startswith("'table': the service chooses the machines of an AutoML job")


@pytest.mark.parametrize(("unknown", "found"), [("fail", [True]), ("warn", [False]), ("allow", [])])
def test_what_an_unknown_cost_is_stands_in_the_budget(checked, make, unknown, found):
    told = checked(_of_hours(make, "a", 1), budget=ir.Budget(25, unknown), region="eu-west-1")
    assert [d.is_error for d in told] == found


def test_what_is_known_may_be_too_much_already(checked, make):
    steps = (
        _of_hours(make, "a", 10),
        ir.Step(
            "x",
            ir.Service(
                "emr",
                "EMR",
                ir.Mapping(
                    (
                        ("ClusterId", "j-1"),
                        ("StepConfig", ir.Mapping((("HadoopJarStep", ir.Mapping((("Jar", "s3://b/j.jar"),))),))),
                    )
                ),
            ),
        ),
    )
    [problem] = [d for d in checked(*steps, budget=ir.Budget(1, "allow")) if d.code.startswith("BF67")]
    assert problem.summary == "a run may cost 2.30 USD, without what is unknown, and the budget allows 1.00 USD"
