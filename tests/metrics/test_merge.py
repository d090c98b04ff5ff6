"""Two readings of one step become one, and each figure says whose it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from buzzflow.metrics import Curves, GpuUsage, Usage
from buzzflow.metrics.merge import completed

MIB = 2**20
OWN = Usage(
    wall_seconds=10.0,
    cpu_seconds=8.0,
    cpu_mean=0.8,
    cpu_peak=1.9,
    memory_peak_bytes=200 * MIB,
    source="cgroup",
    samples=220,
    memory_mean_bytes=90 * MIB,
    working_set_peak_bytes=150 * MIB,
    disk_read_bytes=0,
    disk_written_bytes=30_000_000,
    network_received_bytes=20_000_000,
    network_sent_bytes=400,
    sources={"disk_written_bytes": "proc", "network_received_bytes": "proc", "network_sent_bytes": "proc"},
    curves=Curves((0.1, 5.0, 10.0), (0.8, 0.8, 0.8), (1, 2, 3), disk_written_bytes=(5, 6, 7)),
)
SCRAPED = Usage(
    wall_seconds=10.0,
    cpu_seconds=7.7,
    cpu_mean=0.77,
    cpu_peak=1.7,
    memory_peak_bytes=200 * MIB,
    source="prometheus",
    samples=4,
    memory_mean_bytes=88 * MIB,
    working_set_peak_bytes=140 * MIB,
    disk_written_bytes=60_000_000,
    network_received_bytes=20_000_100,
    network_sent_bytes=300,
    curves=Curves((0.4, 4.0, 6.0, 9.6), (0.7, 0.8, 0.9, 0.8), (1, 2, 2, 3)),
)


def test_totals_are_the_later_ones_and_levels_those_of_who_reads_more_often() -> None:
    usage = completed(OWN, SCRAPED)
    assert (usage.cpu_seconds, usage.cpu_mean, usage.cpu_peak) == (8.0, 0.8, 1.9)
    assert (usage.memory_mean_bytes, usage.working_set_peak_bytes) == (90 * MIB, 150 * MIB)
    assert usage.network_received_bytes == 20_000_100
    assert usage.disk_written_bytes == 30_000_000  # the other counts devices that lie on one another twice
    assert (usage.source, usage.samples) == ("cgroup", 220)
    assert usage.sources == {
        "disk_written_bytes": "proc",
        "network_received_bytes": "prometheus",
        "network_sent_bytes": "proc",
        "curves": "prometheus",
    }


def test_curves_are_prometheus_with_what_only_the_engine_has() -> None:
    curves = completed(OWN, SCRAPED).curves
    assert (curves.at, curves.cpu_cores) == (SCRAPED.curves.at, SCRAPED.curves.cpu_cores)
    assert curves.disk_written_bytes == (5, 5, 6, 6)
    assert curves.network_sent_bytes == ()


def test_a_slow_engine_only_completes_the_totals() -> None:
    """Docker Desktop: the control groups are in a virtual machine, and the API answers once a second."""
    usage = completed(replace(OWN, source="docker stats", samples=3, sources={}), SCRAPED)
    assert (usage.source, usage.samples) == ("prometheus", 4)
    assert (usage.cpu_peak, usage.memory_mean_bytes) == (1.7, 88 * MIB)
    assert (usage.cpu_seconds, usage.sources["cpu_seconds"]) == (8.0, "docker stats")
    assert "curves" not in usage.sources


@pytest.mark.parametrize(
    "curves",
    [
        Curves((6.0, 8.0, 9.6), (1.0, 1.0, 1.0), (1, 1, 1)),  # Prometheus came too late for its first half
        Curves((0.4, 2.0, 4.0), (1.0, 1.0, 1.0), (1, 1, 1)),  # or went away before its end
    ],
)
def test_curves_that_miss_a_part_of_the_step_are_not_taken(curves: Curves) -> None:
    usage = completed(OWN, replace(SCRAPED, samples=3, curves=curves))
    assert usage.curves == OWN.curves
    assert "curves" not in usage.sources


def test_a_step_that_was_not_scraped_keeps_its_own_figures() -> None:
    assert completed(OWN, Usage(10.0, source="prometheus")) == OWN


def test_a_step_that_only_prometheus_saw_has_its_figures() -> None:
    assert completed(Usage(10.0), SCRAPED) == SCRAPED


def test_the_gpu_is_kept() -> None:
    gpu = GpuUsage("NVIDIA A10G", 0.5, 0.9, 500 * MIB)
    usage = completed(replace(OWN, gpu=gpu, sources={"gpu": "nvidia-smi"}), SCRAPED)
    assert (usage.gpu, usage.sources["gpu"]) == (gpu, "nvidia-smi")
