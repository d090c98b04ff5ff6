"""The tables about the service that buzzflow ships, and how old each is. `make refresh-data` writes them anew."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

MAX_AGE = 180  # days, after which a table is worth a warning


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


@dataclass(frozen=True, slots=True)
class Table:
    """The JSON file *file* of *package*."""

    name: str
    package: str
    file: str

    def read(self) -> Any:
        """Return what is in it."""
        return _read(self.package, self.file)

    def provenance(self) -> Provenance:
        """Return where it comes from."""
        return provenance_of(self.name, self.read())


def provenance_of(name: str, given: Mapping[str, Any]) -> Provenance:
    """Return where what is called *name* comes from, as a table says it: of itself, or of a part."""
    return Provenance(name, given["source"], given["version"], datetime.date.fromisoformat(given["date"]))


@cache
def _read(package: str, file: str) -> Any:
    return json.loads((files(package) / file).read_text("utf-8"))
