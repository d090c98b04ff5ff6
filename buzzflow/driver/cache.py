"""Keep what validation said of a pipeline for as long as everything that it asked is answered the same.

A record holds the questions that `loader.disk` was asked, with the answers, and the result. It counts while the program
is the same and every question, asked again, has the same answer; so a file that appears, a folder that gets another
entry, a link that leads elsewhere or a process variable counts as much as a content. A content is compared by its
digest, or taken to be the same while device, inode, size and both times are. Records lie in the user's own cache and
not in the repository, where a pull request could bring forged ones along. They may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from buzzflow.driver.validated import Validated
from buzzflow.loader.disk import Asked, Identity, Memory

MOST_RECORDS = 5_000
MOST_BYTES = 200 * 1024**2
_BACKENDS = "buzzflow.backends"
_BROKEN = (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError)  # whatever reading a record may meet


@dataclass(frozen=True, slots=True)
class Cache:
    """The records of one program and one way to call it."""

    folder: Path
    program: str
    arguments: tuple[str, ...]

    def find(self, file: Path, memory: Memory) -> tuple[Validated, Asked] | None:
        """Return what was said of *file* and what was asked for it, if that would be said again."""
        try:
            head, _, body = self._place(file).read_bytes().partition(b"\n")
            if head.decode("ascii") != hashlib.sha256(body).hexdigest():
                return None
            record = json.loads(body)
            if record["program"] != self.program:
                return None
            asked: Asked = {(q, s): tuple(a) if isinstance(a, list) else a for q, s, a in record["asked"]}
            identities: dict[str, Identity] = {path: tuple(i) for path, i in record["identities"].items()}
            result = Validated.from_data(record["result"])
        except _BROKEN:
            return None
        if not all(_is_answered_so(key, answer, identities, memory) for key, answer in asked.items()):
            return None
        read = {s: i for s, i in memory.identities.items() if ("sha256", s) in asked and identities.get(s) != i}
        if read:
            self.keep(file, result, asked, {**identities, **read})  # next time they need not be read
        return result, asked

    def keep(self, file: Path, result: Validated, asked: Asked, identities: dict[str, Identity]) -> None:
        """Write a record down, whole or not at all. Where that cannot be, the next time takes longer."""
        contents = {s for q, s in asked if q == "sha256"}
        record = {
            "program": self.program,
            "asked": [[q, s, a] for (q, s), a in asked.items()],
            "identities": {s: i for s, i in identities.items() if s in contents},
            "result": result.as_data(),
        }
        body = json.dumps(record, separators=(",", ":")).encode("ascii")
        place = self._place(file)
        temporary = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
        try:
            temporary.write_bytes(hashlib.sha256(body).hexdigest().encode("ascii") + b"\n" + body)
            temporary.replace(place)
        except OSError:
            with suppress(OSError):
                temporary.unlink()

    def prune(self) -> None:
        """Delete the records that were written longest ago, when there are too many."""
        try:
            with os.scandir(self.folder) as entries:
                found = sorted(((e.stat().st_mtime_ns, e.stat().st_size, e.path) for e in entries), reverse=True)
            size = 0
            for number, (_, more, path) in enumerate(found):
                size += more
                if number >= MOST_RECORDS or size > MOST_BYTES:
                    Path(path).unlink(missing_ok=True)
        except OSError:
            return  # another process prunes, too

    def _place(self, file: Path) -> Path:
        named = "\0".join((os.path.abspath(file), os.getcwd(), *self.arguments))  # noqa: PTH100, PTH109  # links are kept
        return self.folder / f"{hashlib.sha256(named.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.json"


def open_cache(*, backend: str | None, settings: Sequence[str]) -> Cache | None:
    """Return the user's cache, or None where there can be none."""
    try:
        home = os.environ.get("XDG_CACHE_HOME", "")
        folder = Path(home if home.startswith("/") else Path.home() / ".cache", "buzzflow", "validate")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return Cache(folder, _program(), (backend or "", *settings))


def _is_answered_so(key: tuple[Any, str], answer: Any, identities: dict[str, Identity], memory: Memory) -> bool:
    question, subject = key
    if question == "sha256" and (identity := identities.get(subject)) and memory.is_still(subject, identity):
        return True
    return bool(memory.ask(question, subject) == answer)


# ------------------------------------------------------------------ the program


def _program() -> str:
    """Return a digest of all code that validates: Python, every installed distribution, our own source, backends'."""
    found = [sys.version, *_distributions()]
    for folder in sorted(_source_folders()):
        found += sorted(_files(folder))
    return hashlib.sha256("\0".join(found).encode("utf-8", "surrogateescape")).hexdigest()


def _distributions() -> Iterator[str]:
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208  # quick: this runs at each start
        except OSError:
            continue  # an archive, or not there
        yield from (f"{folder}/{n}" for n in sorted(names) if n.endswith((".dist-info", ".egg-info")))


def _source_folders() -> set[str]:
    """Return the folders of the packages that hold buzzflow and the backends; an editable one changes at any time."""
    names = {"buzzflow", *(e.module.partition(".")[0] for e in entry_points(group=_BACKENDS))}
    specs = [spec for name in names if (spec := find_spec(name))]
    packages = {folder for spec in specs for folder in spec.submodule_search_locations or ()}
    return packages | {spec.origin for spec in specs if spec.origin and not spec.submodule_search_locations}


def _files(folder: str) -> Iterator[str]:
    """Yield each file below *folder*, or the file, with what changes when it does."""
    places = [folder]
    for here, names, files in os.walk(folder):
        names[:] = [n for n in names if n != "__pycache__"]
        places += [os.path.join(here, f) for f in files]  # noqa: PTH118  # quick: this runs at each start
    for place in places:
        status = os.stat(place)  # noqa: PTH116
        if place != folder or not os.path.isdir(folder):  # noqa: PTH112
            yield f"{place} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"
