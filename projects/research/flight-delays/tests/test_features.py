import pandas as pd
import pytest

FLIGHT = {"day": "2013-06-01", "carrier": "UA", "origin": "EWR", "dest": "IAH", "departure_minute": 480.0, "late": 0}


@pytest.fixture
def features(step_module):
    return step_module("features")


def flights(features, *changes):
    """Flights that differ from FLIGHT in *changes*."""
    return pd.DataFrame([dict.fromkeys(features.NUMERIC, 0.0) | FLIGHT | change for change in changes])


def test_nothing_that_is_known_only_after_departure_is_a_feature(features):
    known_too_late = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", features.TARGET}
    assert known_too_late.isdisjoint(features.FEATURES)


def test_a_value_that_training_never_saw_is_missing(features):
    categories = features.categories_of(flights(features, {}, {"carrier": "AA"}))
    prepared = features.prepare(flights(features, {"carrier": "AA"}, {"carrier": "ZZ"}), categories)
    assert categories["carrier"] == ["AA", "UA"]
    assert prepared["carrier"].isna().tolist() == [False, True]
    assert list(prepared.columns) == features.FEATURES


def test_categories_have_the_same_codes_in_every_table(features):
    both = flights(features, {}, {"carrier": "AA"})
    categories = features.categories_of(both)
    for frame in both, both[::-1], both[:1]:
        assert list(features.prepare(frame, categories)["carrier"].cat.categories) == ["AA", "UA"]


def test_held_out_days_come_after_all_others(features):
    days = [f"2013-06-{day:02d}" for day in (3, 30, 1, 29, 28, 30)]
    earlier, later = features.split_last_days(flights(features, *({"day": day} for day in days)), 2)
    assert sorted(later["day"]) == ["2013-06-29", "2013-06-30", "2013-06-30"]
    assert earlier["day"].max() < later["day"].min()
    assert len(earlier) + len(later) == len(days)


def test_a_rate_from_few_flights_is_pulled_to_the_overall_one(features):
    common = [{"late": number % 4 == 0} for number in range(1000)]
    rates = features.fit_rates(flights(features, *common, {"carrier": "AA", "late": 1}))
    usual, rare, unknown = features.predict_rates(rates, flights(features, {}, {"carrier": "AA"}, {"carrier": "ZZ"}))
    assert usual == pytest.approx(0.25, abs=0.001)
    assert usual < rare < 0.3
    assert unknown == rates["overall"]


def test_a_code_that_reads_na_is_not_a_missing_value(features, tmp_path):
    flights(features, {"carrier": "NA", "seats": None}).to_csv(tmp_path / "flights.csv.gz", index=False)
    frame = features.read(tmp_path / "flights.csv.gz")
    assert frame["carrier"].tolist() == ["NA"]
    assert frame["seats"].isna().all()
