"""The local store: `s3://bucket/key` is a folder or file below the state folder, or one that the user named."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from buzzflow.backends.local.walls import LinkError, refuse_foreign_links, within

_ADDRESS = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.*)", re.DOTALL)


class AddressError(Exception):
    """The text is no address that the store can hold."""


@dataclass(frozen=True, slots=True)
class Store:
    """Maps addresses to paths of this machine.

    What lies under *own*, this run's address, is in *outputs*; that of the pipeline's earlier runs, in the folders of
    the same name in *runs*. *data* are folders or files that the user named for
    addresses, the longest prefix first. All else is below *root*.
    """

    root: Path
    own: str
    outputs: Path
    data: Mapping[str, Path]
    runs: Path | None = None

    def path(self, address: str) -> Path:
        """Return where *address* lies, whether or not it exists; AddressError when it is none."""
        match = _ADDRESS.fullmatch(address)
        if match is None:
            raise AddressError(f"{address!r} is no address: s3://bucket/folder/")
        bucket, key = match.groups()
        parts = [p for p in key.split("/") if p]
        if any(p in (".", "..") or "\0" in p for p in parts):
            raise AddressError(f"{address!r} leaves its folder")
        for prefix in sorted(self.data, key=len, reverse=True):
            bare = prefix.rstrip("/")
            if address.rstrip("/") == bare:
                return self.data[prefix]
            if address.startswith(bare + "/"):
                return self.data[prefix].joinpath(*[p for p in address[len(bare) :].split("/") if p])
        if address.startswith(self.own):
            return _below(self.outputs, [p for p in address[len(self.own) :].split("/") if p])
        if (earlier := self._of_earlier_run(address)) is not None:
            return earlier
        return _below(self.root, [bucket, *parts])

    def _of_earlier_run(self, address: str) -> Path | None:
        of_pipeline = self.own.rstrip("/").rpartition("/")[0] + "/"
        if self.runs is None or not address.startswith(of_pipeline):
            return None
        run, *parts = [p for p in address[len(of_pipeline) :].split("/") if p] or [""]
        outputs = self.runs / run / "outputs"
        return _below(outputs, parts) if run and outputs.is_dir() else None

    def holds(self, address: str) -> bool:
        """Whether something lies at *address*."""
        return self.path(address).exists()

    def put(self, folder: Path, address: str) -> None:
        """Move the contents of *folder* to *address*, over what is there; LinkError when links lead out of it."""
        target = self.path(address)
        refuse_foreign_links(folder)
        target.mkdir(parents=True, exist_ok=True)
        for item in folder.iterdir():
            place = target / item.name
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            elif place.exists() or place.is_symlink():
                place.unlink()
            shutil.move(item, place)


def _below(root: Path, parts: list[str]) -> Path:
    try:
        return within(root, root.joinpath(*parts))
    except LinkError as e:
        raise AddressError(str(e)) from None
