"""Files of the repository that a step reads as data, or that an image is built from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from buzzflow import diagnostics
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.loader import disk
from buzzflow.loader.bundle import MOST_FILES
from buzzflow.loader.files import shown

DOCKERFILE = "Dockerfile"


@dataclass(frozen=True, slots=True)
class AssetRequest:
    """A file or folder that the value at *path* names, from *folder*: data, or the folder of a Dockerfile."""

    path: diagnostics.Path
    written: str
    folder: Path
    kind: Literal["data", "build"]


def asset_files(request: AssetRequest, root: Path) -> dict[str, Path]:
    """Return the files by their paths in the bundle: one file by its name, a folder's from the folder on.

    Git's own folder, byte code, and of data all dot files stay at home.
    """
    place = Path(os.path.normpath(disk.real(request.folder) / request.written))
    if "\0" in request.written or not place.is_relative_to(root) or not disk.real(place).is_relative_to(root):
        what = f"{request.written!r} leads out of the repository {shown(root)}"
        raise PipelineError([Diagnostic("BF131", what, request.path)])
    if request.kind == "build":
        if not disk.is_file(place / DOCKERFILE):
            hint = "name the folder in which it lies"
            what = f"there is no {DOCKERFILE} in {request.written!r}"
            raise PipelineError([Diagnostic("BF130", what, request.path, hint)])
    elif disk.is_file(place):
        return {place.name: place}
    elif not disk.is_folder(place):
        hint = f"paths start at the folder of their file: {shown(place)} was looked for"
        what = f"there is no file or folder {request.written!r}"
        raise PipelineError([Diagnostic("BF130", what, request.path, hint)])
    found: dict[str, Path] = {}
    for file in _walk(place, hidden=request.kind == "build"):
        found[file.relative_to(place).as_posix()] = file
        if len(found) > MOST_FILES:
            break  # the bundle says that it is too large
    if not found:
        raise PipelineError([Diagnostic("BF135", f"{request.written!r} holds no file", request.path)])
    return found


def _walk(folder: Path, *, hidden: bool) -> Iterator[Path]:
    """Yield the files below *folder*; a link to a folder is handed on as a file, and refused when bundled."""
    try:
        entries = disk.entries(folder)
    except OSError as e:
        raise PipelineError([Diagnostic("BF131", f"cannot read the folder {shown(folder)}: {e.strerror}")]) from None
    for entry in entries:
        if entry.name.startswith(".") and not hidden:
            continue
        if not entry.is_folder or entry.is_link:
            yield folder / entry.name
        elif entry.name not in (".git", "__pycache__"):
            yield from _walk(folder / entry.name, hidden=hidden)
