"""What one step used: the figures, and the readings that they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PEAK_WINDOW_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Sample:
    """A reading: seconds on a steady clock, CPU seconds used so far, bytes of memory in use.

    *memory_peak_bytes* is the most so far, where the system counts it itself. *working_set_bytes* is memory without the
    cached files that the system could drop. The other counters are bytes so far; None is what the reader cannot see.
    """

    at: float
    cpu_seconds: float
    memory_bytes: int
    memory_peak_bytes: int | None = None
    working_set_bytes: int | None = None
    disk_read_bytes: int | None = None
    disk_written_bytes: int | None = None
    network_received_bytes: int | None = None
    network_sent_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Curves:
    """Figures over time: *at* in seconds since the step's start, the others as long as it, or empty.

    *cpu_cores* is the mean since the value before; *memory_bytes* is in use, the others are bytes so far.
    """

    at: tuple[float, ...] = ()
    cpu_cores: tuple[float, ...] = ()
    memory_bytes: tuple[int, ...] = ()
    disk_read_bytes: tuple[int, ...] = ()
    disk_written_bytes: tuple[int, ...] = ()
    network_received_bytes: tuple[int, ...] = ()
    network_sent_bytes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class GpuUsage:
    """What a step used of the machine's GPUs together: *busy_mean* and *busy_peak* in GPUs, memory of all in bytes."""

    name: str
    busy_mean: float
    busy_peak: float
    memory_peak_bytes: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a step used; None is what nobody could read.

    CPU is in cores, its peak over *peak_window_seconds*. *memory_peak_bytes* is the system's own peak, with the files
    that it caches for the step; *working_set_peak_bytes* is without those that it could drop. *source* read the
    figures, but for those that *sources* names another for.
    """

    wall_seconds: float
    cpu_seconds: float | None = None
    cpu_mean: float | None = None
    cpu_peak: float | None = None
    memory_peak_bytes: int | None = None
    peak_window_seconds: float = PEAK_WINDOW_SECONDS
    source: str = "none"
    samples: int = 0
    memory_mean_bytes: int | None = None
    working_set_peak_bytes: int | None = None
    disk_read_bytes: int | None = None
    disk_written_bytes: int | None = None
    network_received_bytes: int | None = None
    network_sent_bytes: int | None = None
    gpu: GpuUsage | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    curves: Curves = Curves()
