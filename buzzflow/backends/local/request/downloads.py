"""Data that was fetched from S3 for local runs: each address in a folder of its own, whole or not at all.

An address has its own folder, not one in the store: of `s3://b/data/` and `s3://b/data/x/`, which may both be asked
for, having the one says nothing of the other.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from buzzflow.backends.local.events import Transfer
from buzzflow.backends.local.executor import Tell
from buzzflow.backends.local.owner import is_gone, machine, owner
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.diagnostics import Path as DiagnosticPath

FOLDER = "downloads"
_RECORD = "source.json"
_PARTIAL = ".partial-"
_SIDE_BY_SIDE = 8
_TELL_SECONDS = 0.25
_ADDRESS = re.compile(r"s3://([^/]+)/(.*)", re.DOTALL)
_NO_FILE = "an object with that name cannot be a file here"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object: *name* is its path below the address, or the last part of its key when it is the address itself."""

    key: str
    name: str
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Source:
    """What lies at an address in S3; *path* is where the pipeline names it."""

    address: str
    path: DiagnosticPath
    objects: tuple[StoredObject, ...]

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(item.size for item in self.objects)

    @property
    def is_one(self) -> bool:
        """Whether the address is an object, and not a folder of some."""
        return len(self.objects) == 1 and self.objects[0].key == bucket_and_key(self.address)[1]


class Bucket(Protocol):
    """What is asked of S3. PipelineError tells what it refuses."""

    def listed(self, bucket: str, prefix: str) -> Iterable[tuple[str, int, str]]:
        """Yield key, size and ETag of the objects whose key begins with *prefix*."""
        ...

    def pieces(self, bucket: str, key: str, etag: str) -> Iterator[bytes]:
        """Yield the content of an object, as long as it has this ETag."""
        ...


def bucket_and_key(address: str) -> tuple[str, str]:
    """Return the two parts of an address."""
    match = _ADDRESS.fullmatch(address)
    assert match is not None, f"{address} comes from the store, which takes no other text"
    return match[1], match[2]


# ------------------------------------------------------------------ what is here


def fetched(state: Path) -> dict[str, Path]:
    """Return what was fetched before: address to folder or file."""
    return {str(record["address"]): folder / str(record["data"]) for folder, record in _records(state)}


def changed(state: Path, source: Source) -> str | None:
    """Return what is different in S3 from what was fetched, in a few words; None when nothing is."""
    for folder, record in _records(state):
        if record["address"] == source.address:
            now = {item.name: [item.size, item.etag] for item in source.objects}
            then = record["objects"]
            names = [name for name in now.keys() | then.keys() if now.get(name) != then.get(name)]
            return f"{_count(len(names))} differ: delete {folder} to fetch it again" if names else None
    return None


