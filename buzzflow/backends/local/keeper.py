"""Tidy up after a run whose process was killed: a small process of its own that waits for that.

`python keeper.py docker RUN LEDGER` or `python keeper.py process RUN FOLDER` reads its standard input, which only the
process of the run has the other end of. Its end without the word `done` means that the process is gone: then what the
run left goes, its containers and networks, or its temporary folders in FOLDER; what stands in LEDGER comes back to the
caller. Until then nothing is imported, so it is small.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

_TRIES, _AGAIN_SECONDS = 60, 1.0  # a daemon that is started again takes its time


class Keeper:
    """The process, started with the run and told of its end."""

    def __init__(self, kind: str, run: str, *arguments: str) -> None:
        # -P: nothing in the folder that buzzflow was started in is taken for a module
        command = [sys.executable, "-P", __file__, kind, run, *arguments]
        try:
            self._process: subprocess.Popen[bytes] | None = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # so Ctrl-C, which goes to the whole group, leaves it alone
            )
        except OSError:
            self._process = None  # the next run tidies up, too

    def dismiss(self, *, is_tidy: bool) -> None:
        """Say that the run has ended, and whether it has tidied up by itself. May be called twice."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        with contextlib.suppress(OSError):  # it was killed itself
            process.stdin.write(b"done" if is_tidy else b"left")
            process.stdin.close()
        if is_tidy:
            process.wait()
        else:
            process.returncode = 0  # nobody waits for it: it outlives us if need be


def _containers(run: str, ledger: str) -> None:
    import time

    from buzzflow.backends.local.containers.client import connect, engine_errors
    from buzzflow.backends.local.containers.labels import remove_run
    from buzzflow.backends.local.containers.ownership import take_back

    passes = 0
    for _ in range(_TRIES):
        with contextlib.suppress(*engine_errors()):  # the daemon went away with the run
            passes += remove_run(connect(10), run)
        if passes == 2:  # what the run asked for with its last breath may come after the first
            break
        time.sleep(_AGAIN_SECONDS)
    take_back(Path(ledger))


def _folders(run: str, parent: str) -> None:
    import shutil

    for room in Path(parent).glob(f"buzzflow-{run}-*"):
        for folder in [room, *(p for p in room.rglob("*") if p.is_dir() and not p.is_symlink())]:
            folder.chmod(0o700)  # a step may have taken the right to write away
        shutil.rmtree(room, ignore_errors=True)


def _main(kind: str, run: str, *arguments: str) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    said = b""
    while piece := os.read(0, 16):
        said += piece
    if said == b"done":
        return
    if kind == "docker":
        _containers(run, *arguments)
    else:
        _folders(run, *arguments)


if __name__ == "__main__":
    _main(*sys.argv[1:])
