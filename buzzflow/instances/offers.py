"""The instance types that a step could run on, what each would cost, and which of them fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from buzzflow.instances.names import Kind, names
from buzzflow.instances.need import Need, Used, slower
from buzzflow.instances.prices import Machine, machine, per_hour, priced_regions

_USUAL_REGION = "us-east-1"
_NVIDIA = "NVIDIA"
# Burstable instances compute above a baseline on credit only. EC2's baseline in each vCPU, by size of T3 (Amazon EC2
# User Guide, "Key concepts for burstable performance instances").
_T3_BASELINE = {"medium": 0.2, "large": 0.3, "xlarge": 0.4, "2xlarge": 0.4}
BURSTABLE_SHARE = 0.5  # of the vCPUs of such a machine counts for what a step computes with all the time


@dataclass(frozen=True, slots=True)
class Market:
    """Where a step will run, and of which region the prices are: *region* None is unknown."""

    region: str | None
    prices: str

    @property
    def is_known(self) -> bool:
        """Whether the prices are those of the region."""
        return self.region == self.prices


def market_of(region: str | None) -> Market:
    """Return the market of *region*; where its prices are unknown those of another serve to compare."""
    known = priced_regions()
    if region in known:
        return Market(region, region)
    return Market(region, _USUAL_REGION if _USUAL_REGION in known else known[0])


@dataclass(frozen=True, slots=True)
class Offer:
    """An instance type for a step: what it has, USD an hour, and how many times longer than here a step takes at most.

    None is unknown.
    """

    instance: str
    machine: Machine | None
    per_hour: float | None
    slower: float = 1.0

    @property
    def cost(self) -> float | None:
        """USD for what takes an hour here."""
        return None if self.per_hour is None else self.per_hour * self.slower

    def per_run(self, seconds: float, count: int) -> float | None:
        """Return the USD of *count* machines for what took so long here, start-up and downloads not included."""
        return None if self.cost is None else self.cost * seconds / 3600 * count

    @property
    def family(self) -> str:
        """`ml.m5` of `ml.m5.large`."""
        return self.instance.rpartition(".")[0]

    @property
    def is_burstable(self) -> bool:
        """Whether it computes at full speed on credit only."""
        return self.family.startswith("ml.t")

    @property
    def baseline(self) -> float | None:
        """The cores that a burstable instance may always use; None where that is unknown, or it is none."""
        size = self.instance.rpartition(".")[2]
        share = _T3_BASELINE.get(size) if self.family == "ml.t3" else None
        return None if share is None or self.machine is None else self.machine.vcpus * share


def offer(instance: str, kind: Kind, market: Market, used: Used) -> Offer:
    """Return what is known of *instance* for a step."""
    has = machine(instance)
    return Offer(instance, has, per_hour(instance, kind, market.prices), 1.0 if has is None else slower(used, has))


def offers(kind: Kind, market: Market, used: Used) -> list[Offer]:
    """Return every instance type of which the hardware is known, the cheapest for this step first.

    Where prices of the kind are known, those without a price are left out; where none is, the smallest comes first.
    """
    every = [found for name in names(kind) if (found := offer(name, kind, market, used)).machine is not None]
    return sorted([o for o in every if o.per_hour is not None] or every, key=_rank)


def _rank(one: Offer) -> tuple[float, int, int, float, int, str]:
    has = one.machine
    assert has is not None  # others are no candidates
    generation = int(next(iter(re.findall(r"\d+", one.family)), 0))
    return one.cost or 0.0, has.accelerators, has.vcpus, has.memory_gib, -generation, one.instance


def fits(one: Offer, need: Need) -> bool:
    """Whether it has all that is needed; of types with GPUs only those fit that need one."""
    has = one.machine
    if has is None or has.memory_gib < need.memory_gib or has.vcpus < need.cores:
        return False
    if one.is_burstable and has.vcpus * BURSTABLE_SHARE < need.cores_mean:
        return False
    return _has_gpus(has, need)


def _has_gpus(has: Machine, need: Need) -> bool:
    if not need.accelerators:
        return not has.accelerators
    if has.accelerators < need.accelerators:
        return False
    if need.accelerator is not None:
        return has.accelerator == need.accelerator
    return (has.accelerator or "").startswith(_NVIDIA) and (
        has.accelerator_memory_gib or 0.0
    ) >= need.accelerator_memory_gib


def first(candidates: Iterable[Offer], need: Need, also: Callable[[Offer], bool] = lambda _: True) -> Offer | None:
    """Return the first of *candidates* that fits."""
    return next((one for one in candidates if fits(one, need) and also(one)), None)
