"""Lend a step's writable folders to the user it runs as, when root runs buzzflow, and take them back.

What is lent stands in a file, the ledger of the run, so that it comes back also when the run was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from buzzflow.backends.local.executor import Mount
from buzzflow.backends.local.owner import is_gone, machine, owner

_lock = threading.Lock()
_borrowers: Counter[Path] = Counter()  # tasks that run at once may share a folder


@contextmanager
def lent(mounts: Sequence[Mount], user: str, ledger: Path) -> Iterator[None]:
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
        _write_down(folders, ledger)
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


def _write_down(folders: Sequence[Path], ledger: Path) -> None:
    ledger.parent.mkdir(parents=True, exist_ok=True)
    with ledger.open("a", encoding="utf-8") as file:
        if not file.tell():
            file.write(json.dumps([machine(), owner()]) + "\n")
        file.writelines(json.dumps(str(folder)) + "\n" for folder in folders)


def take_back(ledger: Path) -> None:
    """Give what a run lent back to root; nothing that belongs to it runs any more."""
    if not ledger.exists():
        return
    with _lock:
        for line in {*ledger.read_text("utf-8").splitlines()[1:]}:
            if Path(json.loads(line)).is_dir():
                _give(Path(json.loads(line)), 0, 0, readable=True)
    ledger.unlink(missing_ok=True)


def take_back_of_the_dead(ledgers: Path) -> None:
    """Do the same for runs that were killed together with what watches over them."""
    for ledger in [*ledgers.glob("*")]:
        with contextlib.suppress(OSError, ValueError):  # half a line, or another run is at it
            its_machine, its_owner = json.loads(ledger.read_text("utf-8").partition("\n")[0])
            if is_gone(its_machine, its_owner):
                take_back(ledger)


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
