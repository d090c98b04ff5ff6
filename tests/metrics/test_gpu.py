"""GPUs are asked from `nvidia-smi`; a small program on PATH answers as it does."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from buzzflow.metrics.gpu import GpuMeter, read_gpus

ANSWERS = """\
#!/bin/sh
case "$1" in
  --query-compute-apps=*) printf '%s\\n' '{apps}' ;;
  --query-gpu=*) printf 'GPU-a, NVIDIA A10G, 90, 5000\\nGPU-b, NVIDIA A10G, 35, 7000\\n' ;;
  *) exit 2 ;;
esac
"""


def program(folder: Path, text: str) -> Path:
    file = folder / "nvidia-smi"
    file.write_text(text)
    file.chmod(0o755)
    return file


def test_only_gpus_that_the_steps_processes_are_on_count(tmp_path: Path) -> None:
    smi = program(tmp_path, ANSWERS.format(apps="41, GPU-a, 400\n42, GPU-a, 100\n7, GPU-b, 9000"))
    reading = read_gpus(str(smi), frozenset({41, 42}))
    assert (reading.names, reading.busy, reading.memory_bytes) == (("NVIDIA A10G",), 0.9, 500 * 2**20)


def test_where_a_process_has_no_figure_the_gpus_memory_is_taken(tmp_path: Path) -> None:
    smi = program(tmp_path, ANSWERS.format(apps="41, GPU-b, [N/A]"))
    assert read_gpus(str(smi), frozenset({41})).memory_bytes == 7000 * 2**20


def test_a_meter_tells_mean_and_peak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, ANSWERS.format(apps="41, GPU-a, 400"))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    meter = GpuMeter(lambda: frozenset({41}))
    give_up = time.monotonic() + 10
    while (usage := meter.finish()) is None:
        assert time.monotonic() < give_up
        time.sleep(0.05)
        meter = GpuMeter(lambda: frozenset({41}))
        time.sleep(0.3)
    assert (usage.name, usage.busy_mean, usage.busy_peak) == ("NVIDIA A10G", 0.9, 0.9)


def test_a_program_that_fails_or_is_not_there_gives_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "#!/bin/sh\necho 'NVIDIA-SMI has failed'; exit 9\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    meter = GpuMeter(lambda: frozenset({41}))
    time.sleep(0.2)
    assert meter.finish() is None
    monkeypatch.setenv("PATH", "/nonexistent")
    assert GpuMeter(frozenset).finish() is None
