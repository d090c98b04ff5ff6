from __future__ import annotations

import math
import subprocess
import sys
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.loader.nodes import Node
from buzzflow.loader.yaml_reader import MAX_BYTES, MAX_DEPTH, read_yaml


def read(text: str) -> Node:
    return read_yaml(text, "pipeline.yaml")


def plain(text: str) -> Any:
    return read(text).plain()


def problems(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(PipelineError) as error:
        read(text)
    return error.value.diagnostics


def codes(text: str) -> list[str]:
    return [d.code for d in problems(text)]


def place(node: Node | None) -> tuple[int, int]:
    assert node is not None
    return node.span.line, node.span.column


# ------------------------------------------------------------------ scalars


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("NULL", None),
        ("true", True), ("False", False), ("TRUE", True),
        ("0", 0), ("-0", 0), ("+5", 5), ("42", 42), ("9223372036854775807", 9223372036854775807),
        ("1.5", 1.5), ("-08.5", -8.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("1.5E-3", 0.0015), ("1.10", 1.1),
        ("08", "08"), ("0o17", "0o17"), ("1:99", "1:99"), (".e+5", ".e+5"), ("1.2.3", "1.2.3"), ("=", "="),
        ("2024-01-01", "2024-01-01"), ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z"), ("y", "y"), ("n", "n"),
        ("'no'", "no"), ('"1"', "1"), ("'~'", "~"), ("!!str 5", "5"), ("! 5", "5"), ("!!str", ""), ('"\\u00e9"', "é"),
        ("|\n  x\n  y\n", "x\ny\n"), (">-\n  x\n  y\n", "x y"), ("!!map {}", {}), ("!!seq [1]", [1]),
    ],
)  # fmt: skip
def test_a_scalar_has_the_value_that_yaml_gives_it(text, value):
    found = plain(f"a: {text}")["a"]

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "no", "Yes", "ON", "off", "010", "-017", "0_", "1:30", "1:30:00", "1:30.5", "1_000", "0x1F", "0b1", "._5",
        ".inf", "-.INF", "+.Inf", ".nan", ".NaN", ".NAN", "1e400", "-1e400", "12345678901234567890", "9" * 5000,
        "0" * 5000, "0" + "7" * 5000, "1" + ":59" * 5000, "1" + ":59" * 5000 + ".5", "1_" * 5000 + "0.5", "9" * 5000 + ".5",  # noqa: E501
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["a: {}", "[{}]", "{{a: {}}}"])
def test_a_scalar_that_yaml_changes_is_refused_with_a_hint(text, form):
    started = time.perf_counter()
    (problem,) = problems(form.format(text))

    assert problem.code == "BF107"
    assert problem.hint
    assert len(problem.summary) + len(problem.hint) < 200
    assert time.perf_counter() - started < 1


def test_every_odd_scalar_of_a_file_is_told():
    assert [(d.code, d.span and d.span.line) for d in problems("a: no\nb: [010, 1_0]\nc: {d: 1:30}")] == [
        ("BF107", 1),
        ("BF107", 2),
        ("BF107", 2),
        ("BF107", 3),
    ]


def test_what_stood_in_the_file_is_kept_beside_the_value():
    root = read("a: 1.10\nb: '1.10'\nc: TRUE\n")

    assert [n.raw for _, n in root.leaves()] == ["1.10", "1.10", "TRUE"]


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "\ufeff"])
def test_an_empty_text_is_an_empty_mapping(text):
    assert plain(text) == {}


@pytest.mark.parametrize("key", ["null", "~", "yes", "no", "True", "1", "1.5", "010", "0x1", ""])
def test_a_key_that_yaml_changes_is_refused_unless_quoted(key):
    assert codes(f"{{? {key} : 1}}") == ["BF107"]
    assert plain(f"'{key}': 1") == {key: 1}


@pytest.mark.parametrize("key", ["? [a]\n: 1", "? {a: 1}\n: 2", "a: &x b\n*x : 1", "{[a]: 1}"])
def test_a_key_is_text(key):
    assert codes(key) == ["BF105"]


# ------------------------------------------------------------------ places


