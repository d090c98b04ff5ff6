"""What Linux counts for processes, read from their folders below /proc."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def disk_bytes(processes: Iterable[Path]) -> tuple[int, int] | None:
    """Return bytes that *processes*, with the children that they waited for, had read from and written to disks.

    These are `read_bytes` and `write_bytes` of proc(5): what files in memory (tmpfs) hold does not count, and a write
    counts when it is asked for, whenever it reaches the disk. None when none of them may be looked at.
    """
    read = written = 0
    seen = False
    for folder in processes:
        try:
            counts = dict(line.split(": ") for line in (folder / "io").read_text().splitlines())
            read += int(counts["read_bytes"])
            written += int(counts["write_bytes"])
        except (OSError, ValueError, KeyError):
            continue  # it ended, or is another user's
        seen = True
    return (read, written) if seen else None


def network_bytes(process: Path) -> tuple[int, int] | None:
    """Return bytes received and sent by the network namespace of *process*, None when it has no network but its own."""
    try:
        lines = (process / "net" / "dev").read_text().splitlines()[2:]
        fields = {name.strip(): counts.split() for name, counts in (line.split(":", 1) for line in lines)}
        counts = [(int(of[0]), int(of[8])) for name, of in fields.items() if name != "lo"]
    except (OSError, ValueError, IndexError):
        return None
    if not counts:
        return None
    return sum(received for received, _ in counts), sum(sent for _, sent in counts)
