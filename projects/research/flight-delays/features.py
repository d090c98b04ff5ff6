"""What the model sees of a flight: the columns, how they are read, and the simple rate that it has to beat."""

import pandas as pd

TARGET = "late"
CATEGORICAL = ["carrier", "origin", "dest"]
# No `month`: the test months never occur in training, so a tree could only learn the wrong thing from it.
NUMERIC = [
    "departure_minute",
    "scheduled_minutes",
    "distance",
    "departures_in_hour",
    "weekday",
    "plane_age",
    "seats",
    "temp",
    "dewp",
    "humid",
    "wind_speed",
    "precip",
    "pressure",
    "visib",
    "origin_late_yesterday",
]
FEATURES = CATEGORICAL + NUMERIC

# A carrier's hour with few flights is pulled towards the overall rate, as if it had this many average flights more.
PRIOR_FLIGHTS = 50


def read(path):
    """Read a table that `extract.py` wrote; `day` stays text, which sorts and compares as dates do."""
    types = {"day": str} | dict.fromkeys(CATEGORICAL, str) | dict.fromkeys(NUMERIC, float) | {TARGET: int}
    # "NA" would be a missing value, but as a carrier or an airport it is a code like any other
    return pd.read_csv(path, dtype=types, keep_default_na=False, na_values=[""])


def categories_of(frame):
    """The values of every categorical column, in a fixed order."""
    return {name: sorted(frame[name].unique()) for name in CATEGORICAL}


def prepare(frame, categories):
    """The model's input. A value that training never saw, such as a new destination, counts as missing."""
    prepared = frame[FEATURES].copy()
    for name, values in categories.items():
        known = frame[name].where(frame[name].isin(values))
        prepared[name] = pd.Categorical(known, categories=values)
    return prepared


def split_last_days(frame, days):
    """Split in time: all but the last *days* calendar days, and those."""
    first_held_out = (pd.Timestamp(frame["day"].max()) - pd.Timedelta(days=days - 1)).date().isoformat()
    return frame[frame["day"] < first_held_out], frame[frame["day"] >= first_held_out]


def fit_rates(frame):
    """The baseline: how often each carrier was late at each hour of the day, smoothed."""
    overall = float(frame[TARGET].mean())
    groups = frame[TARGET].groupby([frame["carrier"], _hour(frame)]).agg(["sum", "count"])
    smoothed = (groups["sum"] + PRIOR_FLIGHTS * overall) / (groups["count"] + PRIOR_FLIGHTS)
    return {"overall": overall, "rates": {key: float(rate) for key, rate in smoothed.items()}}


def predict_rates(baseline, frame):
    keys = zip(frame["carrier"], _hour(frame), strict=True)
    return [baseline["rates"].get(key, baseline["overall"]) for key in keys]


def _hour(frame):
    return (frame["departure_minute"] // 60).astype(int)
