"""A Docker daemon of the tests' own, to be killed: in namespaces of its own, so no other one is disturbed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

_START = """\
ip link set lo up
exec dockerd --data-root "$0/data" --exec-root "$0/exec" --host "unix://$0/docker.sock" --pidfile "$0/docker.pid" \
  --config-file "$0/daemon.json"
"""
_SECONDS = 30.0


class Daemon:
    """A daemon with all that it needs in *folder*, which should have a short path: sockets' names are limited."""

    def __init__(self, folder: Path, *, live_restore: bool) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        (folder / "daemon.json").write_text(json.dumps({"live-restore": live_restore}))
        self._process: subprocess.Popen[bytes] | None = None
        self._namespaces: subprocess.Popen[bytes] | None = None  # they last as long as a process is in them

    @property
    def host(self) -> str:
        """Its address, as DOCKER_HOST."""
        return f"unix://{self._folder}/docker.sock"

    def docker(self, *arguments: str) -> str:
        """Return what the docker command prints."""
        command = ["docker", "--host", self.host, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def start(self) -> None:
        """Start it, again after it was killed, and wait until it answers."""
        for stale in ("docker.pid", "exec/containerd/containerd.pid"):
            pid_file = self._folder / stale
            with contextlib.suppress(OSError, ValueError):
                if not _lives(int(pid_file.read_text())):
                    pid_file.unlink()  # dockerd would wait 15 s for a process of that number
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._inside(), "sh", "-c", _START, str(self._folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        give_up = time.monotonic() + _SECONDS
        while True:
            with contextlib.suppress(subprocess.CalledProcessError):
                self.docker("version")
                break
            log_text = (self._folder / "log").read_text(errors="replace")
            assert self._process.poll() is None, f"dockerd ended: {log_text[-2000:]}"
            assert time.monotonic() < give_up, f"dockerd does not answer: {log_text[-2000:]}"
            time.sleep(0.1)

    def load(self, image: str, of: str) -> None:
        """Copy *image* from the daemon at *of*."""
        with subprocess.Popen(["docker", "--host", of, "save", image], stdout=subprocess.PIPE) as saved:
            command = ["docker", "--host", self.host, "load", "--quiet"]
            subprocess.run(command, stdin=saved.stdout, stdout=subprocess.DEVNULL, check=True)

    def end(self, number: signal.Signals) -> None:
        """Send *number* to dockerd and wait until it is gone."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(_SECONDS)

    def lose_power(self) -> None:
        """Kill everything of it at once: dockerd, containerd, what watches the containers, and they themselves."""
        mine = [p for p in _processes() if str(self._folder) in p[1]]
        for pid, _ in mine:
            for child in [*_below(pid), pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        assert self._process is not None
        self._process.wait(_SECONDS)

    def close(self) -> None:
        """End it for good and remove what it wrote."""
        with contextlib.suppress(subprocess.CalledProcessError):
            if containers := self.docker("ps", "--all", "--quiet").split():
                self.docker("rm", "--force", *containers)
        self.lose_power()
        if self._namespaces is not None:
            self._namespaces.kill()
            self._namespaces.communicate()
        mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for place in sorted((m for m in mounts if m.startswith(str(self._folder))), reverse=True):
            subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _inside(self) -> list[str]:
        """Return what runs a command in the namespaces: containers of a killed daemon need theirs again."""
        if self._namespaces is None:
            command = ["unshare", "--net", "--mount", "--propagation", "slave", "sh", "-c", "echo; exec sleep infinity"]
            self._namespaces = subprocess.Popen(command, stdout=subprocess.PIPE)
            assert self._namespaces.stdout is not None
            self._namespaces.stdout.readline()  # now they are there
        return ["nsenter", "--target", str(self._namespaces.pid), "--net", "--mount"]


def _processes() -> list[tuple[int, str]]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append((int(entry.name), command))
    return [(pid, command) for pid, command in found if "dockerd" in command or "containerd" in command]


def _below(pid: int) -> list[int]:
    children = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            children += [int(child) for child in task.read_text().split()]
    return [grandchild for child in children for grandchild in _below(child)] + children


def _lives(pid: int) -> bool:
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/stat").read_text()
        return text.rpartition(")")[2].split()[0] not in "ZX"
    return False
