from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow import ir
from buzzflow.lower.conditions import ConditionError, read_condition
from buzzflow.template import Reference, Template

KINDS = {"n": ir.Kind.NUMBER, "t": ir.Kind.TEXT, "b": ir.Kind.BOOLEAN, "u": ir.Kind.UNKNOWN}
N, T, B, U = (ir.ParameterReference(name, kind) for name, kind in KINDS.items())


def read(text: str) -> ir.Test:
    """Read *text*, in which n, t, b and u between backquotes are references of four kinds."""
    pieces = text.split("`")
    parts = [Reference("param", (p,)) if i % 2 else p for i, p in enumerate(pieces)]
    filled = tuple(p for p in parts if p != "")
    template = Template(filled) if len(pieces) > 1 else text
    return read_condition(template, lambda r: ir.ParameterReference(r.arguments[0], KINDS[r.arguments[0]]))


def equal(left: ir.Operand, right: ir.Operand) -> ir.Comparison:
    return ir.Comparison("==", left, right)


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("`n` >= 0.75", ir.Comparison(">=", N, 0.75)),
        ("`n`<-5", ir.Comparison("<", N, -5)),
        ("1e3 > `u`", ir.Comparison(">", 1000.0, U)),
        ("`t` == 'a \"b\"'", equal(T, 'a "b"')),
        ('`t` != "it\'s"', ir.Not(equal(T, "it's"))),
        ("`b`", equal(B, True)),
        ("not `b`", ir.Not(equal(B, True))),
        ("not not `b`", equal(B, True)),
        ("not `n` != 1", equal(N, 1)),
        ("`b` == FALSE", equal(B, False)),
        ("true", equal(True, True)),
        ("`t` in ['a', 'b']", ir.Membership(T, ("a", "b"))),
        ("`t` not in ['a']", ir.Not(ir.Membership(T, ("a",)))),
        ("`n` > 1 or `b` and `u`", ir.Any((ir.Comparison(">", N, 1), ir.All((equal(B, True), equal(U, True)))))),
        ("`b` and `u` or `b`", ir.Any((ir.All((equal(B, True), equal(U, True))), equal(B, True)))),
        ("(`b` or `u`) and `b`", ir.All((ir.Any((equal(B, True), equal(U, True))), equal(B, True)))),
        ("not `b` and `u`", ir.All((ir.Not(equal(B, True)), equal(U, True)))),
        ("not (`b` and `u`)", ir.Not(ir.All((equal(B, True), equal(U, True))))),
        ("`b` and `b` and `b`", ir.All((equal(B, True),) * 3)),
        ("((`b`))", equal(B, True)),
    ],
)
def test_a_condition_means_its_test(text, test):
    assert read(text) == test


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("`n` = 1", "=="), ("`b` && `b`", "and"), ("`b` || `b`", "or"), ("!`b`", "not"), ("`b` & `b`", "and"),
        ("`b` AND `b`", "write and"), ("auc > 1", "${param:auc}"), ("report.auc > 1", "${json:report.auc}"),
        ("'`t`' == 'a'", "quotes"), ("`t` == 'a", "close it"), ("`t` > 3", "quote"), ("`n` == 'a'", "quote"),
        ("`t` < 'a'", "=="), ("`b` > true", "=="), ("1 < `n` < 2", "a < b and b < c"), ("`t` in 'a'", "in ["),
        ("`t` in [", "missing"), ("`t` in []", "value"), ("(`b`", ")"), ("`b`)", "value"), ("`n`", "compare"), ("'a'", "compare"),  # noqa: E501
        ("5", "compare"), ("`n` >", "missing"), ("", "write"), ("  ", "write"), ("`n` == 1 2", "value"), ("`n` `n`", "compare"),  # noqa: E501
        ("not", "missing"), ("`n` not 1", "value"), ("`n` % 2 == 0", "it takes"), ("`n` == 1e999", "smaller"),
        ("`n` == " + "9" * 5000, "smaller"), ("not " * 50 + "`b`", "split"), ("(" * 5000 + "`b`", "split"), ("`n` == 1.2.3", ""), ("`n` > '0.7'", "write 0.7 without"),  # noqa: E501
    ],
)  # fmt: skip
def test_a_mistake_has_its_hint(text, hint):
    started = time.process_time()
    with pytest.raises(ConditionError) as error:
        read(text)

    assert hint in (error.value.hint or "")
    assert time.process_time() - started < 1


# ------------------------------------------------------------------ properties

NUMBERS = st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False, width=32)
TEXTS = st.text("ab cäXYZ019'\"=<>()[],.${}&", max_size=6).filter(lambda t: not ("'" in t and '"' in t))
PAIRS = st.one_of(
    st.tuples(st.sampled_from([N, U]), NUMBERS),
    st.tuples(NUMBERS, st.sampled_from([N, U])),
    st.tuples(st.sampled_from([T, U]), TEXTS),
    st.tuples(st.sampled_from([B, U]), st.booleans()),
)
ORDERED = st.tuples(st.sampled_from([N, U]), NUMBERS | st.just(N))
COMPARISONS = PAIRS.map(lambda p: ir.Comparison("==", *p)) | st.builds(
    lambda operator, pair: ir.Comparison(operator, *pair), st.sampled_from(["<", "<=", ">", ">="]), ORDERED
)
MEMBERSHIPS = st.builds(ir.Membership, st.just(T), st.lists(TEXTS, min_size=1, max_size=3).map(tuple))


def _joined(inner: st.SearchStrategy[ir.Test]) -> st.SearchStrategy[ir.Test]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    negated = inner.filter(lambda t: not isinstance(t, ir.Not)).map(ir.Not)
    return several.map(ir.All) | several.map(ir.Any) | negated


TESTS = st.recursive(COMPARISONS | MEMBERSHIPS, _joined, max_leaves=8)


def _operand(value: ir.Operand) -> str:
    match value:
        case ir.ParameterReference(parameter=name):
            return f"`{name}`"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"' if "'" in value else f"'{value}'"
        case _:
            return repr(value)


def _printed(test: ir.Test, above: int = 0) -> str:
    """Write *test* with as few parentheses as precedence allows: or 1, and 2, not 3."""
    match test:
        case ir.Comparison():
            return f"{_operand(test.left)} {test.operator} {_operand(test.right)}"
        case ir.Membership():
            return f"{_operand(test.value)} in [{', '.join(map(_operand, test.options))}]"
        case ir.Not():
            text, level = f"not {_printed(test.test, 3)}", 4
        case ir.All():
            text, level = " and ".join(_printed(t, 2) for t in test.tests), 2
        case ir.Any():
            text, level = " or ".join(_printed(t, 1) for t in test.tests), 1
    return f"({text})" if level <= above else text


@given(TESTS)
def test_a_test_that_is_printed_reads_back_the_same(test):
    assert read(_printed(test)) == test


@given(st.text("`nbtu01.'\"=<>!()[],& andotri", max_size=30))
def test_any_text_is_a_test_or_a_condition_error(text):
    try:
        read(text if text.count("`") == 0 else text.replace("`", ""))
    except ConditionError as e:
        assert e.summary
