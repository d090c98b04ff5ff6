"""What one step used, from counters that somebody reads while it runs.

The reader is the seam: the executors feed a `UsageRecorder` from control-group files, the Docker API or psutil.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PEAK_WINDOW_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Sample:
    """A reading: seconds on a steady clock, CPU seconds used so far, bytes of memory in use.

    *working_set_bytes* is memory without the cached files that the system could drop. The other counters are bytes so
    far; None is what the reader cannot see.
    """

    at: float
    cpu_seconds: float
    memory_bytes: int
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


@dataclass(slots=True)
class UsageRecorder:
    """Collects readings of one step."""

    source: str
    _samples: list[Sample] = field(default_factory=list)
    _memory_peak: int = 0

    def add(self, sample: Sample, *, memory_peak_bytes: int | None = None) -> None:
        """Add a reading; *memory_peak_bytes* is the highest so far, where the system counts it itself."""
        self._samples.append(sample)
        self._memory_peak = max(self._memory_peak, sample.memory_bytes, memory_peak_bytes or 0)

    def finish(self, wall_seconds: float, *, cpu_seconds: float | None = None) -> Usage:
        """Return the figures; *cpu_seconds* is an exact total, where one was read at the end."""
        if not self._samples:
            return Usage(wall_seconds, cpu_seconds, _mean(cpu_seconds, wall_seconds), None, None, source=self.source)
        total = self._samples[-1].cpu_seconds if cpu_seconds is None else cpu_seconds
        mean = _mean(total, wall_seconds)
        peak = self._peak()
        if peak is not None and mean is not None:
            peak = max(peak, mean)
        return Usage(
            wall_seconds=wall_seconds,
            cpu_seconds=total,
            cpu_mean=mean,
            cpu_peak=peak,
            memory_peak_bytes=self._memory_peak or None,
            source=self.source,
            samples=len(self._samples),
        )

    def _peak(self) -> float | None:
        """Return the steepest slope between two readings at least the window apart."""
        best: float | None = None
        start = 0
        for end, last in enumerate(self._samples):
            while start < end and last.at - self._samples[start + 1].at >= PEAK_WINDOW_SECONDS:
                start += 1
            first = self._samples[start]
            if (span := last.at - first.at) >= PEAK_WINDOW_SECONDS:
                slope = (last.cpu_seconds - first.cpu_seconds) / span
                best = slope if best is None else max(best, slope)
        return best


def _mean(cpu_seconds: float | None, wall_seconds: float) -> float | None:
    return None if cpu_seconds is None or wall_seconds <= 0 else cpu_seconds / wall_seconds
