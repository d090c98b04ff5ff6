"""Who a container or network belongs to, written on it, and removing those whose owner is gone."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from buzzflow.backends.local.containers.api import Client
from buzzflow.backends.local.containers.client import engine_errors
from buzzflow.backends.local.owner import is_gone, machine, owner

RUN, STEP, OWNER, MACHINE = "buzzflow.run", "buzzflow.step", "buzzflow.owner", "buzzflow.machine"
BUILD_PREFIX = "buzzflow-requirements-"


def labels(run: str, step: str | None = None) -> dict[str, str]:
    """Return the labels of what this process makes for *run*."""
    found = {RUN: run, OWNER: owner(), MACHINE: machine()}
    return found if step is None else {**found, STEP: step}


def build_name(key: str) -> str:
    """Return a name for a container that becomes an image. It says the owner, as labels would end in the image."""
    return f"{BUILD_PREFIX}{key}-{machine()}-{owner().replace(':', '-')}-{os.urandom(2).hex()}"


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


def remove_run(client: Client, run: str) -> bool:
    """Remove what is left of *run*: its containers, then its network; False when some of it may still be there."""
    filters: dict[str, Any] = {"label": f"{RUN}={run}"}
    try:
        for container in client.api.containers(all=True, filters=filters):
            remove_container(client, container["Id"])
        for network in client.api.networks(filters=filters):
            remove_network(client, network["Id"])
        return not client.api.containers(all=True, filters=filters) and not client.api.networks(filters=filters)
    except engine_errors():
        return False


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
    return found is not None and is_gone(found.get(MACHINE), found.get(OWNER))


def _labels_of_build(name: str) -> dict[str, str]:
    match = re.fullmatch(rf"{BUILD_PREFIX}[0-9a-f]+-([0-9a-f]+)-(\d+)-([\d.]+)-[0-9a-f]+", name)
    return {} if match is None else {MACHINE: match[1], OWNER: f"{match[2]}:{match[3]}"}
