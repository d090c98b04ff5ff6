"""Control groups of both versions, with files as kernels made them."""

from __future__ import annotations

from pathlib import Path

import pytest

from buzzflow.backends.local.containers.control_group import find_control_group
from buzzflow.backends.local.containers.meter import stats_sample

ID = "3a914ede"
NET_DEV = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes  packets errs drop fifo colls carrier compressed
    lo:    2000      20    0    0    0     0          0         0   2000    20    0    0    0     0       0          0
  eth0: 20971520  14211    0    0    0     0          0         0 466123  7013    0    0    0     0       0          0
"""
IO = """\
rchar: 89577
wchar: 30007754
syscr: 66
syscw: 8
read_bytes: {read}
write_bytes: {written}
cancelled_write_bytes: 0
"""
VERSION_1 = {
    "cpuacct.usage": "1934000000\n",
    "memory.usage_in_bytes": "220000000\n",
    "memory.max_usage_in_bytes": "223700000\n",
    "memory.stat": "cache 30416896\nrss 8392704\ninactive_file 0\ntotal_inactive_file 30003200\n",
    "cgroup.procs": "70\n71\n",
    "blkio.throttle.io_service_bytes": "Total 0\n",
}
VERSION_2 = {
    "cpu.stat": "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n",
    "memory.current": "220000000\n",
    "memory.peak": "223700000\n",
    "memory.stat": "anon 8392704\nfile 30416896\ninactive_file 30003200\n",
    "cgroup.procs": "70\n71\n",
    "io.stat": "259:0 rbytes=40960 wbytes=31000000 rios=9 wios=61 dbytes=0 dios=0\n",
}


def machine(folder: Path, version: int, **changed: str) -> Path:
    """Lay out a /proc that names a control group with its files; return the /proc."""
    group = folder / "cgroup" / f"docker-{ID}.scope"
    process = folder / "proc" / "70"
    for made in (group, process / "net", folder / "proc" / "self"):
        made.mkdir(parents=True)
    for name, text in ((VERSION_1 if version == 1 else VERSION_2) | changed).items():
        if text:
            (group / name).write_text(text)
    places = "3:cpu,cpuacct:/docker-{0}.scope\n4:memory:/docker-{0}.scope\n5:blkio:/docker-{0}.scope\n"
    (process / "cgroup").write_text((places if version == 1 else "0::/docker-{0}.scope\n").format(ID))
    (process / "net" / "dev").write_text(NET_DEV)
    mount = f"cgroup {folder}/cgroup cgroup{'' if version == 1 else 2} rw"
    names = ("cpu,cpuacct", "memory", "blkio") if version == 1 else ("nsdelegate",)
    (folder / "proc" / "self" / "mounts").write_text("".join(f"{mount},{name} 0 0\n" for name in names))
    return folder / "proc"


def of_process(proc: Path, pid: int, read: int, written: int) -> None:
    (proc / str(pid)).mkdir(exist_ok=True)
    (proc / str(pid) / "io").write_text(IO.format(read=read, written=written))


@pytest.mark.parametrize(("version", "cpu"), [(1, 1.934), (2, 1.5)])
def test_cpu_memory_and_network_of_both_versions(tmp_path: Path, version: int, cpu: float) -> None:
    reader = find_control_group(ID, 70, machine(tmp_path, version))
    assert reader is not None
    sample = reader.read()
    assert sample is not None
    assert (sample.cpu_seconds, sample.memory_bytes, sample.memory_peak_bytes) == (cpu, 220_000_000, 223_700_000)
    assert sample.working_set_bytes == 220_000_000 - 30_003_200
    assert (sample.network_received_bytes, sample.network_sent_bytes) == (20_971_520, 466_123)
    assert reader.sources["network_sent_bytes"] == "proc"
    assert reader.processes() == {70, 71}


def test_a_version_1_group_that_counts_no_disk_leaves_it_to_the_processes(tmp_path: Path) -> None:
    proc = machine(tmp_path, 1)
    reader = find_control_group(ID, 70, proc)
    assert reader is not None
    sample = reader.read()
    assert sample is not None
    assert (sample.disk_read_bytes, sample.disk_written_bytes) == (None, None)
    of_process(proc, 70, 4096, 30_011_392)
    of_process(proc, 71, 8192, 8192)
    sample = reader.read()
    assert sample is not None
    assert (sample.disk_read_bytes, sample.disk_written_bytes) == (12_288, 30_019_584)
    assert reader.sources["disk_written_bytes"] == "proc"


def test_what_a_version_1_group_counts_is_taken(tmp_path: Path) -> None:
    counted = "254:0 Read 40960\n254:0 Write 31000000\n254:0 Sync 5\n254:0 Total 31040960\nTotal 31040960\n"
    reader = find_control_group(ID, 70, machine(tmp_path, 1, **{"blkio.throttle.io_service_bytes": counted}))
    assert reader is not None
    sample = reader.read()
    assert sample is not None
    assert (sample.disk_read_bytes, sample.disk_written_bytes) == (40_960, 31_000_000)


def test_of_two_counts_of_the_disk_the_larger_one_is_told(tmp_path: Path) -> None:
    """Version 2 has not seen what waits to be written back; /proc has not seen what another user's process wrote."""
    proc = machine(tmp_path, 2)
    of_process(proc, 70, 4096, 50_000_000)
    reader = find_control_group(ID, 70, proc)
    assert reader is not None
    sample = reader.read()
    assert sample is not None
    assert (sample.disk_read_bytes, sample.disk_written_bytes) == (40_960, 50_000_000)
    assert "disk_read_bytes" not in reader.sources
    assert reader.sources["disk_written_bytes"] == "proc"


