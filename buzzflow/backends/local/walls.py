"""Touch what a step has written without following its links: a link may name any file of this machine."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class LinkError(OSError):
    """A step left a link, or something else that is no file or folder, where data is taken."""


def within(root: Path, path: Path) -> Path:
    """Return *path* below *root*; LinkError when a part of it below *root* is a link.

    *root* itself is ours: links in the way to it are the user's own.
    """
    here = root
    for part in path.relative_to(root).parts:
        if part == "..":
            raise LinkError(f"{path.name} leaves its folder")
        here = here / part
        if here.is_symlink():
            raise LinkError(f"{here.relative_to(root)} is a link, which is not followed")
    return path


def refuse_foreign_links(folder: Path) -> None:
    """Raise LinkError when *folder* holds a link that leads out of it, or something that is no file, folder or link."""
    own = folder.resolve()
    for here, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(here) / name
            mode = path.lstat().st_mode
            shown = path.relative_to(folder)
            if stat.S_ISLNK(mode):
                if path.readlink().is_absolute() or not path.resolve().is_relative_to(own):
                    raise LinkError(f"{shown} is a link that leads out of the output")
            elif not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise LinkError(f"{shown} is neither a file nor a folder")


def let_owner_read(folder: Path) -> None:
    """Give the owner of what a step wrote the rights that every file has that comes back from S3, and none besides.

    A program with the set-user-id bit would run as the caller, whoever starts it. What is changed is the caller's own:
    a step without root's rights cannot give files to somebody else.
    """
    _let_owner_read(folder)
    for here, folders, files in os.walk(folder):  # from the top: a folder is opened before it is entered
        for name in (*folders, *files):
            _let_owner_read(Path(here, name))


def _let_owner_read(path: Path) -> None:
    found = path.lstat()
    if found.st_uid != os.getuid() or not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)):
        return
    mode = stat.S_IMODE(found.st_mode)
    wanted = mode & 0o777 | (0o700 if stat.S_ISDIR(found.st_mode) else 0o600)
    if mode != wanted:
        path.chmod(wanted)


def read_some(path: Path, most: int) -> bytes:
    """Return at most *most* bytes of an ordinary file; LinkError when it is something else, a pipe for example."""
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as e:
        if path.is_symlink():
            raise LinkError(f"{path.name} is a link, which is not followed") from None
        raise e from None
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise LinkError(f"{path.name} is not an ordinary file")
        with os.fdopen(opened, "rb", closefd=False) as stream:
            return stream.read(most)
    finally:
        os.close(opened)
