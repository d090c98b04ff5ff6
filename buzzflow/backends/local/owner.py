"""Which process a run, a container or a network belongs to, and whether that process still lives."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
from functools import cache
from pathlib import Path


def owner() -> str:
    """Name this process: its id and when it began, as ids are used again."""
    return f"{os.getpid()}:{_start_time(os.getpid())}"


@cache
def machine() -> str:
    """Name where process ids mean what they mean here: the machine, and the container that buzzflow may run in."""
    with contextlib.suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
        return hashlib.sha256(f"{platform.node()} {namespace}".encode()).hexdigest()[:12]
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def is_gone(its_machine: str | None, its_owner: str | None) -> bool:
    """Return whether the owner was a process of this machine that has ended. Others' processes cannot be seen."""
    if its_machine != machine():
        return False
    pid, _, started = (its_owner or "").partition(":")
    return pid.isdigit() and _start_time(int(pid)) != started


def _start_time(pid: int) -> str | None:
    """Return when process *pid* began, in a form that only compares equal; None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None if Path("/proc/self/stat").exists() else _start_time_elsewhere(pid)
    state, *fields = stat[stat.rindex(")") + 2 :].split()  # the command's name before it may hold spaces
    return None if state in "ZX" else fields[18]  # field 22 of proc(5), in clock ticks since boot


def _start_time_elsewhere(pid: int) -> str | None:
    import psutil

    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.Error:
        return None
