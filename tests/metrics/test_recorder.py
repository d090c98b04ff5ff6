"""Readings become figures: exact totals, peaks over a window, means over time, curves of bounded length."""

from __future__ import annotations

from itertools import pairwise

import pytest

from buzzflow.metrics import Curves, Sample, UsageRecorder
from buzzflow.metrics.recorder import CURVE_POINTS

MIB = 2**20


def test_without_a_reading_only_the_time_is_known() -> None:
    usage = UsageRecorder("cgroup", 10.0).finish(2.0)
    assert (usage.wall_seconds, usage.cpu_seconds, usage.memory_peak_bytes, usage.samples) == (2.0, None, None, 0)
    assert usage.curves == Curves()


def test_means_are_over_time_and_not_over_readings() -> None:
    recorder = UsageRecorder("cgroup", 0.0)
    for at, cpu, memory in ((1.0, 1.0, 100), (1.1, 1.1, 100), (1.2, 1.2, 100), (4.0, 1.2, 300)):
        recorder.add(Sample(at, cpu, memory * MIB))
    usage = recorder.finish(4.0)
    assert usage.cpu_mean == pytest.approx(0.3)
    assert usage.memory_mean_bytes == pytest.approx((0.2 * 100 + 2.8 * 200) / 3 * MIB, rel=1e-6)


def test_the_peak_of_the_cpu_is_over_half_a_second() -> None:
    recorder = UsageRecorder("cgroup", 0.0)
    for tick in range(1, 41):  # two cores from 1 s to 1.5 s, else nothing
        at = tick / 20
        recorder.add(Sample(at, min(max(at - 1, 0), 0.5) * 2, MIB))
    assert recorder.finish(2.0).cpu_peak == pytest.approx(2.0, rel=0.01)


def test_the_start_is_a_reading_of_the_cpu_but_not_of_memory() -> None:
    recorder = UsageRecorder("cgroup", 5.0)
    recorder.add(Sample(6.0, 1.5, 50))
    usage = recorder.finish(1.0)
    assert usage.cpu_peak == pytest.approx(1.5)
    assert usage.memory_mean_bytes == 50


def test_totals_of_the_system_complete_the_readings() -> None:
    recorder = UsageRecorder("psutil", 0.0)
    recorder.add(Sample(1.0, 1.0, 100))
    usage = recorder.finish(2.0, cpu_seconds=3.0, memory_peak_bytes=500)
    assert (usage.cpu_seconds, usage.cpu_mean, usage.memory_peak_bytes) == (3.0, 1.5, 500)
    assert usage.cpu_peak == pytest.approx(2.0)


def test_counters_never_go_back() -> None:
    recorder = UsageRecorder("cgroup", 0.0)
    recorder.add(Sample(1.0, 2.0, 1, disk_written_bytes=900, network_sent_bytes=5))
    recorder.add(Sample(2.0, 1.0, 1, disk_written_bytes=100, network_sent_bytes=None))
    usage = recorder.finish(2.0)
    assert (usage.cpu_seconds, usage.disk_written_bytes, usage.network_sent_bytes) == (2.0, 900, 5)
    assert usage.disk_read_bytes is None
    assert usage.curves.disk_read_bytes == ()


def test_a_day_long_step_keeps_few_points_and_every_peak() -> None:
    recorder = UsageRecorder("cgroup", 0.0)
    for tick in range(100_000):
        recorder.add(Sample(tick * 0.05, tick * 0.04, 5000 if tick == 33_333 else 10, working_set_bytes=7))
    usage = recorder.finish(5000.0)
    curves = usage.curves
    assert CURVE_POINTS / 2 <= len(curves.at) <= CURVE_POINTS
    assert max(curves.memory_bytes) == 5000
    assert curves.cpu_cores[100] == pytest.approx(0.8, rel=0.01)
    gaps = [b - a for a, b in pairwise(curves.at)]
    assert min(gaps) > 0
    assert max(gaps) < 5000 / len(curves.at) * 3
    assert curves.at[-1] == pytest.approx(99_999 * 0.05)
    assert usage.samples == 100_000