def test_a_kernel_without_a_peak_of_its_own_is_read(tmp_path: Path) -> None:
    reader = find_control_group(ID, 70, machine(tmp_path, 2, **{"memory.peak": ""}))
    assert reader is not None
    sample = reader.read()
    assert sample is not None
    assert sample.memory_peak_bytes is None


def test_a_process_of_another_group_is_not_taken_for_the_container(tmp_path: Path) -> None:
    assert find_control_group("5e1f", 70, machine(tmp_path, 2)) is None


def test_an_answer_of_the_docker_api_is_read() -> None:
    version_2 = {
        "cpu_stats": {"cpu_usage": {"total_usage": 1_500_000_000}},
        "memory_stats": {"usage": 220_000_000, "stats": {"inactive_file": 30_003_200}, "limit": 2**34},
        "networks": {"eth0": {"rx_bytes": 100, "tx_bytes": 7}, "eth1": {"rx_bytes": 1, "tx_bytes": 1}},
        "blkio_stats": {
            "io_service_bytes_recursive": [
                {"major": 259, "minor": 0, "op": "read", "value": 4096},
                {"major": 259, "minor": 0, "op": "write", "value": 8192},
            ]
        },
    }
    sample = stats_sample(version_2, 3.0)
    assert sample is not None
    assert (sample.at, sample.cpu_seconds, sample.memory_peak_bytes) == (3.0, 1.5, None)
    assert sample.working_set_bytes == 220_000_000 - 30_003_200
    assert (sample.disk_read_bytes, sample.disk_written_bytes) == (4096, 8192)
    assert (sample.network_received_bytes, sample.network_sent_bytes) == (101, 8)
    version_1 = {
        "cpu_stats": {"cpu_usage": {"total_usage": 1_000_000_000}},
        "memory_stats": {"usage": 100, "max_usage": 150, "stats": {"total_inactive_file": 30, "inactive_file": 1}},
        "blkio_stats": {"io_service_bytes_recursive": []},
    }
    sample = stats_sample(version_1, 3.0)
    assert sample is not None
    assert (sample.memory_peak_bytes, sample.working_set_bytes, sample.disk_read_bytes) == (150, 70, None)
    assert sample.network_received_bytes is None
    assert stats_sample({"memory_stats": {}}, 3.0) is None
