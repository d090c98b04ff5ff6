"""What a tuning tries."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow.backends.local import plan
from buzzflow.backends.local.steps.search import cells, tries

SCALES = st.sampled_from([None, "auto", "linear", "logarithmic", "reverse_logarithmic"])


def search(*ranges: plan.Range, strategy: str = "random") -> plan.Search:
    return plan.Search(metric="auc", maximize=True, ranges=list(ranges), strategy=strategy)


def test_a_grid_has_every_cell_once_in_the_order_of_the_file() -> None:
    grid = search(
        plan.Range(name="a", kind="values", values=["1", "2"]),
        plan.Range(name="b", kind="values", values=["x", "y"]),
        strategy="grid",
    )
    assert [tuple(t.values()) for t in tries(grid, "s")] == [("1", "x"), ("1", "y"), ("2", "x"), ("2", "y")]
    assert cells(grid) == 4


@given(low=st.integers(-50, 50), width=st.integers(1, 50), scale=SCALES, seed=st.text())
def test_integers_stay_within_their_range(low: int, width: int, scale: str | None, seed: str) -> None:
    one = plan.Range(name="d", kind="integer", low=float(low), high=float(low + width), scale=scale)
    for tried in itertools.islice(tries(search(one), seed), 20):
        assert low <= int(tried["d"]) <= low + width


@given(low=st.floats(0.001, 0.4), width=st.floats(0.001, 0.5), scale=SCALES, seed=st.text())
def test_numbers_stay_within_their_range(low: float, width: float, scale: str | None, seed: str) -> None:
    one = plan.Range(name="e", kind="continuous", low=low, high=low + width, scale=scale)
    for tried in itertools.islice(tries(search(one), seed), 20):
        assert low <= float(tried["e"]) <= low + width


def test_equal_plans_try_the_same_and_others_something_else() -> None:
    one = search(plan.Range(name="e", kind="continuous", low=0.0, high=1.0))
    first, again, other = (list(itertools.islice(tries(one, seed), 5)) for seed in ("a", "a", "b"))
    assert first == again != other


@pytest.mark.parametrize(
    ("scale", "small"), [("linear", (5, 25)), ("logarithmic", (70, 100)), ("reverse_logarithmic", (0, 15))]
)
def test_a_scale_says_where_most_tries_are(scale: str, small: tuple[int, int]) -> None:
    one = search(plan.Range(name="e", kind="continuous", low=0.0001, high=0.9999, scale=scale))
    below = sum(float(t["e"]) < 0.15 for t in itertools.islice(tries(one, "s"), 100))
    assert small[0] <= below <= small[1]


def test_nothing_is_tried_twice_and_small_ranges_come_to_an_end() -> None:
    one = search(plan.Range(name="d", kind="integer", low=1.0, high=3.0))
    assert sorted(t["d"] for t in tries(one, "s")) == ["1", "2", "3"]
