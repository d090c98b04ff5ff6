"""What `interpolate` gives is what plain OmegaConf gives; it fails where OmegaConf fails.

Decided differences, which the generator leaves out or the comparison allows: a container inside text is refused, of
`oc.*` only `oc.env` is answered, a run-time value chooses no name, and what is expanded has a budget. OmegaConf puts a
container into text unanswered, so a circle through it is one for us only.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from buzzflow.diagnostics import PipelineError, Span
from buzzflow.loader.interpolate import interpolate
from buzzflow.loader.nodes import from_plain
from buzzflow.template import FORMS as ALL_FORMS
from buzzflow.template import Template

FORMS = ALL_FORMS - {"each"}  # of which foreach decides
DECIDED = {"BF121", "BF123"}
KEYS = st.sampled_from(["a", "b", "c", "d", "x_y", "x-y", "1", "0", "true", "null", "é", "B2", "step"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 30),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
    st.sampled_from(
        ["", "a", "b", "0", "1", "-1", "text", "${", "\\${a}", "é", " a ", "a.b", "\\\\", "'", "a$b", "1e3"]
    ),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.dictionaries(KEYS, inner, max_size=4), st.lists(inner, max_size=3)),
    max_leaves=8,
)


@pytest.fixture(scope="module", autouse=True)
def _resolvers():
    def placeholder(form: str):
        def resolve(*args: object) -> str:
            if not args or not all(isinstance(a, str) and "⟦" not in a for a in args):
                raise ValueError("no name")
            return _marked(form, args)

        return resolve

    for form in FORMS:
        OmegaConf.register_resolver(form, placeholder(form))
    yield
    for form in FORMS:
        OmegaConf.clear_resolver(form)


def _marked(form: str, args: Any) -> str:
    return f"⟦{form}:{'|'.join(args)}⟧"


def _with_marks(value: Any) -> Any:
    match value:
        case dict():
            return {k: _with_marks(v) for k, v in value.items()}
        case list():
            return [_with_marks(v) for v in value]
        case Template(parts=parts):
            return "".join(p if isinstance(p, str) else _marked(p.form, p.arguments) for p in parts)
        case _:
            return value


def ours(data: Any) -> tuple[Any, set[str]]:
    try:
        return _with_marks(interpolate(from_plain(data, Span("f", 1, 1)), environ={}).plain()), set()
    except PipelineError as e:
        return None, {d.code for d in e.diagnostics}


def plain_omegaconf(data: Any) -> tuple[Any, str | None]:
    try:
        return OmegaConf.to_container(OmegaConf.create(data), resolve=True), None
    except Exception as e:  # noqa: BLE001  # whatever it says, it fails
        return None, f"{type(e).__name__}: {e}"


def _paths(tree: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    found = [path] if path else []
    for key, child in children:
        found += _paths(child, (*path, str(key)))
    return found


@st.composite
def _keys(draw: st.DrawFn, paths: list[tuple[str, ...]], here: tuple[str, ...], depth: int = 0) -> str:
    """Draw what stands between `${` and `}`: most often a path that is there."""
    path = draw(st.sampled_from(paths)) if draw(st.integers(0, 29)) else (draw(KEYS), draw(KEYS))
    prefix = ""
    if draw(st.integers(0, 3)) == 0:  # relative: climb to the nearest common parent
        common = 0
        while common < min(len(path), len(here)) - 1 and path[common] == here[common]:
            common += 1
        path, prefix = path[common:], "." * (len(here) - common)
    parts = []
    for i, part in enumerate(path):
        shown = part
        if depth < 2 and draw(st.integers(0, 7)) == 0:
            shown = "${" + draw(_keys(paths, here, depth + 1)) + "}"
        bracket = draw(st.integers(0, 3)) == 0
        parts.append(f"[{shown}]" if bracket else f".{shown}" if i else shown)
    return prefix + "".join(parts)


@st.composite
def _expressions(draw: st.DrawFn, paths: list[tuple[str, ...]], here: tuple[str, ...]) -> str:
    inside = _keys(paths, here)
    kind = draw(st.sampled_from([*range(7), *range(12)]))
    if kind <= 6:
        return "${" + draw(inside) + "}"
    form = draw(st.sampled_from(sorted(FORMS)))
    if kind == 7:
        words = ["a", "a.b", "train.outputs.o", "x-y", "a b", "nan1", "1a", "a/b", "1", "true", "Null", ""]
        word = draw(st.sampled_from(words))
        return f"${{{form}:{word}}}"
    if kind == 8:
        return f"${{{form}:'{draw(st.sampled_from(['a=b', 'é', 'x.[0]', '', '1', ' a']))}', \"b\"}}"
    if kind == 9:
        return f"${{{form}:${{{draw(inside)}}}}}"
    if kind == 10:
        return f"${{{form}:'q ${{{draw(inside)}}}'}}"
    return draw(
        st.sampled_from(["${}", "${a", "$${a}", "${ a }", "${a.}", "${a b}", "${.}", "${..}", "${a:", "${a[0}"])
    )


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    tree = draw(st.dictionaries(KEYS, TREES, min_size=1, max_size=4))
    paths = _paths(tree)

    def text(here: tuple[str, ...]) -> str:
        literal = st.sampled_from(["", "", "", "x", " ", "\\${a}", "\\\\", "\\", "'", '"', "é", "$", "}", ",", "s3://"])
        parts = [draw(literal)]
        for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
            parts += [draw(_expressions(paths, here)), draw(literal)]
        return "".join(parts)

    def fill(node: Any, path: tuple[str, ...]) -> Any:
        if isinstance(node, dict) and node:
            return {k: fill(v, (*path, k)) for k, v in node.items()}
        if isinstance(node, list) and node:
            return [fill(v, (*path, str(i))) for i, v in enumerate(node)]
        return text(path) if draw(st.integers(0, 2)) == 0 else node

    return {k: fill(v, (k,)) for k, v in tree.items()}


@settings(max_examples=300)
@given(configs())
@example({"a": {"x": "${.y}", "y": 1}, "b": "${a}"})
@example({"a": {"x": "${.y}", "y": 1}, "b": "${a}", "c": "${b.x}"})
@example({"a": [1, "${.0}"], "b": "${a[1]}", "c": "${a.-1}"})
@example({"a": "\\${b}", "b": "${a}"})
@example({"a": "\\\\${b}", "b": "x"})
@example({"a": "\\\\\\${b}", "b": "x"})
@example({"a": None, "b": "x${a}", "c": "${a}"})
@example({"a": True, "b": "x${a}", "c": 1.0, "d": "${c}:${c}"})
@example({"a": "${b}", "b": "${a}"})
@example({"a": {"self": "${a}"}})
@example({"a": {"x": 1, "y": "${a.x}"}})
@example({"a": {"b": {"c": "${...d}"}}, "d": 5})
@example({"a": {"1": "x"}, "b": "${a.1}"})
@example({"a": {"true": "x"}, "b": "${a.true}"})
@example({"a": "b", "b": 5, "c": "${${a}}", "d": "${param:${a}}"})
@example({"a": "${param:x}", "b": "${a}${a}", "c": ["${b}"], "d": "${c}"})
def test_it_answers_as_omegaconf_does(data):
    expected, failure = plain_omegaconf(data)
    answered, codes = ours(data)

    if codes & DECIDED or (codes == {"BF122"} and failure is None and "${" in repr(expected)):
        event("decided difference")
    elif failure is not None:
        event("both fail")
        assert codes, f"OmegaConf: {failure}, ours: {answered!r}"
    else:
        event("both answer")
        assert not codes, f"OmegaConf: {expected!r}, ours: {codes}"
        assert repr(answered) == repr(expected)


@given(configs())
def test_it_changes_nothing_that_it_was_given(data):
    root = from_plain(data, Span("f", 1, 1))
    before = repr(root.plain())
    first = ours(data)

    with suppress(PipelineError):
        interpolate(root, environ={})
    assert repr(root.plain()) == before
    assert repr(ours(data)) == repr(first)