def test_keys_and_values_know_their_line_and_column():
    root = read('# first\na: 1\nbéé: {ü: \'x\', y: [1, "z"]}\n"q":   |\n  text\nlist:\n  - é: 2\n  -   3\n')

    assert place(root.at(("a",))) == (2, 4)
    assert place(root.at(("béé", "ü"))) == (3, 10)
    assert place(root.at(("béé", "y", 1))) == (3, 22)
    assert place(root.at(("q",))) == (4, 8)
    assert place(root.at(("list", 0, "é"))) == (7, 8)
    assert place(root.at(("list", 1))) == (8, 7)
    keys = {k: (n.key.line, n.key.column) for k, n in root.children() if n.key}
    assert keys == {"a": (2, 1), "béé": (3, 1), "q": (4, 1), "list": (6, 1)}


@pytest.mark.parametrize("start", ["\ufeff", ""])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_move_no_place(start, end):
    root = read(f"{start}a: 1{end}b:{end}  c: 2{end}")

    assert root.plain() == {"a": 1, "b": {"c": 2}}
    assert place(root.at(("b", "c"))) == (3, 6)


def test_an_emoji_counts_as_one_column():
    assert place(read("{😀: a, b: c}").at(("b",))) == (1, 11)


LEAVES = st.one_of(st.integers(-99, 99), st.booleans(), st.text("abcXYZ é:#'\"\\-\n\t{}[]&*!|>%@`,?", max_size=12))
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abé_", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(
    st.dictionaries(st.text("abé_", min_size=1, max_size=4), VALUES), st.booleans(), st.sampled_from([None, "'", '"'])
)
def test_the_span_of_every_leaf_points_at_its_text(data, flow, style):
    text = yaml.safe_dump(data, default_flow_style=flow, default_style=style, allow_unicode=True, width=10_000)
    if style is not None:
        text = text.replace("!!int ", "!!str ").replace("!!bool ", "!!str ")
    root = read(text)
    lines = text.splitlines()

    for _, leaf in root.leaves():
        there = lines[leaf.span.line - 1][leaf.span.column - 1 :]
        if there[:1] in ("'", '"', "|", ">", "!"):
            assert isinstance(leaf.value, str)
        else:
            assert leaf.raw is not None
            assert there.startswith(leaf.raw[:20].split("\n")[0].rstrip())
    if style is None:
        assert root.plain() == data


# ------------------------------------------------------------------ merge keys, duplicates, aliases


def test_a_merge_key_gives_what_is_not_there():
    text = "base: &b {x: 1, y: 2}\nother: &o {y: 3, z: 4}\none: {<<: *b, x: 9}\nmany: {<<: [*b, *o]}\n"

    assert plain(text)["one"] == {"x": 9, "y": 2}
    assert plain(text)["many"] == {"x": 1, "y": 2, "z": 4}


def test_merged_values_point_at_where_they_were_written():
    root = read("base: &b {x: 1}\none:\n  <<: *b\n")

    assert place(root.at(("one", "x"))) == (1, 14)


def test_a_quoted_merge_key_is_an_ordinary_key():
    assert plain("'<<': {a: 1}") == {"<<": {"a": 1}}
    assert codes("'<<': 1\n'<<': 2") == ["BF108"]


@pytest.mark.parametrize("value", ["5", "[a]", "[{a: 1}, 2]", "text", "null"])
def test_a_merge_key_takes_mappings(value):
    assert codes(f"<<: {value}") == ["BF105"]


def test_a_key_stands_once():
    found = problems("a: 1\nb: {c: 1, c: {d: no}}\na: [x]\n'a': 2\n")

    assert sorted((d.code, d.span.line, d.span.column) for d in found if d.span) == [
        ("BF107", 2, 18), ("BF108", 2, 11), ("BF108", 3, 1), ("BF108", 4, 1),
    ]  # fmt: skip
    assert "line 1" in found[-1].summary


@pytest.mark.parametrize("text", ["a: *b", "a: &a [*a]", "a: &x {b: *x}", "a: &a {<<: *a}", "*a"])
def test_an_alias_names_an_anchor_that_has_ended(text):
    assert codes(text) == ["BF106"]


