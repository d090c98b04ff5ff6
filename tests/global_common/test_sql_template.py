"""Placeholders in SQL: what each becomes, and what is refused."""

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from global_common.query import QueryTemplateError, load_query
from global_common.sql_template import fill


def _refused(template: str, **values: Any) -> list[str]:
    with pytest.raises(QueryTemplateError) as e:
        fill(template, values, "q.sql")
    return str(e.value).splitlines()


@pytest.mark.parametrize(
    ("value", "raw", "literal"),
    [
        ("it's", "it's", "'it''s'"),
        ("", "", "''"),
        (-3, "-3", "-3"),
        (0.1, "0.1", "0.1"),
        (True, "true", "true"),
        (Decimal("1E+2"), "100", "DECIMAL '100'"),
        (datetime.date(2026, 1, 2), "2026-01-02", "DATE '2026-01-02'"),
        (datetime.datetime(2026, 1, 2, 3, 4), "2026-01-02 03:04:00", "TIMESTAMP '2026-01-02 03:04:00'"),
        (["a", "b'c"], "'a', 'b''c'", "'a', 'b''c'"),
        ((1, 2.5), "1, 2.5", "1, 2.5"),
    ],
)
def test_a_value_becomes_text_or_a_literal(value: Any, raw: str, literal: str) -> None:
    assert fill("{v}|{v:literal}", {"v": value}, "q.sql") == f"{raw}|{literal}"


def test_none_is_null_only_as_a_literal() -> None:
    assert fill("{v:literal}", {"v": None}, "q.sql") == "NULL"
    assert _refused("{v}", v=None) == ["q.sql:1:1: the value of {v} is None; the form :literal writes it as NULL"]


def test_scalars_of_numpy_and_pandas_are_numbers_and_dates() -> None:
    np, pd = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    values = {"i": np.int64(1), "f": np.float64(0.5), "t": pd.Timestamp("2026-01-02")}
    assert fill("{i} {f} {t:literal}", values, "q.sql") == "1 0.5 TIMESTAMP '2026-01-02 00:00:00'"
    assert _refused("{t}", t=pd.NaT) == ["q.sql:1:1: the value of {t} is no date"]


def test_an_identifier_is_quoted_name_by_name() -> None:
    values = {"t": "ads.clicks", "c": ["day", "user-id"]}
    assert fill("select {c:identifier} from {t:identifier}", values, "q.sql") == (
        'select "day", "user-id" from "ads"."clicks"'
    )


@pytest.mark.parametrize("value", ['a"b', "a b", "", "a..b", "a;", "a\n", "ä", 1, None, []])
def test_what_is_no_identifier_is_refused(value: Any) -> None:
    [message] = _refused("{t:identifier}", t=value)
    assert message.startswith("q.sql:1:1: the value of {t} is no identifier: letters, digits")


@pytest.mark.parametrize(
    "text", ["{}", "{ a }", "{4}", "{2,3}", '{"a": {"b": 1}}', "'%d{4}$'", "${", "{a", "a}", "{{x"]
)
def test_other_braces_stay_as_they_are(text: str) -> None:
    assert fill(text, {}, "q.sql") == text


def test_doubled_braces_keep_a_placeholder_as_text() -> None:
    assert fill("{{a}} {{a:literal}} {{{a}}} {a}", {"a": 1}, "q.sql") == "{a} {a:literal} {{a}} 1"


def test_values_are_never_expanded_again() -> None:
    assert fill("{a} {b}", {"a": "{b}", "b": "{{a}} \\1"}, "q.sql") == "{b} {{a}} \\1"


@given(st.text())
def test_a_literal_cannot_be_left_from_inside(text: str) -> None:
    literal = fill("{v:literal}", {"v": text}, "q.sql")
    assert (literal[0], literal[-1]) == ("'", "'")
    assert literal[1:-1].replace("''", "").count("'") == 0
    assert literal[1:-1].replace("''", "'") == text


@given(st.text(alphabet="{}a:b1\n'"))
def test_a_template_without_placeholders_that_fit_is_never_changed_silently(text: str) -> None:
    try:
        filled = fill(text, {}, "q.sql")
    except QueryTemplateError:
        return
    assert filled == text or "{{" in text


def test_all_that_does_not_fit_is_told_with_its_lines_and_a_close_name() -> None:
    template = "select {colums}\nfrom t\n  where d = {day:literl} and n < {n} -- {colums}"
    assert _refused(template, columns="a", day="2026-01-02", n=object()) == [
        "q.sql:1:8: {colums} has no value; did you mean 'columns'?",
        "q.sql:3:13: {day:literl} is neither {day} nor {day:literal} nor {day:identifier}; did you mean 'literal'? "
        "({{day:literl}} keeps the text as it stands)",
        "q.sql:3:34: the value of {n} has the type object, which has no form in SQL",
        "q.sql:3:41: {colums} has no value; did you mean 'columns'?",
        "q.sql: a value for 'columns' is given, but the query has no {columns}; did you mean 'colums'?",
    ]


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), Decimal("NaN")])
@pytest.mark.parametrize("form", ["", ":literal"])
def test_numbers_without_a_text_in_sql_are_refused(value: Any, form: str) -> None:
    assert _refused("{v" + form + "}", v=value) == ["q.sql:1:1: the value of {v} is no finite number"]


@pytest.mark.parametrize("form", ["", ":literal"])
def test_an_empty_list_is_refused(form: str) -> None:
    assert "empty list" in _refused("a in ({v" + form + "})", v=[])[0]


def test_a_message_shows_no_values() -> None:
    assert "hunter2" not in "\n".join(_refused("{a:identifier} {b}", a="hunter2!", c="hunter2"))


def test_a_file_is_loaded_as_utf_8_with_or_without_a_mark(tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_bytes("\ufeffselect 'ä' as {n:identifier}".encode())
    assert load_query(tmp_path / "q.sql", n="x") == "select 'ä' as \"x\""
    assert load_query(str(tmp_path / "q.sql"), n="x") == "select 'ä' as \"x\""


def test_a_message_has_the_path_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_text("select 1\nlimit {n}")
    with pytest.raises(QueryTemplateError) as e:
        load_query(tmp_path / "q.sql")
    assert str(e.value) == f"{tmp_path / 'q.sql'}:2:7: {{n}} has no value"
