import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow.diagnostics import Diagnostic, PipelineError, Severity, Span, closest, did_you_mean


def test_a_diagnostic_keeps_the_first_place_that_it_is_given():
    bare = Diagnostic("BF999", "wrong")
    placed = bare.at(Span("f", 1, 2))

    assert bare.span is None
    assert placed.span == Span("f", 1, 2)
    assert placed.at(Span("g", 3, 4)) is placed
    assert bare.at(None) is bare


def test_only_an_error_stops_the_line():
    assert Diagnostic("BF999", "wrong").is_error
    assert not Diagnostic("BF999", "odd", severity=Severity.WARNING).is_error


def test_an_error_tells_all_that_is_wrong():
    error = PipelineError(Diagnostic(f"BF99{i}", f"wrong {i}") for i in range(2))

    assert [d.code for d in error.diagnostics] == ["BF990", "BF991"]
    assert str(error) == "BF990: wrong 0; BF991: wrong 1"


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("tran", ["train", "test"], "did you mean 'train'?"),
        ("TRAIN", ["train"], "did you mean 'train'?"),
        ("zzz", ["b", "a"], "known: a, b"),
        ("zzz", list("abcdefghij"), "known: a, b, c, d, e, f, g, h, …"),
        ("zzz", [], None),
    ],
)
def test_a_hint_names_what_was_probably_meant(name, known, hint):
    assert did_you_mean(name, known) == hint


@given(st.text(), st.lists(st.text()))
def test_the_closest_name_is_one_that_is_known(name, known):
    found = closest(name, known)

    assert found is None or found in known
    if name in known:
        assert found is not None


@pytest.mark.parametrize("name", ["stepp_0007", "step_0007x", "Step_0007"])
def test_a_close_name_is_found_among_many(name):
    assert closest(name, (f"step_{i:04}" for i in range(3000))) == "step_0007"
