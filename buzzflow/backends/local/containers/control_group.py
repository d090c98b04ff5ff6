"""Read what a container uses from the files of its control group, version 1 or 2, and of its processes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from buzzflow.metrics import Sample
from buzzflow.metrics.processes import disk_bytes, network_bytes

_BLOCK_DEVICES = Path("/sys/dev/block")


class ControlGroupReader:
    """Reads the files of a control group. *folders* are its places by controller, "" alone in version 2.

    What the kernel does not count for a control group comes from *proc*, the folder of its processes: the network
    always, as it belongs to the namespace of the first process, *pid*; the disk where that says more. Version 1 knows
    nothing of data that is written back later, and version 2 learns it when that happens.
    """

    source = "cgroup"

    def __init__(self, folders: Mapping[str, Path], pid: int, proc: Path = Path("/proc")) -> None:
        self._version = 2 if "" in folders else 1
        self._cpu = folders["" if self._version == 2 else "cpuacct"]
        self._memory = folders["" if self._version == 2 else "memory"]
        self._disk = folders.get("" if self._version == 2 else "blkio")
        self._pid, self._proc = pid, proc
        self._stacked: dict[str, bool] = {}
        self.sources: dict[str, str] = {}

    def read(self) -> Sample | None:
        """Read now; None when the container has ended."""
        try:
            cpu, memory, peak = self._version_1() if self._version == 1 else self._version_2()
            inactive = _table(self._memory / "memory.stat")[
                "total_inactive_file" if self._version == 1 else "inactive_file"
            ]
        except (OSError, ValueError, KeyError):
            return None
        at = time.monotonic()
        network = network_bytes(self._proc / str(self._pid))
        if network is not None:
            self.sources |= {"network_received_bytes": "proc", "network_sent_bytes": "proc"}
        received, sent = network or (None, None)
        read, written = self._disk_bytes()
        return Sample(at, cpu, memory, peak, max(memory - inactive, 0), read, written, received, sent)

    def processes(self) -> frozenset[int]:
        """Return the processes of the container, as this machine numbers them."""
        try:
            return frozenset(int(pid) for pid in (self._memory / "cgroup.procs").read_text().split())
        except OSError:
            return frozenset()

    def _version_1(self) -> tuple[float, int, int | None]:
        cpu = int((self._cpu / "cpuacct.usage").read_text()) / 1e9
        now = int((self._memory / "memory.usage_in_bytes").read_text())
        return cpu, now, int((self._memory / "memory.max_usage_in_bytes").read_text())

    def _version_2(self) -> tuple[float, int, int | None]:
        cpu = _table(self._cpu / "cpu.stat")["usage_usec"] / 1e6
        now = int((self._memory / "memory.current").read_text())
        peak = self._memory / "memory.peak"  # since Linux 5.19
        return cpu, now, int(peak.read_text()) if peak.exists() else None

    def _disk_bytes(self) -> tuple[int | None, int | None]:
        """Return bytes read and written: of two counts that may both miss something, the larger one."""
        of_group = self._disk_bytes_of_group()
        of_processes = disk_bytes(self._proc / str(pid) for pid in self.processes())
        if of_processes is None:
            return of_group or (None, None)
        if of_group is None:
            of_group = (-1, -1)
        names = ("disk_read_bytes", "disk_written_bytes")
        for name, group, process in zip(names, of_group, of_processes, strict=True):
            if process > group:
                self.sources[name] = "proc"
            else:
                self.sources.pop(name, None)
        return max(of_group[0], of_processes[0]), max(of_group[1], of_processes[1])

    def _disk_bytes_of_group(self) -> tuple[int, int] | None:
        """Return what the control group counts; None when it counts nothing, as version 1 does for most devices."""
        if self._disk is None:
            return None
        try:
            found = [*(self._version_1_disk(self._disk) if self._version == 1 else self._version_2_disk(self._disk))]
        except (OSError, ValueError, IndexError):
            return None
        if not found and self._version == 1:
            return None
        return sum(read for read, _ in found), sum(written for _, written in found)

    def _version_1_disk(self, folder: Path) -> Iterator[tuple[int, int]]:
        """Yield for each line `8:0 Read 4096` what it counts."""
        for line in (folder / "blkio.throttle.io_service_bytes").read_text().splitlines():
            device, operation, count = line.split() if line.count(" ") == 2 else ("", "", "0")
            if operation in ("Read", "Write") and not self._is_stacked(device):
                yield (int(count), 0) if operation == "Read" else (0, int(count))

    def _version_2_disk(self, folder: Path) -> Iterator[tuple[int, int]]:
        """Yield for each line `8:0 rbytes=4096 wbytes=0 rios=1 …` what it counts."""
        for line in (folder / "io.stat").read_text().splitlines():
            device, *pairs = line.split()
            counts = dict(pair.split("=", 1) for pair in pairs)
            if not self._is_stacked(device):
                yield int(counts.get("rbytes", 0)), int(counts.get("wbytes", 0))

    def _is_stacked(self, device: str) -> bool:
        """Tell whether the bytes of *device* are counted again for one below it: LVM, RAID, encryption."""
        if device not in self._stacked:
            self._stacked[device] = False
            with contextlib.suppress(OSError):
                self._stacked[device] = any((_BLOCK_DEVICES / device / "slaves").iterdir())
        return self._stacked[device]


def find_control_group(container: str, pid: int, proc: Path) -> ControlGroupReader | None:
    """Return a reader of the group of *container*, whose first process is *pid*; None when it cannot be seen here."""
    groups = _groups(container, proc / str(pid) / "cgroup")
    mounts = _mounts(proc / "self" / "mounts")
    places = {name: mounts[name] / group for name, group in groups.items() if name in mounts}
    found = []
    if "cpuacct" in places and "memory" in places:
        of_version_1 = {name: place for name, place in places.items() if name}
        found.append(ControlGroupReader(of_version_1, pid, proc))
    if "" in places:
        found.append(ControlGroupReader({"": places[""]}, pid, proc))
    return next((reader for reader in found if reader.read() is not None), None)


def _groups(container: str, file: Path) -> dict[str, str]:
    """Return controller -> group, "" for version 2; only of groups of *container*, as its pid may be elsewhere's."""
    lines = (line.split(":", 2) for line in file.read_text().splitlines())
    return {name: path.lstrip("/") for _, names, path in lines if container in path for name in names.split(",")}


def _mounts(file: Path) -> dict[str, Path]:
    """Return controller -> where its groups are mounted, "" for version 2."""
    found: dict[str, Path] = {}
    for line in file.read_text().splitlines():
        _, place, kind, options, *_ = line.split(" ")
        if kind == "cgroup2":
            found.setdefault("", Path(place))
        elif kind == "cgroup":
            for name in options.split(","):
                found.setdefault(name, Path(place))
    return found


def _table(file: Path) -> dict[str, int]:
    """Return the numbers of a file with a name and a number in each line."""
    return {name: int(value) for name, value in (line.split() for line in file.read_text().splitlines())}
