"""Which instance type fits a step, from what it used here, what its pipeline asks for, and the tables alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from pathlib import Path

from buzzflow.instances.caveats import caveats, confidence
from buzzflow.instances.names import Kind
from buzzflow.instances.need import MARGIN, RESERVED_GIB, Need, Used, need_of
from buzzflow.instances.offers import Market, Offer, first, fits, offer, offers
from buzzflow.instances.prices import Machine

WORTHWHILE = 10  # per cent: less is not worth a change


class Verdict(StrEnum):
    """What is to be said of the instance type that a pipeline asks for."""

    RIGHT = "right"
    CHEAPER = "cheaper"  # another fits, and costs less
    SMALLER = "smaller"  # another fits that has less, and a price is unknown
    SLOW = "slow"  # it has fewer cores than the step keeps busy
    TIGHT = "tight"  # it has less memory than the margin wants
    TOO_SMALL = "too small"  # it has less memory than the step used, or no GPU
    UNKNOWN = "unknown"  # what it has is not in the table, or nothing in the table fits


@dataclass(frozen=True, slots=True)
class Asked:
    """What the pipeline asks for. *sample_data* are the bytes of the sample data that it read, by input.

    *after_samples* are the steps before this one that read sample data.
    """

    instance: str
    kind: Kind
    count: int = 1
    sample_data: Mapping[str, int] = field(default_factory=dict)
    after_samples: Sequence[str] = ()

    @property
    def is_sampled(self) -> bool:
        """Whether it was measured with less than the real data."""
        return bool(self.sample_data or self.after_samples)


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another instance type that fits, and why one might want it."""

    offer: Offer
    why: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What fits a step: *best* is the cheapest, None where the table has none.

    *saving* is how many per cent less a run costs with it, rounded down; None where a price is unknown or it costs
    more.
    """

    asked: Asked
    asks: Offer
    used: Used
    need: Need
    best: Offer | None
    others: tuple[Alternative, ...]
    verdict: Verdict
    saving: int | None
    confidence: str
    caveats: tuple[str, ...]

    @property
    def is_worthwhile(self) -> bool:
        """Whether to speak of it unasked: the step would fail, or clearly costs more than it must."""
        saves = self.verdict is Verdict.CHEAPER and self.confidence != "low"
        return saves or self.verdict is Verdict.TOO_SMALL


@dataclass(frozen=True, slots=True)
class RunAdvice:
    """What fits the steps of a run, by name; *without* says of every other step with a machine why nothing is said.

    *prices* is the day of the price list.
    """

    run: str
    pipeline: str
    file: Path | None
    market: Market
    margin: float
    prices: date
    steps: Mapping[str, Advice]
    without: Mapping[str, str]


def advise(asked: Asked, used: Used, market: Market, *, margin: float = MARGIN) -> Advice:
    """Return what fits a step that *used* so much, with *margin* (0.3 is 30 %) on top."""
    asks = offer(asked.instance, asked.kind, market, used)
    need = need_of(used, asks.machine, margin)
    candidates = offers(asked.kind, market, used)
    best = None if asks.machine is None else first(candidates, need)
    if best is not None and fits(asks, need) and asks.cost is not None and best.cost == asks.cost:
        best = asks  # of equals, the one that is there
    saving = _saving(asks, best)
    return Advice(
        asked=asked,
        asks=asks,
        used=used,
        need=need,
        best=best,
        others=tuple(_others(candidates, need, best, asks, used)),
        verdict=_verdict(asks, best, used, need, saving),
        saving=saving,
        confidence=confidence(used, need, asked.count, sampled=asked.is_sampled),
        caveats=tuple(caveats(asked.sample_data, asked.after_samples, asked.count, asks, used, need, best)),
    )


def _saving(asks: Offer, best: Offer | None) -> int | None:
    if best is None or best.cost is None or not asks.cost or best.cost > asks.cost:
        return None
    return int(100 * (1 - best.cost / asks.cost) + 1e-9)


def _verdict(asks: Offer, best: Offer | None, used: Used, need: Need, saving: int | None) -> Verdict:
    has = asks.machine
    if has is None:
        return Verdict.UNKNOWN
    lacks_gpu = need.accelerators > has.accelerators
    if has.memory_gib < used.memory_gib + RESERVED_GIB or lacks_gpu:
        return Verdict.TOO_SMALL
    if best is None:
        return Verdict.UNKNOWN
    if has.memory_gib < need.memory_gib:
        return Verdict.TIGHT
    if saving is not None and saving >= WORTHWHILE:
        return Verdict.CHEAPER
    if saving is None and _is_smaller(best, has):
        return Verdict.SMALLER
    return Verdict.SLOW if has.vcpus < need.cores else Verdict.RIGHT


def _is_smaller(best: Offer, asked: Machine) -> bool:
    has = best.machine
    return has is not None and has.vcpus < asked.vcpus and has.memory_gib <= asked.memory_gib


def _others(
    candidates: Sequence[Offer], need: Need, best: Offer | None, asks: Offer, used: Used
) -> Iterator[Alternative]:
    """Yield two that one may want rather than the *best*: for each wish the cheapest that is not yet named."""
    if best is None or best.machine is None:
        return
    has, peak = best.machine, used.cores_peak or 0.0
    roomy = replace(need, memory_gib=2 * has.memory_gib)
    wishes = [
        ("steady CPU", need, lambda o: best.is_burstable and not o.is_burstable),
        ("cores for its peak", need, lambda o: has.vcpus < peak <= o.machine.vcpus and not o.is_burstable),
        ("twice the memory", roomy, lambda o: not o.is_burstable),
        ("another family", need, lambda o: o.family != best.family and not o.is_burstable),
        ("the next in price", need, lambda _: True),
    ]
    named = {best.instance, asks.instance}
    left = 2
    for why, wanted, also in wishes:
        found = first((o for o in candidates if o.instance not in named), wanted, also)
        if found is not None and left:
            named.add(found.instance)
            left -= 1
            yield Alternative(found, why)
