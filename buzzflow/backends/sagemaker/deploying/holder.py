"""Who deploys: told to whoever meets the lock, and enough to see whether that process still runs."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# What CI systems call the page of a run (GitHub Actions, GitLab CI, Jenkins, Buildkite, CircleCI: their manuals).
_RUN_PAGES = ("CI_JOB_URL", "BUILD_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL")


@dataclass(frozen=True, slots=True)
class Holder:
    """One process that deploys; *machine* and *started* tell it from every other that had the same *pid*."""

    id: str
    who: str
    host: str
    pid: int
    machine: str
    started: float
    run: str = ""
    commit: str = ""

    def as_data(self) -> dict[str, Any]:
        """Return what `from_data` makes the same from."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Holder:
        """Return what `as_data` was made from; TypeError or ValueError for anything else."""
        return cls(
            **{
                name: kind(data[name])
                for name, kind in {
                    "id": str,
                    "who": str,
                    "host": str,
                    "pid": int,
                    "machine": str,
                    "started": float,
                    "run": str,
                    "commit": str,
                }.items()
            }
        )

    def __str__(self) -> str:
        run = f", {self.run}" if self.run else ""
        return f"{self.who} on {self.host} (process {self.pid}{run})"

    def is_gone(self) -> bool:
        """Whether this was a process of this machine that has certainly ended."""
        return self.machine == _machine() and _started(self.pid) != self.started


def this_process(identity: str, environ: Mapping[str, str], commit: str) -> Holder:
    """Return who deploys here; *environ* may name the page of a CI run."""
    return Holder(
        id=identity,
        who=environ.get("GITHUB_ACTOR") or environ.get("GITLAB_USER_LOGIN") or _user(),
        host=socket.gethostname(),
        pid=os.getpid(),
        machine=_machine(),
        started=_started(os.getpid()) or 0.0,
        run=_run_page(environ),
        commit=commit,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number without a name
        return f"user {os.getuid()}"


def _run_page(environ: Mapping[str, str]) -> str:
    if all(name in environ for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")):
        return f"{environ['GITHUB_SERVER_URL']}/{environ['GITHUB_REPOSITORY']}/actions/runs/{environ['GITHUB_RUN_ID']}"
    return next((environ[name] for name in _RUN_PAGES if environ.get(name)), "")


def _machine() -> str:
    """Return what tells this machine, its start, and this container's processes from every other."""
    import psutil

    try:
        processes = Path("/proc/self/ns/pid").readlink().name
    except OSError:  # not Linux
        processes = ""
    return f"{socket.gethostname()} {psutil.boot_time():.0f} {processes}".strip()


def _started(pid: int) -> float | None:
    """Return when process *pid* started, in seconds since 1970; None when there is none."""
    import psutil

    try:
        return round(psutil.Process(pid).create_time(), 2)
    except psutil.Error:
        return None