def test_an_alias_repeats_the_anchor():
    assert plain("a: &x [1, &y 2]\nb: *x\nc: *y\nd: &x 3\ne: *x") == {"a": [1, 2], "b": [1, 2], "c": 2, "d": 3, "e": 3}


# ------------------------------------------------------------------ what is refused


TAGS = [
    "!!python/object/apply:os.system", "!!python/object/new:os.system", "!!python/object:os.system",
    "!!python/name:os.system", "!!python/module:os", "!!python/tuple", "!!python/none", "!!python/bool", "!!python/str",
    "!!python/int", "!!python/dict", "!!python/list", "!!python/bytes", "!!binary", "!!set", "!!omap", "!!pairs",
    "!!timestamp", "!!int", "!!float", "!!bool", "!!null", "!!merge", "!!value", "!custom", "!Ref", "!Sub",
    "!<tag:yaml.org,2002:python/object/apply:os.system>", "!<!x>", "!!python/object/apply:subprocess.check_output",
]  # fmt: skip


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_is_refused_and_runs_nothing(tag, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    canary = tmp_path / "canary"
    for value in (f"['touch {canary}']", f"'touch {canary}'", f"{{args: ['touch {canary}']}}", ""):
        assert codes(f"a: {tag} {value}") == ["BF109"]
        assert codes(f"{tag} {value}") == ["BF109"]
    assert codes(f"? {tag} x\n: 1") == ["BF109"]
    assert not canary.exists()


def test_a_tag_under_another_name_is_refused():
    assert codes("%TAG ! tag:yaml.org,2002:python/object/apply:\n---\na: !os.system ['true']") == ["BF109"]


@pytest.mark.parametrize(
    "text", ["a: \x00", "a: \x07", "\x00", 'a: "\\ud800"', "a: \ud800", "a: [", "a: 'x", "%YAML 2.0\n---\na: 1", "...", "@a"]  # noqa: E501
)  # fmt: skip
def test_what_is_no_yaml_is_told_with_a_place(text):
    (problem,) = problems(text)

    assert problem.code == "BF101"
    assert problem.span is not None


@pytest.mark.parametrize(
    "text", ["a: \ue000", 'a: "\\ue000"', 'a: "x\\uE0000\\ue001"', '"\\uf8ff": 1', "a: |\n  \ue123\n"]
)
def test_a_private_character_is_refused_however_it_is_written(text):
    assert codes(text) == ["BF101"]


def test_a_file_holds_one_document():
    assert codes("a: 1\n---\nb: 2") == ["BF103"]
    assert plain("---\na: 1\n...\n") == {"a": 1}


# ------------------------------------------------------------------ sizes

_CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (500 * 1024**2,) * 2)
from buzzflow.diagnostics import PipelineError
from buzzflow.loader.yaml_reader import read_yaml
import time
text = eval(sys.argv[1])
started = time.process_time()
try:
    read_yaml(text, "f")
    print("read")
except PipelineError as e:
    print(*(d.code for d in e.diagnostics))
