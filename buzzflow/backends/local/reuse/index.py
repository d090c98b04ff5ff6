"""Which run made which result of a step: a small file for each key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from buzzflow.backends.local.records.manifest import write_json

_MOST_ENTRIES = 50  # of one step


class Entry(BaseModel):
    """A result of a step: of *run*, which *started* then (UTC, ISO 8601), and what it depended on."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    run: str
    started: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Index:
    """The entries of one pipeline, whose runs' outputs lie below the address *prefix*, in the folder *cache*."""

    cache: Path
    prefix: str

    def find(self, step: str, key: str) -> Entry | None:
        """Return the entry of a key."""
        return _read(self._folder(step) / f"{key}.json")

    def newest(self, step: str) -> Entry | None:
        """Return the last result of a step, whatever its key."""
        return next(filter(None, map(_read, self._files(step))), None)

    def keep(self, step: str, key: str, entry: Entry) -> None:
        """Write an entry, and forget the oldest of very many."""
        folder = self._folder(step)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / f"{key}.json", entry.model_dump(mode="json"))
        for file in [*self._files(step)][_MOST_ENTRIES:]:
            file.unlink(missing_ok=True)

    def _folder(self, step: str) -> Path:
        return self.cache.joinpath("steps", *self.prefix.removeprefix("s3://").split("/"), step)

    def _files(self, step: str) -> Iterator[Path]:
        found = [(file.stat().st_mtime_ns, file) for file in self._folder(step).glob("*.json")]
        yield from (file for _, file in sorted(found, reverse=True))


def _read(file: Path) -> Entry | None:
    try:
        return Entry.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
