"""Unpack a model's archive for the container that serves it, and nothing but files and folders of it."""

from __future__ import annotations

import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from buzzflow.backends.local.steps.staging import StagingError


def unpack(archive: Path, folder: Path) -> None:
    """Lay out *archive* in *folder*; StagingError when it is none, or has a member that may lead out of the folder.

    `tarfile.extractall` with a filter needs Python 3.11.4, and its filter has been got around (CVE-2025-4517).
    """
    if not archive.is_file():
        raise StagingError(f"there is no model at {archive}")
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                _place(tar, member, folder)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as e:
        raise StagingError(f"the model {archive.name} cannot be unpacked: {e}") from None


def _place(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise StagingError(f"the model has a member outside of its folder: {member.name}")
    place = folder.joinpath(*path.parts)
    if member.isdir():
        place.mkdir(parents=True, exist_ok=True)
        return
    source = tar.extractfile(member) if member.isfile() else None
    if source is None:
        raise StagingError(f"the model has a member that is neither a file nor a folder: {member.name}")
    place.parent.mkdir(parents=True, exist_ok=True)
    with source, place.open("wb") as target:
        shutil.copyfileobj(source, target)
    place.chmod(0o755 if member.mode & 0o111 else 0o644)
