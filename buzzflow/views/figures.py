"""Figures as people read them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Return `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def memory(count: int | None) -> str:
    """Return `412 MiB`, `1.5 GiB`."""
    if count is None:
        return "-"
    mebibytes = count / 2**20
    return f"{mebibytes:.0f} MiB" if mebibytes < 1000 else f"{mebibytes / 1024:.1f} GiB"


def cores(value: float | None) -> str:
    """Return `0.93`."""
    return "-" if value is None else f"{value:.2f}"


def size(count: int) -> str:
    """Return what files take, in decimal units as disks have them: `812 B`, `5.1 kB`, `220 MB`."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.1f} {units[0]}" if value < 9.95 and units[0] != "B" else f"{value:.0f} {units[0]}"


def share(done: int, total: int | None) -> str:
    """Return `42 %  126 MiB of 300 MiB`; `126 MiB` where nobody knows how much it will be."""
    if not total:
        return memory(done)
    return f"{min(done * 100 // total, 100)} %  {memory(done)} of {memory(total)}"