print(time.process_time() - started)
"""
BOMBS = {
    **{f"flow list {n}": (f"'[' * 10**{n}", "BF104") for n in (2, 3, 4, 5, 6)},
    **{f"flow mapping {n}": (f"'{{a: ' * 10**{n}", "BF104") for n in (2, 3, 4, 5)},
    **{f"block list {n}": (f"'- ' * 10**{n} + 'x'", "BF104") for n in (2, 3, 4, 5)},
    **{f"question marks {n}": (f"'? ' * 10**{n} + 'x'", "BF105") for n in (2, 3, 4, 5)},
    **{f"flow question marks {n}": (f"'{{? ' * 10**{n}", "BF105") for n in (2, 5)},
    "indented mapping": (r"''.join(' ' * i + 'a:\n' for i in range(1400))", "BF104"),
    "million brackets": ("'[' * 1_000_000", "BF104"),
    "closed": ("'[' * 10**5 + ']' * 10**5", "BF104"),
    "aliases": (
        r"'a0: &a0 [x,x,x,x,x,x,x,x,x]\n' + ''.join(f'a{i}: &a{i} [' + ','.join([f'*a{i-1}'] * 9) + ']\n' for i in range(1, 10))",  # noqa: E501
        "BF104",
    ),
    "merges": (
        r"'a0: &a0 {x: 1}\n' + ''.join(f'a{i}: &a{i} {{<<: [*a{i-1}, *a{i-1}, *a{i-1}], k{i}: *a{i-1}}}\n' for i in range(1, 40))",  # noqa: E501
        "BF104",
    ),
    "long aliases": (r"'a: &a [' + 'x,' * 9000 + ']\nb: [' + '*a,' * 9000 + ']'", "BF104"),
    "many anchors": (r"''.join(f'- &a{i} x\n' for i in range(60000))", "BF104"),
    "many values": (r"'- a\n' * 200_000", "BF104"),
    "many keys": (r"''.join(f'k{i}: {i}\n' for i in range(24000))", "read"),
    "same key": (r"'a: 1\n' * 49_000", "BF108"),
    "long integer": ("'a: ' + '9' * 1_000_000", "BF107"),
    "long base 60": ("'a: 1' + ':59' * 300_000", "BF107"),
    "long base 60 float": ("'a: 1' + ':59' * 300_000 + '.'", "BF107"),
    "long underscores": ("'a: 1' + '_' * 1_000_000", "BF107"),
    "long text": ("'a: ' + 'x' * 1_000_000", "read"),
    "long key": ("'x' * 1_000_000 + ': 1'", "BF101"),
    "long quoted": ("'a: ' + chr(34) + chr(92) * 999_998 + chr(34)", "read"),
    "open quotes": ("'a: ' + chr(34) * 1_000_000", "BF101"),
    "NULs": ("'a: ' + chr(0) * 1_000_000", "BF101"),
    "tabs": (r"'\t' * 1_000_000 + 'a: 1'", "BF101"),
    "comments": (r"'# c\n' * 250_000", "read"),
    "directives": (r"'%X y\n' * 150_000 + '---\na: 1'", "BF101"),
    "too large": (f"'a: ' + 'x' * {MAX_BYTES}", "BF102"),
    "too large, many bytes": (f"'a: ' + 'é' * {MAX_BYTES}", "BF102"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_no_text_takes_long_or_ends_the_process(name):
    expression, expected = BOMBS[name]

    done = subprocess.run(
        [sys.executable, "-c", _CHILD, expression], capture_output=True, text=True, timeout=30, check=False
    )

    assert done.returncode not in (139, 137, -11, -9), done.returncode
    assert "Traceback" not in done.stderr
    assert done.returncode == 0
    told, seconds = done.stdout.split("\n")[:2]
    assert len(told) < 1000
    assert set(told.split()) == {expected}
    assert float(seconds) < 1


def test_depth_has_a_limit_that_no_pipeline_meets():
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH

    assert plain(deepest) is not None
    assert codes(f"[{deepest}]") == ["BF104"]


@given(st.text(max_size=60) | st.text("{}[]:,-?&*!|>'\"#%@`~ \n\ta1.<", max_size=40))
def test_any_text_gives_a_tree_or_a_diagnostic(text):
    try:
        root = read(text)
    except PipelineError as e:
        assert e.diagnostics
        assert all(d.span is not None and d.span.line >= 1 and d.span.column >= 1 for d in e.diagnostics)
    else:
        for _, leaf in root.leaves():
            assert not isinstance(leaf.value, float) or math.isfinite(leaf.value)


@pytest.mark.parametrize(
    ("line", "fixed"),
    [
        ("{m: AUC: only ${json:e.r.auc}}", '{m: "AUC: only ${json:e.r.auc}"}'),
        ("[a-${x}, b]", '["a-${x}", b]'),
        ("[${oc.env:A,b} , ${y}]  # [${z}]", '["${oc.env:A,b}" , "${y}"]  # [${z}]'),
        ("{a: 'q, ${y}', b: ${x}}", "{a: 'q, ${y}', b: \"${x}\"}"),
        ("{a: {b: s3://b/${x}/c}}", '{a: {b: "s3://b/${x}/c"}}'),
    ],
)
def test_a_reference_inside_braces_is_shown_quoted(line, fixed):
    (found,) = problems(f"key: {line}")

    assert (found.code, found.hint) == ("BF110", f"write: key: {fixed}")
    assert read(f"key: {fixed}")
