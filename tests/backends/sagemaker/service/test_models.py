"""The models are what the tool makes of botocore, and Python can read all of them."""

import json
import re
import sys
import time
from datetime import date
from importlib.resources import files
from pathlib import Path

import botocore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow.backends.sagemaker.service import shapes
from buzzflow.backends.sagemaker.service.patterns import can_match, readable
from buzzflow.backends.sagemaker.service.placeholders import known_text

ROOT = Path(__file__).parents[4]
sys.path.insert(0, str(ROOT / "tools"))

import refresh_service_model  # noqa: E402

UNREADABLE: set[str] = set()


@pytest.fixture(scope="module")
def text():
    return (files("buzzflow.backends.sagemaker.service") / "models.json").read_text("utf-8")


@pytest.fixture(scope="module")
def patterns(text):
    services = json.loads(text)["services"].values()
    return {shape["pattern"] for service in services for shape in service["shapes"].values() if "pattern" in shape}


def test_the_models_are_what_the_tool_makes_of_the_same_botocore(text):
    found = json.loads(text)
    version = found["version"]
    if version != botocore.__version__:
        pytest.skip(f"the models are of botocore {version}, and {botocore.__version__} is installed")
    assert text == refresh_service_model.as_text(refresh_service_model.models(date.fromisoformat(found["date"])))


def test_the_models_are_small(text):
    assert len(text) < 300_000


def test_every_shape_that_is_named_is_there():
    waiting = [shapes.request_shape(o) for o in shapes.request_operations()]
    waiting += [shapes.response_shape(o) for o in shapes.response_operations()]
    seen = set()
    while waiting:
        shape = waiting.pop()
        if (shape.service, shape.name) not in seen:
            seen.add((shape.service, shape.name))
            names = [*shape.members.values(), *(n for n in (shape.member, shape.key, shape.value) if n)]
            waiting += [shape.part(name) for name in names]
    assert len(seen) > 800


def test_an_operation_that_no_model_has_is_a_key_error():
    with pytest.raises(KeyError):
        shapes.request_shape("DeleteEverything")


def test_every_pattern_is_readable_but_those_listed(patterns):
    assert {p for p in patterns if readable(p) is None} == UNREADABLE


def test_a_pattern_that_python_cannot_read_takes_every_text():
    assert can_match("[b-a]", known_text("x"))


@pytest.mark.parametrize("character", ["\U0001f600", "ä", "\ud7ff"])
def test_a_pattern_with_pairs_of_surrogates_takes_every_plane(patterns, character):
    pairs = [p for p in patterns if r"\uD800\uDC00-\uDBFF\uDFFF" in p or "\u10000-\u10ffFF" in p]
    assert len(pairs) == 3
    assert all(can_match(p, known_text(character)) for p in pairs)


@pytest.mark.parametrize("digit", ["\u0663", "\uff11"])
def test_a_digit_is_an_ascii_digit_as_in_java(digit):
    assert not can_match(r"\d{12}", known_text(digit * 12))


def test_letters_of_every_alphabet_are_letters(patterns):
    [tag] = [p for p in patterns if p == r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"]
    assert can_match(tag, known_text("команда"))
    assert not can_match(tag, known_text("a#b"))


@given(data=st.data())
def test_a_text_that_matches_can_match_from_each_of_its_beginnings(patterns, data):
    same = [p for p in patterns if r"\p" not in p and readable(p).pattern == p]
    pattern = data.draw(st.sampled_from(sorted(same)))
    text = data.draw(st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True))
    assert can_match(pattern, known_text(text))
    for end in range(len(text)):
        joined = {"Std:Join": {"On": "", "Values": [text[:end], {"Get": "Parameters.p"}]}}
        assert can_match(pattern, known_text(joined)), text[:end]


@pytest.mark.parametrize("busy", ["a" * 20_000, "-" * 20_000, "a-" * 10_000 + "!", "arn:aws:" * 3000, "a\n" * 10_000])
def test_no_text_keeps_a_pattern_busy(patterns, busy):
    for pattern in patterns:
        for value in (busy, {"Std:Join": {"On": "", "Values": [busy, {"Get": "Parameters.p"}]}}):
            start = time.perf_counter()
            can_match(pattern, known_text(value))
            assert time.perf_counter() - start < 1, pattern


def test_a_text_that_takes_too_long_is_taken():
    start = time.perf_counter()
    assert can_match(".*.*.*.*.*[^a]", known_text("a" * 2000))
    assert time.perf_counter() - start < 1
