"""Choose the hyperparameters that a tuning tries: every cell of a grid, or random ones, the same for the same plan."""

from __future__ import annotations

import hashlib
import itertools
import math
import random
from collections.abc import Iterator, Mapping

from buzzflow.backends.local import plan

_TIRED = 100  # so many draws that were there already, and the ranges are as good as used up


def tries(search: plan.Search, seed: str) -> Iterator[Mapping[str, str]]:
    """Yield what to try, one after the other; equal *seed*, equal tries. None is yielded twice."""
    if search.strategy == "grid":
        yield from _grid(search.ranges)
        return
    chance = random.Random(hashlib.sha256(f"{seed}\n{search.model_dump_json()}".encode()).digest())  # noqa: S311
    seen: set[tuple[str, ...]] = set()
    misses = 0
    while misses < _TIRED:
        found = {r.name: _drawn(r, chance) for r in search.ranges}
        if (key := tuple(found.values())) in seen:
            misses += 1
            continue
        seen.add(key)
        yield found


def cells(search: plan.Search) -> int:
    """Return how many tries a grid has."""
    return math.prod(len(r.values) for r in search.ranges)


def _grid(ranges: list[plan.Range]) -> Iterator[Mapping[str, str]]:
    for values in itertools.product(*(r.values for r in ranges)):
        yield {r.name: value for r, value in zip(ranges, values, strict=True)}


def _drawn(wanted: plan.Range, chance: random.Random) -> str:
    match wanted.kind:
        case "values":
            return chance.choice(wanted.values)
        case "integer":
            drawn = round(_scaled(wanted.low - 0.5, wanted.high + 0.5, wanted.scale, chance))
            return str(min(max(drawn, int(wanted.low)), int(wanted.high)))
        case "continuous":
            drawn_number = _scaled(wanted.low, wanted.high, wanted.scale, chance)
            return repr(min(max(drawn_number, wanted.low), wanted.high))


def _scaled(low: float, high: float, scale: str | None, chance: random.Random) -> float:
    """Draw from the scale that the service calls by that name; `auto` is its own choice, here the linear one."""
    match scale:
        case "logarithmic" if low > 0:
            return math.exp(chance.uniform(math.log(low), math.log(high)))
        case "reverse_logarithmic" if 0 <= low < high < 1:
            return 1 - math.exp(chance.uniform(math.log(1 - high), math.log(1 - low)))
        case _:
            return chance.uniform(low, high)
