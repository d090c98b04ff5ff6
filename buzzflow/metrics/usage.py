"""CPU and memory of one step, from counters that somebody reads while it runs.

The reader is the seam: the executors feed a `UsageRecorder` from control-group files, the Docker API or psutil.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PEAK_WINDOW_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Sample:
    """A reading: seconds on a steady clock, CPU seconds used so far, bytes of memory in use."""

    at: float
    cpu_seconds: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a step used. CPU is in cores; the peak is over *peak_window_seconds*, None where nothing was read."""

    wall_seconds: float
    cpu_seconds: float | None = None
    cpu_mean: float | None = None
    cpu_peak: float | None = None
    memory_peak_bytes: int | None = None
    peak_window_seconds: float = PEAK_WINDOW_SECONDS
    source: str = "none"
    samples: int = 0


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
