"""Strike every call of a deployment with every kind of fault, one run for each, and look what is left.

As SQLite does with I/O errors (its page "How SQLite Is Tested", section 3): the N-th call fails, for N = 1, 2, … until
a run ends without having met the fault.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.aws.faults import Fault
from tests.reliability.invariants import Scenario, broken_after, broken_by
from tests.reliability.world import World


@dataclass
class Swept:
    """What a sweep counted; *broken* says which run broke what.

    Of the runs in which a fault came to pass, *healed* ended with 0 all the same; after *explained* of them the next
    run told that this one had been interrupted.
    """

    name: str
    calls: int = 0
    runs: int = 0
    struck: int = 0
    healed: int = 0
    explained: int = 0
    slowest: float = 0.0
    broken: list[str] = field(default_factory=list)

    def __add__(self, other: Swept) -> Swept:
        return Swept(
            self.name,
            max(self.calls, other.calls),
            self.runs + other.runs,
            self.struck + other.struck,
            self.healed + other.healed,
            self.explained + other.explained,
            max(self.slowest, other.slowest),
            self.broken + other.broken,
        )

    @property
    def told(self) -> str:
        return "\n".join(self.broken)


def sweep(world: World, scenario: Scenario, kinds: Sequence[Fault], *, step: int = 1, first: int = 1) -> Swept:
    """Strike each *step*-th call with each of *kinds*, from the *first* on."""
    swept = Swept(scenario.name)
    for kind in kinds:
        number = first
        while strike(world, scenario, [(number, kind)], swept):
            swept.calls = max(swept.calls, number)
            number += step
    return swept


def doubles(world: World, scenarios: Sequence[Scenario], kinds: Sequence[Fault], runs: int, seed: int) -> Swept:
    """Strike two calls of one deployment, *runs* times, at random."""
    swept, chance = Swept("two faults"), random.Random(seed)
    for _ in range(runs):
        scenario = chance.choice(scenarios)
        numbers = sorted(chance.sample(range(1, 31), 2))
        strike(world, scenario, [(number, chance.choice(kinds)) for number in numbers], swept)
    return swept


def strike(world: World, scenario: Scenario, faults: Sequence[tuple[int | str, Fault]], swept: Swept) -> bool:
    """Deploy under *faults* and once more without, and tell whether any of them came to pass.

    A fault is for the call of a number, or for the next call of an operation.
    """
    world.put(scenario.before)
    for which, kind in faults:
        if isinstance(which, int):
            world.aws.faults.at(which, kind)
        else:
            world.aws.faults.on(which, kind)
    run = world.create(scenario.wanted)
    struck = [kind for _, kind in world.aws.faults.struck]
    calls = [str(call) for call in world.aws.calls if call.fault]
    world.aws.faults.clear()
    swept.runs += 1
    swept.struck += len(struck)
    swept.healed += run.code == 0 and bool(struck)
    swept.slowest = max(swept.slowest, run.seconds)
    found = [*broken_by(world, scenario, run, struck)]
    if struck:
        unfinished = world.is_unfinished()
        again = run if run.code == 0 else world.create(scenario.wanted)
        swept.explained += "the last deployment" in again.told
        if unfinished and "the last deployment" not in again.told:
            found.append("I8: the journal told of an interrupted deployment, and the next run did not")
        found += broken_after(world, scenario, again)
    swept.broken += [*_told(scenario, calls, found), *(f"the fake itself: {e!r}" for e in world.aws.broken)]
    return bool(struck)


def _told(scenario: Scenario, calls: Iterable[str], found: Iterable[str]) -> Iterator[str]:
    where = "; ".join(calls)
    return (f"{scenario.name}, {where}: {problem}" for problem in found)
