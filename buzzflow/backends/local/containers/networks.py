"""Networks for the machines of one job: they reach one another by name, and two jobs may have the same names."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator

from buzzflow.backends.local.containers.api import Client
from buzzflow.backends.local.containers.client import engine_errors, message_of
from buzzflow.backends.local.containers.labels import labels, remove_network
from buzzflow.backends.local.executor import ExecutorError


class GroupNetworks:
    """Makes a network when the first of a group comes, and removes it when the last has gone."""

    def __init__(self, client: Client, run: str) -> None:
        self._client, self._run = client, run
        self._lock = threading.Lock()
        self._members: Counter[str] = Counter()
        self._networks: dict[str, str] = {}

    @contextlib.contextmanager
    def joined(self, group: str, *, internal: bool) -> Iterator[str]:
        """Yield the network of *group*; an *internal* one leads nowhere else."""
        with self._lock:
            if group not in self._networks:
                self._networks[group] = self._make(group, internal=internal)
            self._members[group] += 1
            network = self._networks[group]
        try:
            yield network
        finally:
            with self._lock:
                self._members[group] -= 1
                if not self._members[group]:
                    remove_network(self._client, self._networks.pop(group))

    def _make(self, group: str, *, internal: bool) -> str:
        name = f"buzzflow-{self._run}-{group}"
        try:
            made = self._client.api.create_network(name, driver="bridge", labels=labels(self._run), internal=internal)
        except engine_errors() as e:
            hint = "`docker network prune` removes those that nothing uses" if "pool" in message_of(e) else None
            raise ExecutorError(f"Docker cannot make a network for the job: {message_of(e)}", hint) from e
        return str(made["Id"])


def address_of(client: Client, container: str, port: int) -> tuple[str, int]:
    """Return where this machine reaches *port* of a started container: published, else at its own address."""
    settings = client.api.inspect_container(container)["NetworkSettings"]
    published = (settings.get("Ports") or {}).get(f"{port}/tcp")
    if published:
        return "127.0.0.1", int(published[0]["HostPort"])
    addresses = [network["IPAddress"] for network in settings["Networks"].values() if network.get("IPAddress")]
    return (addresses[0] if addresses else "127.0.0.1"), port