def _records(state: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for file in sorted((state / FOLDER).glob(f"*/{_RECORD}")):
        if _PARTIAL not in file.parent.name:
            yield file.parent, json.loads(file.read_bytes())


# ------------------------------------------------------------------ what lies in S3


def look(bucket: Bucket, address: str, path: DiagnosticPath) -> Source:
    """Return what lies at *address*: the object of that key, or those below it as below a folder."""
    name, key = bucket_and_key(address)
    folder = key if key.endswith("/") or not key else f"{key}/"
    found = []
    for each, size, etag in bucket.listed(name, key):
        if each == key and not key.endswith("/"):
            found.append(StoredObject(each, each.rsplit("/", 1)[-1], size, etag))
        elif each.startswith(folder) and not each.endswith("/"):  # the console marks folders with empty objects
            found.append(StoredObject(each, each.removeprefix(folder), size, etag))
    if problem := next((item for item in found if not _can_be_a_file(item.name)), None):
        raise PipelineError([Diagnostic("BF563", f"{address}: {_NO_FILE}: {problem.key!r}", path)])
    source = Source(address, path, tuple(found))
    if len(found) > 1 and any(item.key == key for item in found):
        hint = "end the address in / to mean the folder"
        raise PipelineError([Diagnostic("BF563", f"{address} is both an object and a folder of some", path, hint)])
    return source


def _can_be_a_file(name: str) -> bool:
    parts = name.split("/")
    return "\0" not in name and all(part not in ("", ".", "..") and len(part.encode()) <= 255 for part in parts)


# ------------------------------------------------------------------ fetching


def fetch(bucket: Bucket, sources: Sequence[Source], state: Path, tell: Tell, stop: threading.Event) -> None:
    """Fetch *sources*, side by side; what is not whole in the end is not there. Setting *stop* ends it soon."""
    progress = _Progress(sum(source.size for source in sources), tell)
    tell(f"fetching {', '.join(f'{source.address} ({size_text(source.size)})' for source in sources)}")
    began = time.monotonic()
    try:
        for source in sources:
            _fetch_one(bucket, source, state, progress.add, stop)
    finally:
        progress.end()
    tell(f"fetched {size_text(progress.total)} in {time.monotonic() - began:.0f} s; later runs find them")


def _fetch_one(bucket: Bucket, source: Source, state: Path, add: Callable[[int], None], stop: threading.Event) -> None:
    digest = hashlib.sha256(source.address.encode()).hexdigest()[:16]
    target = state / FOLDER / digest
    _remove_leftovers(target)
    partial = target.with_name(f"{digest}{_PARTIAL}{machine()}-{owner()}")
    data = partial / "data"
    data.mkdir(parents=True)
    try:
        with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="fetch") as pool:
            failed = threading.Event()

            def one(item: StoredObject) -> None:
                try:
                    _write(bucket, source, item, data / item.name, add, lambda: stop.is_set() or failed.is_set())
                except BaseException:
                    failed.set()
                    raise

            for future in [pool.submit(one, item) for item in source.objects]:
                future.result()
        record = {
            "address": source.address,
            "data": f"data/{source.objects[0].name}" if source.is_one else "data",
            "fetched": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "objects": {item.name: [item.size, item.etag] for item in source.objects},
        }
        (partial / _RECORD).write_text(json.dumps(record, indent=2) + "\n", "utf-8")
        if not target.exists():  # another run may have been faster
            partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write(
    bucket: Bucket,
    source: Source,
    item: StoredObject,
    file: Path,
    add: Callable[[int], None],
    ended: Callable[[], bool],
) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with file.open("wb") as stream:
        for piece in bucket.pieces(bucket_and_key(source.address)[0], item.key, item.etag):
            if ended():
                raise KeyboardInterrupt
            stream.write(piece)
            written += len(piece)
            add(len(piece))
    if written != item.size:
        summary = f"{source.address}: {item.key} has {written} bytes, and S3 had said {item.size}"
        raise PipelineError([Diagnostic("BF563", summary, source.path, "run again")])


def _remove_leftovers(target: Path) -> None:
    """Remove what a killed run left of this address."""
    for folder in target.parent.glob(f"{target.name}{_PARTIAL}*"):
        its_machine, _, its_owner = folder.name.partition(_PARTIAL)[2].partition("-")
        if is_gone(its_machine, its_owner):
            shutil.rmtree(folder, ignore_errors=True)


class _Progress:
    """Adds up bytes from several threads, and tells not more often than somebody can read it."""

    def __init__(self, total: int, tell: Tell) -> None:
        self.total, self._tell = total, tell
        self._done, self._told = 0, 0.0
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        with self._lock:
            self._done += count
            if time.monotonic() - self._told >= _TELL_SECONDS:
                self._told = time.monotonic()
                self._tell(Transfer("data from S3", self._done, self.total))

    def end(self) -> None:
        self._tell(Transfer("data from S3", None, None))


def size_text(count: int) -> str:
    """Return `412 MB`, `1.5 GB`: powers of ten, as the S3 console and `--download` have them."""
    number, unit = float(count), "bytes"
    for unit in ("bytes", "kB", "MB", "GB", "TB"):  # noqa: B007 - the last one that is needed
        if number < 1000:
            break
        number /= 1000
    return f"{number:.0f} {unit}" if unit == "bytes" or number >= 100 else f"{number:.1f} {unit}"


def _count(number: int) -> str:
    return "1 object" if number == 1 else f"{number} objects"
