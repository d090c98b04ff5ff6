"""What a step used, and what a machine must have for it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from buzzflow.instances.prices import Machine

GIB = 2**30
MARGIN = 0.3
# The system of an instance and the agents of the service need memory beside the step. AWS publishes no figure: this is
# an assumption, on the safe side of the 0.3 GiB that a bare Linux with Docker takes.
RESERVED_GIB = 0.5
_BUSY = 0.05  # of one GPU: less is what a driver does by itself


@dataclass(frozen=True, slots=True)
class UsedGpu:
    """What a step used of the GPUs here, all together: *busy* in GPUs at most, and memory."""

    name: str
    busy: float
    memory_bytes: int

    @property
    def is_used(self) -> bool:
        """Whether the step computed on it."""
        return self.busy > _BUSY

    @property
    def count(self) -> int:
        """How many GPUs it kept busy at once."""
        return max(1, ceil(self.busy - _BUSY))


@dataclass(frozen=True, slots=True)
class Used:
    """What a step used here; None is what nobody could read, for *gpu* also that there is none here.

    *cores_peak* is over about a second. *memory_bytes* is the most, without files that the system only keeps in memory
    while there is room, unless *with_cached_files*. *samples* is how often it was looked at.
    """

    seconds: float
    memory_bytes: int
    cores_mean: float | None = None
    cores_peak: float | None = None
    with_cached_files: bool = False
    samples: int = 0
    gpu: UsedGpu | None = None

    @property
    def memory_gib(self) -> float:
        """The memory in GiB."""
        return self.memory_bytes / GIB


@dataclass(frozen=True, slots=True)
class Need:
    """What a machine must have: memory, vCPUs, and GPUs with so much memory each.

    *cores_mean* is what it computes with all the time. *accelerator* is the one that it must be, where nobody could
    measure how much of it is used.
    """

    memory_gib: float
    cores: float
    cores_mean: float = 0.0
    accelerators: int = 0
    accelerator: str | None = None
    accelerator_memory_gib: float = 0.0


def need_of(used: Used, asked: Machine | None, margin: float) -> Need:
    """Return what the step needs, with *margin* (0.3 is 30 %) on all that it used.

    Of CPU that is the mean with the margin, or the peak where that is less: with fewer cores than its peak a step takes
    longer and does not fail. Where nobody read the CPU, it is what the pipeline asks for.
    """
    more = 1 + margin
    memory = used.memory_gib * more + RESERVED_GIB
    if used.cores_mean is None:
        cores = mean = float(asked.vcpus if asked is not None else 1)
    else:
        mean = used.cores_mean
        cores = min(mean * more, max(mean, used.cores_peak or mean * more))
    gpu = used.gpu
    if gpu is not None and gpu.is_used:
        each = gpu.memory_bytes / GIB / gpu.count * more
        return Need(memory, cores, mean, gpu.count, accelerator_memory_gib=each)
    if gpu is None and asked is not None and asked.accelerators:
        return Need(memory, cores, mean, asked.accelerators, asked.accelerator)
    return Need(memory, cores, mean)


def slower(used: Used, machine: Machine) -> float:
    """Return how many times longer than here a step takes at most where *machine* has fewer cores than its peak.

    The mean and the peak leave open how long the peak lasted. It costs most when the step had nothing to do for the
    rest of the time: then it was busy for mean / peak of it, and that part takes peak / vCPUs times as long.
    """
    mean, peak = used.cores_mean, used.cores_peak
    if mean is None or peak is None or peak <= machine.vcpus or mean <= 0:
        return 1.0
    busy = min(1.0, mean / peak)
    return 1 - busy + busy * peak / machine.vcpus
