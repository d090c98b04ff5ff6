"""Who a container or network belongs to, written on it, and removing those whose owner is gone."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from buzzflow.backends.local.containers.api import Client
from buzzflow.backends.local.containers.client import engine_errors

RUN, STEP, OWNER, MACHINE = "buzzflow.run", "buzzflow.step", "buzzflow.owner", "buzzflow.machine"
BUILD_PREFIX = "buzzflow-requirements-"


def labels(run: str, step: str | None = None) -> dict[str, str]:
    """Return the labels of what this process makes for *run*."""
    found = {RUN: run, OWNER: _owner(), MACHINE: _machine()}
    return found if step is None else {**found, STEP: step}


def build_name(key: str) -> str:
    """Return a name for a container that becomes an image. It says the owner, as labels would end in the image."""
    return f"{BUILD_PREFIX}{key}-{_machine()}-{_owner().replace(':', '-')}-{os.urandom(2).hex()}"


def reap(client: Client) -> list[str]:
    """Remove containers and networks of runs of this machine whose process no longer lives; return their names."""
    try:
        labelled = client.api.containers(all=True, filters={"label": OWNER})
        builds = client.api.containers(all=True, filters={"name": BUILD_PREFIX})
        networks = client.api.networks(filters={"label": OWNER})
    except engine_errors():
        return []
    orphans = [(c["Id"], _name(c)) for c in labelled if _is_orphan(c["Labels"])]
    orphans += [(c["Id"], _name(c)) for c in builds if _is_orphan(_labels_of_build(_name(c)))]
    removed = [name for key, name in orphans if remove_container(client, key)]
    return removed + [n["Name"] for n in networks if _is_orphan(n["Labels"]) and remove_network(client, n["Id"])]


def remove_run(client: Client, run: str) -> None:
    """Remove what is left of *run*: its containers, then its network."""
    with contextlib.suppress(*engine_errors()):
        filters: dict[str, Any] = {"label": f"{RUN}={run}"}
        for container in client.api.containers(all=True, filters=filters):
            remove_container(client, container["Id"])
        for network in client.api.networks(filters=filters):
            remove_network(client, network["Id"])


def remove_container(client: Client, name: str) -> bool:
    """Kill and remove a container with its anonymous volumes; False when that fails or somebody else does it."""
    try:
        client.api.remove_container(name, v=True, force=True)
    except engine_errors():
        return False
    return True


def remove_network(client: Client, name: str) -> bool:
    """Remove a network; False when that fails."""
    try:
        client.api.remove_network(name)
    except engine_errors():
        return False
    return True


def _name(container: Mapping[str, Any]) -> str:
    return str((container["Names"] or ["/" + container["Id"]])[0]).lstrip("/")


def _is_orphan(found: Mapping[str, str] | None) -> bool:
    """Return whether the owner was a process of this machine that has ended. Others' processes cannot be seen."""
    if not found or found.get(MACHINE) != _machine():
        return False
    pid, _, started = found.get(OWNER, "").partition(":")
    return pid.isdigit() and _start_time(int(pid)) != started


def _labels_of_build(name: str) -> dict[str, str]:
    match = re.fullmatch(rf"{BUILD_PREFIX}[0-9a-f]+-([0-9a-f]+)-(\d+)-([\d.]+)-[0-9a-f]+", name)
    return {} if match is None else {MACHINE: match[1], OWNER: f"{match[2]}:{match[3]}"}


def _owner() -> str:
    return f"{os.getpid()}:{_start_time(os.getpid())}"


@cache
def _machine() -> str:
    """Name where process ids mean what they mean here: the machine, and the container that buzzflow may run in."""
    with contextlib.suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
        return hashlib.sha256(f"{platform.node()} {namespace}".encode()).hexdigest()[:12]
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


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
