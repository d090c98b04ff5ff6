"""What the Docker API is told about one step: the image, and the walls around it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from buzzflow.backends.local.containers.api import Json
from buzzflow.backends.local.containers.client import socket_paths
from buzzflow.backends.local.executor import ExecutorError, Mount, Task

ROOTS_STAND_IN = 1000  # who a step runs as when root runs buzzflow
_PIDS = 4096
_HOME = "/tmp"  # noqa: S108 - inside the container
_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """What every step gets: whom it runs as, as `uid:gid`, and bytes of memory."""

    user: str
    memory_bytes: int


def step_user(security_options: list[str]) -> str:
    """Return whom steps run as, so that their files belong to the caller, and never root outside the container."""
    if any("name=rootless" in option for option in security_options):
        return "0:0"  # the container's root is the caller there, and has no more rights than the caller
    if os.getuid() == 0:
        return f"{ROOTS_STAND_IN}:{ROOTS_STAND_IN}"
    return f"{os.getuid()}:{os.getgid()}"


def container_name(task: Task) -> str:
    """Return a name that Docker takes."""
    tail = "" if task.host is None else f"-{task.host}"
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", f"buzzflow-{task.run}-{task.step}")[: _MAX_NAME - len(tail)] + tail


def container_config(task: Task, image: str, limits: Limits, network: str, labels: Mapping[str, str]) -> Json:
    """Return the body of `POST /containers/create`: the task's own environment and mounts, nothing of this machine.

    It goes to the API as it is, since the SDK's own way adds the proxies of the user's Docker settings.
    """
    environment = {"HOME": _HOME, **task.environment}
    ports: Json = {} if task.serving is None else {f"{task.serving.port}/tcp": {}}
    aliases = {} if task.host is None else {network: {"Aliases": [task.host]}}
    return {
        "Hostname": task.host or "",
        "ExposedPorts": ports,
        "NetworkingConfig": {"EndpointsConfig": aliases},
        "Image": image,
        "Entrypoint": None if task.entrypoint is None else [*task.entrypoint],
        "Cmd": [*task.arguments] or None,
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "User": limits.user,
        "Labels": dict(labels),
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": _host_config(task, limits, network),
    }


def _host_config(task: Task, limits: Limits, network: str) -> Json:
    own_tmp = any(mount.target.rstrip("/") == "/tmp" for mount in task.mounts)  # noqa: S108
    half = limits.memory_bytes // 2  # what the kernel itself gives a tmpfs; it counts as the step's memory
    return {
        "NetworkMode": network,
        "PortBindings": _ports(task),
        "Init": True,  # as process 1 a program ignores SIGTERM unless it handles it
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "Privileged": False,
        "ReadonlyRootfs": True,
        "Tmpfs": {} if own_tmp else {"/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={half}"},  # noqa: S108
        "ShmSize": half,  # Docker's 64 MiB are too few for PyTorch's data loaders
        "PidsLimit": _PIDS,
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,  # no swap
        "Mounts": [_mount(mount) for mount in task.mounts],
        "LogConfig": {"Type": "json-file", "Config": {}},  # the daemon's default may be one that cannot be read
        "RestartPolicy": {"Name": "no"},
    }


def _ports(task: Task) -> Json:
    """Return where a server is reached: at a port of this machine alone, which Docker chooses."""
    if task.serving is None or not task.network:
        return {}
    return {f"{task.serving.port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}


def _mount(mount: Mount) -> Json:
    """Return a bind mount; as `Mounts`, not `Binds`, since Docker makes what does not exist for the latter."""
    try:
        source = mount.source.resolve(strict=True)
        is_socket = stat.S_ISSOCK(source.stat().st_mode)
    except OSError as e:
        raise ExecutorError(f"there is no {mount.source} to mount at {mount.target}: {e.strerror}") from e
    sockets = [Path(path).resolve() for path in socket_paths()]
    if is_socket or any(socket.is_relative_to(source) for socket in sockets):
        raise ExecutorError(f"{mount.source} cannot be mounted: it gives control over Docker, and so over this machine")
    return {
        "Type": "bind",
        "Source": str(source),
        "Target": mount.target,
        "ReadOnly": mount.read_only,
        "BindOptions": {"Propagation": "rprivate"},
    }
