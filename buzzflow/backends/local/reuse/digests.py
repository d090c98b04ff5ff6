"""Digests of data on this machine. What was read once is not read again while it stays the same file."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from buzzflow.backends.local.records.manifest import write_json

MEMO = "digests.json"
_CHUNK = 1024**2
_MOST_FILES = 100_000  # that are remembered: 20 MB
_SETTLED = 2_000_000_000  # nanoseconds: a younger file may change again without its time telling
Identity = tuple[int, int, int]  # inode, size, time of content


class Digests:
    """Remembers the SHA-256 of files in the folder *cache*; several threads may ask."""

    def __init__(self, cache: Path) -> None:
        self._file = cache / MEMO
        self._lock = threading.Lock()
        self._known = _read(self._file)
        self._is_new = False

    def of(self, path: Path) -> str:
        """Return the digest of a file, or of a folder: equal names and contents below it, equal digest."""
        if not path.is_dir():
            return self._of_file(path)
        lines = (json.dumps([name, digest]) + "\n" for name, digest in sorted(self._inside(path)))
        return hashlib.sha256("".join(lines).encode("ascii")).hexdigest()

    def _inside(self, folder: Path) -> Iterator[tuple[str, str]]:
        for here, folders, files in os.walk(folder):
            for name in (*files, *(f for f in folders if Path(here, f).is_symlink())):
                path = Path(here, name)
                shown = path.relative_to(folder).as_posix()
                yield shown, self._of_file(path) if path.is_file() else f"link {_target(path)}"

    def _of_file(self, path: Path) -> str:
        name, status = str(path.absolute()), path.stat()
        identity = (status.st_ino, status.st_size, status.st_mtime_ns)
        with self._lock:
            known = self._known.get(name)
        if known is not None and known[0] == identity:
            return known[1]
        digest = sha256_of(path)
        if time.time_ns() - status.st_mtime_ns > _SETTLED:
            with self._lock:
                self._known[name] = (identity, digest)
                self._is_new = True
        return digest

    def save(self) -> None:
        """Write down what was read, whole or not at all. Where that cannot be, the next run takes longer."""
        with self._lock:
            if not self._is_new:
                return
            kept = dict([*self._known.items()][-_MOST_FILES:])
            self._is_new = False
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._file, {name: [*identity, digest] for name, (identity, digest) in kept.items()})


def _target(path: Path) -> str:
    return str(path.readlink()) if path.is_symlink() else stat.filemode(path.lstat().st_mode)


def _read(file: Path) -> dict[str, tuple[Identity, str]]:
    try:
        content = json.loads(file.read_bytes())
        return {name: ((int(i), int(s), int(t)), str(digest)) for name, (i, s, t, digest) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}  # a memo that is not there, or that something else has written


def sha256_of(path: Path) -> str:
    """Return the digest of a file's content."""
    sha256 = hashlib.sha256()
    with path.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            sha256.update(chunk)
    return sha256.hexdigest()
