"""Expressions and tests of a plan, with what a run knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from buzzflow.backends.local import evaluate, plan
from buzzflow.backends.local.evaluate import EvaluationError, Known

REPORT = '{"auc": 0.93, "n": 3, "ok": true, "name": "gbt", "none": null, "folds": [{"auc": 0.5}, 2], "a b": {"c": 1}}'


def report(*path: str, name: str = "report") -> plan.ReportValue:
    return plan.ReportValue(step="evaluate", report=name, path=list(path))


@pytest.fixture
def known(tmp_path: Path) -> Known:
    (tmp_path / "metrics.json").write_text(REPORT)
    (tmp_path / "broken.json").write_text("{auc: 1}")
    (tmp_path / "list.json").write_text("[1, 2]")
    return Known(
        parameters={"day": "2026-01-01", "depth": 6, "limit": 0.75, "verbose": True},
        run={"id": "r1"},
        addresses={("extract", "train"): "s3://b/train/"},
        reports={
            ("evaluate", "report"): tmp_path / "metrics.json",
            ("evaluate", "broken"): tmp_path / "broken.json",
            ("evaluate", "list"): tmp_path / "list.json",
            ("evaluate", "absent"): tmp_path / "absent.json",
        },
        properties={("train", "model"): "s3://b/m/model.tar.gz", ("train", "metrics.auc"): 0.5},
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("plain", "plain"),
        (plan.ParameterValue(name="depth"), 6),
        (plan.OutputAddress(step="extract", name="train"), "s3://b/train/"),
        (plan.StepProperty(step="train", word="metrics.auc"), 0.5),
        (plan.RunValue(field="id"), "r1"),
        (report("auc"), 0.93),
        (report("folds", "0", "auc"), 0.5),
        (report("folds", "1"), 2),
        (report("a b", "c"), 1),
        (report("1", name="list"), 2),
        (plan.Join(parts=["x=", plan.ParameterValue(name="verbose"), ",", report("n")]), "x=true,3"),
        (plan.Join(parts=[plan.ParameterValue(name="limit")]), "0.75"),
    ],
)
def test_an_expression_has_the_value_that_the_run_knows(
    expression: plan.Expression, value: object, known: Known
) -> None:
    found = evaluate.value(expression, known)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (plan.OutputAddress(step="extract", name="test"), "step 'extract' left no output 'test'"),
        (plan.StepProperty(step="train", word="image"), "step 'train' left no 'image'"),
        (report("auc", name="other"), "step 'evaluate' left no report 'other'"),
        (
            report("auc", name="absent"),
            "report 'absent' of step 'evaluate' was not written: there is no absent.json in the output",
        ),
        (report("auc", name="broken"), "report 'broken' of step 'evaluate' is no JSON: Expecting property name"),
        (
            report("acc"),
            "report 'report' of step 'evaluate' has no value acc; it has auc, n, ok, name, none, folds, a b",
        ),
        (report("folds", "2"), "report 'report' of step 'evaluate' has no value folds.2"),
        (report("auc", "x"), "report 'report' of step 'evaluate' has no value auc.x"),
        (report("folds"), "folds in report 'report' of step 'evaluate' is no single value"),
        (report("none"), "none in report 'report' of step 'evaluate' is no single value"),
        (
            plan.DescribePath(step="train", path=["A", "B"]),
            "properties.A.B of step 'train' exists on the service only",
        ),
    ],
)
def test_what_has_no_value_is_told_about_the_users_things(expression: plan.Expression, told: str, known: Known) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate.value(expression, known)
    assert str(caught.value).startswith(told)


def test_a_number_may_be_text_but_not_words(known: Known) -> None:
    assert evaluate.number(plan.ParameterValue(name="depth"), known) == 6
    assert evaluate.number(plan.Join(parts=["1", "2"]), known) == 12
    with pytest.raises(EvaluationError, match="'2026-01-01' is no whole number"):
        evaluate.number(plan.ParameterValue(name="day"), known)


@pytest.mark.parametrize(("operator", "holds"), [("==", "e"), ("<", "l"), ("<=", "le"), (">", "g"), (">=", "ge")])
@pytest.mark.parametrize(("left", "right", "how"), [(1, 2, "l"), (2, 2.0, "e"), (0.3, -1, "g")])
def test_numbers_compare_as_numbers(
    operator: str, holds: str, left: float, right: float, how: str, known: Known
) -> None:
    test = plan.Compare(operator=operator, left=left, right=right)
    assert evaluate.holds(test, known) is (how in holds)
    assert evaluate.holds(plan.Negation(of=test), known) is (how not in holds)


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [(1, 1.0, True), ("a", "a", True), (True, True, True), ("1", 1, False), (True, 1, False), ("true", True, False)],
)
def test_only_values_of_one_kind_are_equal(left: plan.Scalar, right: plan.Scalar, equal: bool, known: Known) -> None:
    assert evaluate.holds(plan.Compare(operator="==", left=left, right=right), known) is equal
    assert evaluate.holds(plan.Member(value=left, options=["other", right]), known) is equal


@pytest.mark.parametrize("side", ["text", True])
def test_an_order_of_what_is_no_number_is_an_error(side: plan.Scalar, known: Known) -> None:
    with pytest.raises(EvaluationError, match=f"< compares numbers, and {side!r} is none"):
        evaluate.holds(plan.Compare(operator="<", left=1, right=side), known)


@pytest.mark.parametrize("a", [True, False])
@pytest.mark.parametrize("b", [True, False])
def test_all_any_and_not_have_their_truth_tables(a: bool, b: bool, known: Known) -> None:
    tests = [plan.Compare(operator="==", left=x, right=True) for x in (a, b)]
    assert evaluate.holds(plan.Every(of=tests), known) is (a and b)
    assert evaluate.holds(plan.Some(of=tests), known) is (a or b)
    assert evaluate.holds(plan.Negation(of=tests[0]), known) is not a


def test_a_missing_value_is_told_although_the_rest_decides(known: Known) -> None:
    yes = plan.Compare(operator="==", left=1, right=1)
    missing = plan.Compare(operator="==", left=report("acc"), right=1)
    with pytest.raises(EvaluationError, match="has no value acc"):
        evaluate.holds(plan.Some(of=[yes, missing]), known)


def test_a_test_is_shown_with_its_values(known: Known) -> None:
    auc = plan.Compare(operator=">=", left=report("auc"), right=plan.ParameterValue(name="limit"))
    name = plan.Member(value=report("name"), options=["gbt", "mlp"])
    other = plan.Negation(of=plan.Compare(operator="==", left=report("ok"), right=False))
    assert evaluate.shown(auc, known) == "0.93 >= 0.75"
    nested = plan.Some(of=[plan.Every(of=[auc, name]), plan.Negation(of=name), other])
    assert evaluate.shown(nested, known) == (
        "(0.93 >= 0.75 and 'gbt' in ['gbt', 'mlp']) or not ('gbt' in ['gbt', 'mlp']) or true != false"
    )
