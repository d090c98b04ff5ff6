"""Turn readings of a step's counters into its figures, in bounded memory however long the step runs.

The reader is the seam: the executors feed a `UsageRecorder` from control-group files, the Docker API, psutil or
Prometheus.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from buzzflow.metrics.usage import PEAK_WINDOW_SECONDS, Curves, GpuUsage, Sample, Usage

CURVE_POINTS = 600
_LEAST_SPACING_SECONDS = 0.1  # nearer to one another, the CPU's slopes are noise
COUNTERS = ("disk_read_bytes", "disk_written_bytes", "network_received_bytes", "network_sent_bytes")


class UsageRecorder:
    """Collects readings of one step that *began* at a time of their clock, with every counter at 0."""

    def __init__(self, source: str, began: float) -> None:
        self.source = source
        self._began = began
        self._last = Sample(began, 0.0, 0)
        self._count = 0
        self._memory_peak = 0
        self._working_set_peak: int | None = None
        self._memory_seconds = 0.0
        self._measured_seconds = 0.0
        self._window = deque([self._last])
        self._cpu_peak: float | None = None
        self._points: list[Sample] = []
        self._spacing = _LEAST_SPACING_SECONDS
        self._next_point = began

    def add(self, sample: Sample) -> None:
        """Add a reading."""
        sample = _not_less(sample, self._last)
        if self._count:  # what memory was before the first reading is not known
            seconds = sample.at - self._last.at
            self._memory_seconds += seconds * (sample.memory_bytes + self._last.memory_bytes) / 2
            self._measured_seconds += seconds
        self._count += 1
        self._memory_peak = max(self._memory_peak, sample.memory_bytes, sample.memory_peak_bytes or 0)
        if sample.working_set_bytes is not None:
            self._working_set_peak = max(self._working_set_peak or 0, sample.working_set_bytes)
        self._last = sample
        self._look_for_peak(sample)
        self._keep_point(sample)

    def finish(
        self,
        wall_seconds: float,
        *,
        cpu_seconds: float | None = None,
        memory_peak_bytes: int | None = None,
        gpu: GpuUsage | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> Usage:
        """Return the figures; *cpu_seconds* and *memory_peak_bytes* are totals of the system, read at the end."""
        if cpu_seconds is not None and self._count:
            at = max(self._began + wall_seconds, self._last.at)
            self._look_for_peak(replace(self._last, at=at, cpu_seconds=max(cpu_seconds, self._last.cpu_seconds)))
        total = cpu_seconds if cpu_seconds is not None or not self._count else self._last.cpu_seconds
        mean = None if total is None or wall_seconds <= 0 else total / wall_seconds
        peak = self._cpu_peak if mean is None or self._cpu_peak is None else max(self._cpu_peak, mean)
        return Usage(
            wall_seconds=wall_seconds,
            cpu_seconds=total,
            cpu_mean=mean,
            cpu_peak=peak,
            memory_peak_bytes=max(self._memory_peak, memory_peak_bytes or 0) or None,
            source=self.source,
            samples=self._count,
            memory_mean_bytes=self._memory_mean(),
            working_set_peak_bytes=self._working_set_peak,
            **{name: getattr(self._last, name) for name in COUNTERS},
            gpu=gpu,
            sources=sources or {},
            curves=_curves(self._points, self._began) if self._count else Curves(),
        )

    def _memory_mean(self) -> int | None:
        if not self._count:
            return None
        if self._measured_seconds <= 0:
            return self._last.memory_bytes
        return round(self._memory_seconds / self._measured_seconds)

    def _look_for_peak(self, sample: Sample) -> None:
        """Take the slope between *sample* and the latest reading that is at least the window before it."""
        window = self._window
        window.append(sample)
        while len(window) > 2 and sample.at - window[1].at >= PEAK_WINDOW_SECONDS:
            window.popleft()
        if (seconds := sample.at - window[0].at) >= PEAK_WINDOW_SECONDS:
            self._cpu_peak = max(self._cpu_peak or 0.0, (sample.cpu_seconds - window[0].cpu_seconds) / seconds)

    def _keep_point(self, sample: Sample) -> None:
        """Keep a point of the curves; once there are twice too many, every two become one."""
        if self._points and sample.at < self._next_point:
            self._points[-1] = _joined(self._points[-1], sample)
            return
        self._points.append(sample)
        self._next_point = sample.at + self._spacing
        if len(self._points) >= 2 * CURVE_POINTS:
            self._points = _halved(self._points)
            self._spacing *= 2


def _not_less(sample: Sample, before: Sample) -> Sample:
    """Return *sample* with counters that never go back: a process that ended may be missing from a sum for a moment."""
    return replace(
        sample,
        cpu_seconds=max(sample.cpu_seconds, before.cpu_seconds),
        disk_read_bytes=_most(before.disk_read_bytes, sample.disk_read_bytes),
        disk_written_bytes=_most(before.disk_written_bytes, sample.disk_written_bytes),
        network_received_bytes=_most(before.network_received_bytes, sample.network_received_bytes),
        network_sent_bytes=_most(before.network_sent_bytes, sample.network_sent_bytes),
    )


def _joined(first: Sample, second: Sample) -> Sample:
    """Return the second with the more memory of both: a peak must stay to be seen."""
    return replace(
        second,
        memory_bytes=max(first.memory_bytes, second.memory_bytes),
        working_set_bytes=_most(first.working_set_bytes, second.working_set_bytes),
    )


def _halved(points: list[Sample]) -> list[Sample]:
    rest = points[-1:] if len(points) % 2 else []
    return [_joined(a, b) for a, b in zip(points[::2], points[1::2], strict=False)] + rest


def _most(first: int | None, second: int | None) -> int | None:
    found = [value for value in (first, second) if value is not None]
    return max(found) if found else None


def _curves(points: list[Sample], began: float) -> Curves:
    while len(points) > CURVE_POINTS:
        points = _halved(points)
    cores, before = [], Sample(began, 0.0, 0)
    for point in points:
        seconds = point.at - before.at
        cores.append((point.cpu_seconds - before.cpu_seconds) / seconds if seconds > 0 else 0.0)
        before = point
    counters: dict[str, tuple[int, ...]] = {}
    for name in COUNTERS:
        values = [getattr(point, name) for point in points]
        known = [value for value in values if value is not None]
        counters[name] = tuple(value or 0 for value in values) if known else ()
    return Curves(
        at=tuple(round(max(point.at - began, 0.0), 3) for point in points),
        cpu_cores=tuple(round(value, 4) for value in cores),
        memory_bytes=tuple(point.memory_bytes for point in points),
        **counters,
    )
