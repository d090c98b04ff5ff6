"""What is written as YAML is read as the same data, and looks like what people write."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow.loader.escapes import escaped
from buzzflow.loader.interpolate import interpolate
from buzzflow.loader.yaml_reader import read_yaml
from buzzflow.loader.yaml_writer import write_yaml
from buzzflow.template import Reference, Template

ODD = (
    *("no", "1.10", "012", "1:30", "yes", "null", "~", "", "a: b", " x", "x ", "#a", "a #b", "- a", "--a", "*x", "&y"),
    *("!t", "%d", "@q", "`", "'", '"', "a\nb", "a\n", "\na", "a\n\nb\n", "|", ">", "{a}", "[b]", "a,b", "2026-01-01"),
    *("1e5", "0x1F", ".5", ".inf", "1_000", "=", "<<", "\\", "a:", "::", "s3://b/c", "\u2028", "\ufeffx", "\x07"),
    *("tab\there", "   ", "a\n  b\n c", "---", "...", "? a", ": ", "0:?", "${x}", "$${a}", "\\${b}", "\\\\${q}", "${"),
)
TEXTS = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=("Cs", "Co")), max_size=12)
SCALARS = (
    TEXTS
    | st.integers(-(10**15), 10**15)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXTS, inner, max_size=7), max_leaves=15
)


@given(data=st.dictionaries(TEXTS, VALUES, max_size=5))
def test_what_is_written_is_read_again(data: dict[str, Any]) -> None:
    assert read_yaml(write_yaml(data), "f").plain() == data


@given(before=TEXTS, after=TEXTS)
def test_escaped_text_around_a_reference_stays_as_it_is(before: str, after: str) -> None:
    text = f"{escaped(before, before_reference=True)}${{param:x}}{escaped(after)}"

    found = interpolate(read_yaml(write_yaml({"a": text}), "f")).plain()["a"]

    assert isinstance(found, Template)
    assert found.parts == tuple(p for p in (before, Reference("param", ("x",)), after) if p != "")


@given(text=TEXTS)
def test_escaped_text_stays_as_it_is(text: str) -> None:
    written = escaped(text) if "${" in text else text
    assert interpolate(read_yaml(write_yaml({"a": written}), "f")).plain() == {"a": text}


@pytest.mark.parametrize(
    ("data", "written"),
    [
        ({"a": {"b": 1, "c": ["x", "1.10"]}}, 'a:\n  b: 1\n  c: [x, "1.10"]\n'),
        ({"steps": {"a": {"type": "fail"}}}, "steps:\n  a:\n    type: fail\n"),
        ({"x": {"y": {"p": 1, "q": {"r": "${param:x}"}}}}, 'x:\n  y: {p: 1, q: {r: "${param:x}"}}\n'),
        ({"x": {"if": "${param:x} > 1"}}, "x:\n  if: ${param:x} > 1\n"),
        ({"x": r"auc=([0-9\.]+)"}, "x: auc=([0-9\\.]+)\n"),
        ({"x": "select 1\nfrom t\n"}, "x: |\n  select 1\n  from t\n"),
        ({"x": ["a" * 60, "b" * 60]}, f"x:\n  - {'a' * 60}\n  - {'b' * 60}\n"),
    ],
)
def test_it_looks_like_what_people_write(data: dict[str, Any], written: str) -> None:
    assert write_yaml(data) == written


def test_a_comment_stands_above_what_it_is_about() -> None:
    data = {"a": {"b": {"c": 1, "d": 2}}}

    assert write_yaml(data, {("a", "b", "d"): "why"}) == "a:\n  b:\n    c: 1\n    # why\n    d: 2\n"
