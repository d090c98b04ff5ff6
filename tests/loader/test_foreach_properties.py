"""What foreach makes is what the user could have written by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from buzzflow.config.steps import fields_by_type
from buzzflow.diagnostics import PipelineError
from buzzflow.loader import load as loader
from buzzflow.loader.load import LoadedConfig
from buzzflow.template import Template

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
Load = Callable[[Any], LoadedConfig]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    folder: Path = tmp_path_factory.mktemp("repository")
    (folder / ".git").mkdir()

    def load(data: Any) -> LoadedConfig:
        (folder / "pipeline.yaml").write_text(json.dumps(data, ensure_ascii=False))  # JSON is YAML
        return loader.load(folder, fields=fields_by_type())

    return load


def plain(value: Any) -> Any:
    """Return data with references as text, in which true is not 1, and the order of keys counts."""
    match value:
        case dict():
            return [(k, plain(v)) for k, v in value.items()]
        case list():
            return [plain(v) for v in value]
        case Template():
            return str(value)
        case _:
            return repr(value)


# ------------------------------------------------------------------ pipelines, both ways

WORDS = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_. -]{0,6}[a-zA-Z0-9]", fullmatch=True).filter(lambda w: "  " not in w)
ITEMS = st.one_of(WORDS, st.integers(-9, 99), st.booleans(), st.floats(0.0625, 1e6, width=32))
LITERALS = st.sampled_from(["", " ", "a", "s3://b/", "/", ".", "é", "it's", "}", "\\${x} "])
ALONE: tuple[str, str, str] = ("", "", "")


def text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def cleaned(value: Any) -> str:
    return re.sub("[^a-zA-Z0-9_-]", "-", text(value))


@st.composite
def grids(draw: st.DrawFn) -> dict[str, list[Any]]:
    keys = draw(st.lists(st.sampled_from(["region", "size", "k_1", "x-y"]), min_size=1, max_size=3, unique=True))
    return {k: draw(st.lists(ITEMS, min_size=1, max_size=3, unique_by=cleaned)) for k in keys}


@st.composite
def fields(draw: st.DrawFn, keys: list[str]) -> Any:
    """Draw a value in which ("each", key) stands for an item, and [("text", …), …] for a text of several parts."""
    part = st.one_of(LITERALS.map(lambda s: ("text", s)), st.sampled_from(keys).map(lambda k: ("each", k)))
    leaf = st.one_of(
        st.sampled_from(keys).map(lambda k: ("each", k)),
        st.lists(part, min_size=2, max_size=4).map(lambda parts: ("join", parts)),
        st.sampled_from(["plain", 7, "${variables.v}", "${param:p}", "${run:id}"]).map(lambda v: ("text", v)),
    )
    tree = st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.dictionaries(st.sampled_from("abcd"), inner, min_size=1, max_size=3).map(lambda d: ("map", d)),
            st.lists(inner, min_size=1, max_size=3).map(lambda items: ("list", items)),
        ),
        max_leaves=6,
    )
    return draw(
        st.dictionaries(st.sampled_from(["tags", "hyperparameters", "environment_variables"]), tree, max_size=3)
    )


def written(node: Any, item: Callable[[str, bool], Any]) -> Any:
    kind, value = node
    match kind:
        case "text":
            return value
        case "each":
            return item(value, True)
        case "join":
            parts = [p for p in value if p[1]]
            if len(parts) == 1:
                return written(parts[0], item)
            return "".join(v if k == "text" else item(v, False) for k, v in value)
        case "map":
            return {k: written(v, item) for k, v in value.items()}
        case _:
            return [written(v, item) for v in value]


def as_each(key: str, _alone: bool) -> str:
    return f"${{each:{key}}}"


def as_item(combination: dict[str, Any]) -> Callable[[str, bool], Any]:
    return lambda key, alone: combination[key] if alone else text(combination[key])


def combinations(grid: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(grid, chosen, strict=True)) for chosen in product(*grid.values())]


def suffix(combination: dict[str, Any]) -> str:
    return "-".join(map(cleaned, combination.values()))


@st.composite
def pipelines(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any], dict[str, list[Any]]]:
    """Draw a pipeline with a step and a group of two steps, and the same written by hand."""
    grid = draw(grids())
    chosen = combinations(grid)
    assume(len({suffix(c) for c in chosen}) == len(chosen))
    step, first, second = (draw(fields(list(grid))) for _ in range(3))
    head = {"variables": {"v": 1.5, "unused": {}}, "parameters": {"p": "x"}, "defaults": {"timeout": "2h"}}
    training = {"type": "training", "code": "t.py"}
    after = {"inputs": {"x": "${step:first.model}"}, "depends_on": ["first"]}
    short = {
        "s": {**training, "foreach": grid, **{k: written(v, as_each) for k, v in step.items()}},
        "g": {
            "type": "foreach",
            "items": grid,
            "steps": {
                "first": {**training, **{k: written(v, as_each) for k, v in first.items()}},
                "second": {**training, **{k: written(v, as_each) for k, v in second.items()}, **after},
            },
        },
        "last": {"type": "fail", "message": f"${{step:s.{suffix(chosen[0])}.model}}", "depends_on": ["s", "g"]},
    }
    long: dict[str, Any] = {}
    for name, drawn in (("s", step), ("first", first), ("second", second)):
        for c in chosen:
            own = {"inputs": {"x": f"${{step:first-{suffix(c)}.model}}"}, "depends_on": [f"first-{suffix(c)}"]}
            values = {k: written(v, as_item(c)) for k, v in drawn.items()}
            long[f"{name}-{suffix(c)}"] = {**training, **values, **(own if name == "second" else {})}
    first_model = f"${{step:s-{suffix(chosen[0])}.model}}"
    long["last"] = {"type": "fail", "message": first_model, "depends_on": list(long)}
    return {**head, "steps": short}, {**head, "steps": long}, grid


@given(pipelines())
def test_copies_are_what_the_user_could_have_written(load, drawn):
    short, long, grid = drawn

    expanded = load(short).data

    assert plain(expanded["steps"]) == plain(load(long).data["steps"])
    copies = [n for n in expanded["steps"] if n != "last"]
    assert len(copies) == 3 * prod(map(len, grid.values()))
    assert all(NAME.fullmatch(n) for n in copies)
    assert "each:" not in repr(plain(expanded))


@given(pipelines(), st.randoms(use_true_random=False))
def test_the_order_of_other_keys_changes_no_copy(load, drawn, random):
    short, _, _ = drawn

    def shuffled(data: dict[str, Any]) -> dict[str, Any]:
        pairs = list(data.items())
        random.shuffle(pairs)
        return dict(pairs)

    steps = shuffled({n: shuffled(s) for n, s in short["steps"].items()})
    other = shuffled({**short, "steps": steps})

    def by_name(data: Any) -> Any:
        return {k: by_name(v) for k, v in data.items()} if isinstance(data, dict) else plain(data)

    this, that = load(short).data["steps"], load(other).data["steps"]
    this["last"]["depends_on"].sort(key=repr)
    that["last"]["depends_on"].sort(key=repr)
    assert by_name(this) == by_name(that)


LONG = st.text("ab.é 0", min_size=1, max_size=90)


@given(st.text("ab", min_size=1, max_size=64), st.lists(LONG, min_size=1, max_size=4, unique_by=cleaned))
def test_every_name_of_a_copy_is_valid_and_its_own_and_depends_on_its_item_only(load, step, items):
    assume(all(i.strip() == i for i in items))

    def names(items: list[str]) -> list[str]:
        return list(load({"steps": {step: {"type": "training", "code": "t.py", "foreach": items}}}).data["steps"])

    found = names(items)

    assert len(set(found)) == len(items)
    assert all(NAME.fullmatch(n) for n in found)
    assert names(items[::-1]) == found[::-1]
    assert [names([i])[0] for i in items] == found


# ------------------------------------------------------------------ ${each:…} and ${variables.…}

TRICKY = st.text(alphabet="ab$\\{}'\"/: é1.-", max_size=6)


def escaped(value: str) -> str:
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", value)


def answer(load: Load, data: Any) -> Any:
    try:
        step = next(iter(load(data).data["steps"].values()))
    except PipelineError as e:
        return {d.code for d in e.diagnostics}
    return plain(step["tags"])


@given(TRICKY, TRICKY, TRICKY, st.sampled_from(["alone", "in text", "nested", "quoted"]))
def test_each_stands_for_its_value_as_a_variable_does_or_is_refused(load, before, value, after, place):
    assume(value)
    form = {
        "alone": "{}",
        "in text": before + "{}" + after,
        "nested": "${variables.t.{}}",
        "quoted": "${json:'a.b.{}'}",
    }[place]
    step = {"type": "training", "code": "t.py"}
    variables = {"v": escaped(value), "t": {value: "found"}}

    def data(reference: str, **more: Any) -> Any:
        tags = {"x": form.replace("{}", reference, 1) if place != "in text" else before + reference + after}
        return {"variables": variables, "steps": {"s": {**step, **more, "tags": tags}}}

    by_variable = answer(load, data("${variables.v}"))
    by_each = answer(load, data("${each:k.v}", foreach={"k": {"one": {"v": escaped(value)}}}))

    event(f"{place}: {by_each if isinstance(by_each, set) else 'answered'}")
    if by_each in ({"BF155"}, {"BF156"}):
        assert place != "alone"
    elif not isinstance(by_variable, set):
        assert repr(by_each).replace("each:k.v", "variables.v") == repr(by_variable)  # it may be escaped
    else:
        assert isinstance(by_each, set)
