"""A step of known load, which tells at its end what its kernel counted: as JSON.

`python load.py container SECONDS [URL]` asks the container's control group, `python load.py process SECONDS` itself.

It computes for six tenths of its time, holds 200 MiB for a fifth of it, writes 30 MB, and downloads what URL has.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
import urllib.request
from itertools import pairwise
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
WINDOW = 0.5


def _number(*names: str) -> int:
    return next(int(file.read_text()) for name in names if (file := GROUPS / name).exists())


def group_cpu() -> float:
    if (GROUPS / "cpu.stat").exists():
        return int((GROUPS / "cpu.stat").read_text().split()[1]) / 1e6
    return _number("cpuacct/cpuacct.usage") / 1e9


def group_memory() -> int:
    return _number("memory.current", "memory/memory.usage_in_bytes")


def own_cpu() -> float:
    return time.process_time()


def own_memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


class Truth:
    """Reads every 10 ms, inside."""

    def __init__(self, *, in_container: bool) -> None:
        self.cpu, self.memory = (group_cpu, group_memory) if in_container else (own_cpu, own_memory)
        self.seen: list[tuple[float, float, int]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            self.seen.append((time.monotonic(), self.cpu(), self.memory()))
            time.sleep(0.01)

    def told(self) -> dict[str, float]:
        seen = [*self.seen]
        peak, first = 0.0, 0
        for at, cpu, _ in seen:
            while at - seen[first + 1][0] >= WINDOW:
                first += 1
            if at - seen[first][0] >= WINDOW:
                peak = max(peak, (cpu - seen[first][1]) / (at - seen[first][0]))
        held = sum((b[0] - a[0]) * (a[2] + b[2]) / 2 for a, b in pairwise(seen))
        return {"cpu_peak": peak, "memory_mean_bytes": held / (seen[-1][0] - seen[0][0])}


def network() -> dict[str, float]:
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    fields = [line.split(":", 1)[1].split() for line in lines if "lo:" not in line]
    return {
        "network_received_bytes": sum(int(f[0]) for f in fields),
        "network_sent_bytes": sum(int(f[8]) for f in fields),
    }


def work(seconds: float, url: str | None) -> None:
    begun, held = time.monotonic(), bytearray()
    target = Path(os.environ["BUZZFLOW_OUTPUT"]) / "written"
    with target.open("wb") as file:
        while (done := (time.monotonic() - begun) / seconds) < 1:
            if 0.4 <= done < 0.6 and not held:
                held = bytearray(200 * 2**20)
                held[::4096] = b"x" * len(held[::4096])
            if done >= 0.6:
                held = bytearray()
            if done >= 0.5 and not file.tell():
                for _ in range(30):
                    file.write(b"x" * 1_000_000)
            if done >= 0.8 and url is not None:
                with urllib.request.urlopen(url) as answer:
                    answer.read()
                url = None
            until = time.monotonic() + 0.06
            while time.monotonic() < until:
                pass
            time.sleep(0.04)


def main() -> None:
    in_container, seconds = sys.argv[1] == "container", float(sys.argv[2])
    url = sys.argv[3] if len(sys.argv) > 3 else None
    truth = Truth(in_container=in_container)
    work(seconds, url)
    told = {**truth.told(), "disk_written_bytes": 30e6}
    if in_container:
        told |= network()
        told["memory_peak_bytes"] = _number("memory.peak", "memory/memory.max_usage_in_bytes")
        told["cpu_seconds"] = group_cpu()
    else:
        told["memory_peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        told["cpu_seconds"] = own_cpu()
    print("TRUTH", json.dumps(told), flush=True)
    os._exit(0)  # what the interpreter would do to tidy up is not in the truth


if __name__ == "__main__":
    main()
