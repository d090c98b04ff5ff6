import csv
import gzip
import sqlite3
from contextlib import closing
from datetime import date

import pytest

FLIGHT = {
    "year": 2013, "month": 6, "day": 2, "sched_dep_time": 830, "sched_arr_time": 1010, "arr_delay": 0,
    "carrier": "UA", "tailnum": "N1", "origin": "EWR", "dest": "IAH", "distance": 1400,
    "time_hour": "2013-06-02T12:00:00Z",
}  # fmt: skip
WEATHER = {"origin": "EWR", "time_hour": "2013-06-02T12:00:00Z", "temp": 60, "dewp": 50, "humid": 40, "wind_speed": 5,
           "precip": 0, "pressure": "NA", "visib": 10}  # fmt: skip
PLANE = {"tailnum": "N1", "year": 2003, "seats": 150}


@pytest.fixture
def extract(step_module):
    return step_module("extract")


@pytest.fixture
def select(extract):
    """Run the project's query on a few flights, as dictionaries; each differs from FLIGHT in what is given."""

    def run(*changes, weather=(), planes=({},), days=("2013-06-02", "2013-06-03"), late_minutes=15):
        with closing(sqlite3.connect(":memory:")) as database:
            for table, base, rows in (
                ("flights", FLIGHT, changes),
                ("weather", WEATHER, weather),
                ("planes", PLANE, planes),
            ):
                lines = [",".join(base), *(",".join(map(str, (base | row).values())) for row in rows)]
                assert extract.load_table(database, table, iter(lines)) in (len(rows), -1)
            columns, found = extract.select_flights(database, *days, late_minutes)
            return [dict(zip(columns, row, strict=True)) for row in found]

    return run


def test_the_query_returns_the_features_the_target_and_the_day(select, step_module):
    features = step_module("features")
    (flight,) = select({})
    assert set(flight) == {*features.FEATURES, features.TARGET, "day"}
    assert (flight["departure_minute"], flight["scheduled_minutes"]) == (510, 100)
    assert (flight["plane_age"], flight["seats"], flight["weekday"]) == (10, 150, 0)


@pytest.mark.parametrize(("delay", "late"), [(-5, 0), (14, 0), (15, 1), (200, 1)])
def test_late_is_fifteen_minutes_or_more(select, delay, late):
    assert [flight["late"] for flight in select({"arr_delay": delay})] == [late]


def test_a_flight_that_never_arrived_is_left_out_but_was_on_the_timetable(select):
    (flight,) = select({}, {"arr_delay": "NA"})
    assert flight["departures_in_hour"] == 2


def test_an_arrival_after_midnight_is_still_ahead(select):
    (flight,) = select({"sched_dep_time": 2330, "sched_arr_time": 110})
    assert flight["scheduled_minutes"] == 100


def test_the_weather_is_that_of_the_hour_before(select):
    (flight,) = select({}, weather=[{"temp": 90}, {"time_hour": "2013-06-02T11:00:00Z", "temp": 70}])
    assert (flight["temp"], flight["pressure"]) == (70, None)


def test_a_flight_without_weather_or_plane_stays(select):
    (flight,) = select({}, planes=[])
    assert (flight["temp"], flight["plane_age"]) == (None, None)


def test_only_the_day_before_tells_how_late_an_origin_is(select):
    others = [
        {"day": 1, "arr_delay": 60},
        {"day": 1, "arr_delay": 0},
        {"day": 1, "arr_delay": 60, "origin": "JFK"},
        {"month": 5, "day": 31, "arr_delay": 60},
    ]
    (flight,) = select({}, *others)
    assert flight["origin_late_yesterday"] == 0.5


def test_delays_of_the_same_day_or_later_change_no_feature(select):
    def features(delay):
        flights = select(
            {}, {"dest": "ORD", "arr_delay": delay}, {"day": 3, "arr_delay": delay}, days=("2013-06-01", "2013-06-03")
        )
        return [{name: value for name, value in flight.items() if name != "late"} for flight in flights]

    assert features(0) == features(300)


def test_every_flight_lands_on_its_side_of_the_split(extract, tmp_path):
    rows = [("2013-09-29", "UA"), ("2013-09-30", "AA"), ("2013-10-01", None), ("2013-12-31", "B6")]
    folders = tmp_path / "train", tmp_path / "test"
    counts = extract.write_split(["day", "carrier"], rows, date(2013, 10, 1), *folders)
    texts = [gzip.decompress((folder / "flights.csv.gz").read_bytes()).decode() for folder in folders]
    written = [list(csv.reader(text.splitlines())) for text in texts]
    assert counts == {"train": 2, "test": 2}
    assert written[0] == [["day", "carrier"], ["2013-09-29", "UA"], ["2013-09-30", "AA"]]
    assert written[1] == [["day", "carrier"], ["2013-10-01", ""], ["2013-12-31", "B6"]]


def test_the_same_flights_give_the_same_bytes(extract, tmp_path):
    for name in "first", "second":
        extract.write_split(["day"], [("2013-09-29",)], date(2013, 10, 1), tmp_path / name, tmp_path / name / "test")
    first, second = (tmp_path / name / "flights.csv.gz" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_days_in_the_wrong_order_are_refused(extract, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["extract.py", "--from", "2013-11-01"])
    with pytest.raises(SystemExit):
        extract.main()
    assert "not in this order" in capsys.readouterr().err


def test_the_data_set_has_every_column_that_is_loaded(extract):
    for table, columns in extract.TABLES.items():
        with extract.open_data(table) as lines:
            assert set(columns) <= set(next(csv.reader(lines)))
