"""What a step left, file by file: whether it is still whole, and what it says of it when it is gone."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from buzzflow.backends.local.evaluate import MAX_REPORT
from buzzflow.backends.local.records.manifest import OutputRecord, write_json
from buzzflow.backends.local.reuse.digests import sha256_of
from buzzflow.backends.local.steps.results import Left
from buzzflow.backends.local.store import Store
from buzzflow.backends.local.walls import read_some

LISTING = "outputs.json"


class ListedFile(BaseModel):
    """A file at the time when its step ended."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    size: int
    modified: int  # nanoseconds
    sha256: str


class ListedOutput(BaseModel):
    """What lay at *address*: files by their path below it; one file has the path of its name."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    address: str
    files: dict[str, ListedFile]

    @property
    def digest(self) -> str:
        """Equal names and contents, equal digest."""
        lines = (json.dumps([name, file.sha256]) + "\n" for name, file in sorted(self.files.items()))
        return hashlib.sha256("".join(lines).encode("ascii")).hexdigest()

    def record(self) -> OutputRecord:
        """Return it in figures."""
        size = sum(file.size for file in self.files.values())
        return OutputRecord(address=self.address, digest=self.digest, bytes=size, files=len(self.files))


class Listing(BaseModel):
    """All that a step left. *reports* are the contents of its JSON reports, which stay readable when outputs go."""

    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_inf_nan="constants")  # Python writes those

    outputs: dict[str, ListedOutput] = {}
    reports: dict[str, Any] = {}

    def records(self) -> dict[str, OutputRecord]:
        """Return the outputs in figures, by name."""
        return {name: output.record() for name, output in self.outputs.items()}

    def is_whole(self, store: Store) -> bool:
        """Whether every file is still what it was. Only one that was touched since is read."""
        return all(
            _is_same(_place(store.path(output.address), name), file)
            for output in self.outputs.values()
            for name, file in output.files.items()
        )


def list_outputs(left: Left, store: Store, stop: threading.Event) -> Listing:
    """Return what lies where *left* says; InterruptedError when *stop* is set meanwhile."""
    outputs = {
        name: ListedOutput(address=address, files=dict(_listed(store.path(address), stop)))
        for name, address in _addresses(left).items()
    }
    return Listing(outputs=outputs, reports=dict(_reports(left)))


def read_listing(step_folder: Path) -> Listing | None:
    """Return what the step left, as it was listed; None where nobody listed it."""
    try:
        return Listing.model_validate_json((step_folder / LISTING).read_bytes())
    except (OSError, ValidationError):
        return None


def write_listing(listing: Listing, step_folder: Path) -> None:
    """Keep the list beside the log of the step."""
    step_folder.mkdir(parents=True, exist_ok=True)
    write_json(step_folder / LISTING, listing.model_dump(mode="json"))


def _addresses(left: Left) -> Mapping[str, str]:
    """Return where outputs lie, by name; of a training, its model."""
    found = {name: address for (_, name), address in left.addresses.items()}
    models = {word: value for (_, word), value in left.properties.items() if word == "model"}
    return found | {word: value for word, value in models.items() if isinstance(value, str) and "://" in value}


def _listed(path: Path, stop: threading.Event) -> Iterator[tuple[str, ListedFile]]:
    if path.is_file():
        yield path.name, _file(path)
        return
    for here, _, files in os.walk(path):
        for name in files:
            if stop.is_set():
                raise InterruptedError("the run was stopped")
            file = Path(here, name)
            if file.is_file():  # a link inside of the output is listed as what it leads to
                yield file.relative_to(path).as_posix(), _file(file)


def _file(path: Path) -> ListedFile:
    status = path.stat()
    return ListedFile(size=status.st_size, modified=status.st_mtime_ns, sha256=sha256_of(path))


def _place(output: Path, name: str) -> Path:
    return output if output.is_file() and output.name == name else output / name


def _is_same(path: Path, file: ListedFile) -> bool:
    try:
        status = path.stat()
        if status.st_size != file.size:
            return False
        return status.st_mtime_ns == file.modified or sha256_of(path) == file.sha256
    except OSError:
        return False


def _reports(left: Left) -> Iterator[tuple[str, Any]]:
    for (_, name), path in left.reports.items():
        with suppress(OSError, ValueError, RecursionError):  # who reads its values tells what is wrong with it
            content = read_some(path, MAX_REPORT + 1)
            if len(content) <= MAX_REPORT:
                yield name, json.loads(content)
