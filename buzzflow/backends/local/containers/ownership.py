"""Lend a step's writable folders to the user it runs as, when root runs buzzflow, and take them back."""

from __future__ import annotations

import os
import stat
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from buzzflow.backends.local.executor import Mount

_lock = threading.Lock()
_borrowers: Counter[Path] = Counter()  # tasks that run at once may share a folder


@contextmanager
def lent(mounts: Sequence[Mount], user: str) -> Iterator[None]:
    """Give what *mounts* may write to *user*, `uid:gid`, and back to root at the end.

    Only root can, and only for root is there need: everybody else's steps run as the caller.
    """
    uid, gid = (int(number) for number in user.split(":"))
    folders = [mount.source.resolve() for mount in mounts if not mount.read_only]
    if os.getuid() != 0 or uid == 0:
        yield
        return
    with _lock:
        _borrowers.update(folders)
        for folder in folders:
            _give(folder, uid, gid)
    try:
        yield
    finally:
        with _lock:
            _borrowers.subtract(folders)
            for folder in folders:
                if not _borrowers[folder]:
                    _give(folder, 0, 0, readable=True)


def _give(folder: Path, uid: int, gid: int, *, readable: bool = False) -> None:
    """Change owners without following links. *readable*: a later step, not root, must read what this one wrote."""
    _give_one(folder, uid, gid, readable=readable)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _give_one(Path(parent, name), uid, gid, readable=readable)


def _give_one(path: Path, uid: int, gid: int, *, readable: bool) -> None:
    mode = path.lstat().st_mode
    os.chown(path, uid, gid, follow_symlinks=False)
    if readable and stat.S_ISDIR(mode):
        path.chmod(stat.S_IMODE(mode) | 0o755)
    elif readable and stat.S_ISREG(mode):
        path.chmod(stat.S_IMODE(mode) & 0o777 | 0o644)  # without set-user-id, which would be root's now
