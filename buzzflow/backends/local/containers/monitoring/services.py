"""Start cAdvisor and Prometheus as two containers of a run, which nobody reaches from outside of this machine.

cAdvisor has no port anywhere: it listens on the loopback of Prometheus' network namespace. Prometheus is published on
127.0.0.1 only, on a port that Docker chooses, below a path that no web page and no other user can guess; its interfaces
for administration stay off. Neither is privileged, and neither has a capability.
"""

from __future__ import annotations

import io
import secrets
import tarfile
from collections.abc import Callable
from dataclasses import dataclass

from buzzflow.backends.local.containers.api import Client, Json
from buzzflow.backends.local.containers.client import engine_errors, socket_paths
from buzzflow.backends.local.containers.labels import RUN, STEP, labels
from buzzflow.backends.local.containers.monitoring.images import MonitoringImages
from buzzflow.backends.local.containers.monitoring.series import METRICS

_NOBODY = 65534
_DATA = "/prometheus"
_PORT = "9090/tcp"
_MEBIBYTE = 2**20
# What takes time and is not read; cAdvisor 0.38 knows each of these as well as 0.60.
_NOT_COUNTED = "percpu,disk,memory_numa,tcp,udp,advtcp,sched,process,hugetlb,referenced_memory,cpu_topology,resctrl"
_SETTINGS = f"""\
global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}
scrape_configs:
  - job_name: cadvisor
    static_configs: [{{targets: ['127.0.0.1:8080']}}]
    metric_relabel_configs: [{{source_labels: [__name__], regex: '{"|".join(METRICS)}', action: keep}}]
"""


@dataclass(frozen=True, slots=True)
class Services:
    """The two containers, by id, and where Prometheus answers."""

    prometheus: str
    cadvisor: str
    url: str


class ClosedError(Exception):
    """The run ended while its services were being started."""


class Launch:
    """Starts the pair, unless *is_closed* says that nobody needs it any more.

    What exists so far is in *made* and *network*, so that it can be removed at any moment.
    """

    def __init__(self, client: Client, run: str, images: MonitoringImages, is_closed: Callable[[], bool]) -> None:
        self._client, self._run, self._images, self._is_closed = client, run, images, is_closed
        self.made: list[str] = []
        self.network: str | None = None

    def start(self) -> Services:
        """Start both. Raises what the engine raises, and ClosedError."""
        path = f"/{secrets.token_hex(16)}"
        network = self._client.api.create_network(self._name("network"), driver="bridge", labels=labels(self._run))
        self.network = str(network["Id"])
        prometheus = self._create("prometheus", _prometheus(self._images.prometheus, self.network, path))
        self._client.api.put_archive(prometheus, _DATA, _settings_archive())
        self._start(prometheus)
        cadvisor = self._start_cadvisor(prometheus)
        ports = self._client.api.inspect_container(prometheus)["NetworkSettings"]["Ports"].get(_PORT) or []
        port = next((binding["HostPort"] for binding in ports), "0")  # none: it has ended already
        return Services(prometheus, cadvisor, f"http://127.0.0.1:{port}{path}")

    def _start_cadvisor(self, prometheus: str) -> str:
        """Start it with Docker's socket, which gives labels and network; where that cannot be, without."""
        info = self._client.api.info()
        if not _has_containerd_store(info):
            try:
                cadvisor = self._create("cadvisor", _cadvisor(self._images.cadvisor, prometheus, _views(info)))
                self._start(cadvisor)
            except engine_errors():
                pass  # rootless, or a virtual machine that has these places elsewhere
            else:
                return cadvisor
        cadvisor = self._create("cadvisor-alone", _cadvisor(self._images.cadvisor, prometheus, {}))
        self._start(cadvisor)
        return cadvisor

    def _create(self, what: str, config: Json) -> str:
        self._look()
        config["Labels"] = labels(self._run)
        config["Healthcheck"] = {"Test": ["NONE"]}
        made = self._client.api.create_container_from_config(config, self._name(what))
        self.made.append(str(made["Id"]))
        return self.made[-1]

    def _start(self, container: str) -> None:
        self._look()
        self._client.api.start(container)
        self._look()

    def _look(self) -> None:
        if self._is_closed():
            raise ClosedError

    def _name(self, what: str) -> str:
        return f"buzzflow-monitoring-{self._run}-{what}"  # no step's container can be called so


def _has_containerd_store(info: Json) -> bool:
    """Tell whether images are in containerd's store: cAdvisor then drops containers that Docker tells it of.

    See google/cadvisor issue 3643. Alone it finds their control groups, as before.
    """
    return any("io.containerd.snapshotter" in " ".join(pair) for pair in info.get("DriverStatus") or ())


def _views(info: Json) -> dict[str, str]:
    """Return what cAdvisor sees of the machine to know containers by label, and their networks; where -> from where."""
    root = str(info.get("DockerRootDir") or "/var/lib/docker")
    return {"/rootfs/proc": "/proc", f"/rootfs{root}": root, "/var/run/docker.sock": socket_paths()[-1]}


def _prometheus(image: str, network: str, path: str) -> Json:
    return {
        "Image": image,
        "Cmd": [
            f"--config.file={_DATA}/prometheus.yml",
            f"--storage.tsdb.path={_DATA}/data",
            f"--web.route-prefix={path}",
            "--web.cors.origin=none",  # a pattern that no page's address matches
        ],
        "User": f"{_NOBODY}:{_NOBODY}",
        "Volumes": {_DATA: {}},  # the only place that it writes to
        "ExposedPorts": {_PORT: {}},
        "HostConfig": {
            **_walls(512 * _MEBIBYTE),
            "NetworkMode": network,
            "PortBindings": {_PORT: [{"HostIp": "127.0.0.1", "HostPort": ""}]},
        },
    }


def _cadvisor(image: str, prometheus: str, views: dict[str, str]) -> Json:
    return {
        "Image": image,
        "Cmd": [
            "--listen_ip=127.0.0.1",
            "--housekeeping_interval=250ms",
            "--allow_dynamic_housekeeping=false",
            f"--disable_metrics={_NOT_COUNTED}",
            "--store_container_labels=false",  # nor environment variables, which may be secrets
            f"--whitelisted_container_labels={RUN},{STEP}",
            *(["--docker_only"] if views else []),
        ],
        "User": "0:0",
        "HostConfig": {
            **_walls(256 * _MEBIBYTE),
            "NetworkMode": f"container:{prometheus}",
            "Mounts": [
                {"Type": "bind", "Source": source, "Target": target, "ReadOnly": True}
                for target, source in {"/sys": "/sys", **views}.items()
            ],
        },
    }


def _walls(memory_bytes: int) -> Json:
    return {
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "Privileged": False,
        "ReadonlyRootfs": True,
        "PidsLimit": 256,
        "Memory": memory_bytes,
        "MemorySwap": memory_bytes,
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}},
        "RestartPolicy": {"Name": "no"},
    }


def _settings_archive() -> bytes:
    """Return a tar of the settings and of the folder for the data; it travels to a daemon anywhere."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        data = tarfile.TarInfo("data")
        data.type, data.mode, data.uid, data.gid = tarfile.DIRTYPE, 0o700, _NOBODY, _NOBODY
        tar.addfile(data)
        content = _SETTINGS.encode()
        settings = tarfile.TarInfo("prometheus.yml")
        settings.size, settings.mode = len(content), 0o644
        tar.addfile(settings, io.BytesIO(content))
    return packed.getvalue()
