"""The tables about the service that buzzflow ships, and how old each is. `make refresh-data` writes them anew."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

MAX_AGE = 180  # days, after which a table is worth a warning
TABLES = {
    "framework images": "framework_images.json",
    "instance types": "instance_types.json",
    "instance prices": "instances.json",
    "service model": "service/models.json",
}


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a table comes from: its *source*, which *version* of it, and the day that it tells of."""

    table: str
    source: str
    version: str
    date: datetime.date

    def age(self, today: datetime.date) -> int:
        """Return how many days old the table is."""
        return (today - self.date).days

    def is_old(self, today: datetime.date) -> bool:
        """Whether the service has probably changed since."""
        return self.age(today) > MAX_AGE


@cache
def read_table(name: str) -> Any:
    """Return the table called *name* in `TABLES`."""
    return json.loads((files(__package__) / TABLES[name]).read_text("utf-8"))


def provenance(name: str) -> Provenance:
    """Return where the table called *name* comes from."""
    table = read_table(name)
    return Provenance(name, table["source"], table["version"], datetime.date.fromisoformat(table["date"]))


def provenances() -> Iterator[Provenance]:
    """Yield where every table comes from; the hardware of instances has a source of its own."""
    for name in TABLES:
        yield provenance(name)
    given = read_table("instance prices")["hardware"]
    yield Provenance("instance hardware", given["source"], given["version"], datetime.date.fromisoformat(given["date"]))
