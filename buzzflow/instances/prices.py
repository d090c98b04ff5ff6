"""What an instance type has, and what an hour of it costs on demand.

The table, `prices.json`, is generated from AWS's price list by `tools/refresh_instances.py`; it says from where and
of which day. What it does not know is None here, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from buzzflow.instances.tables import PRICES
from buzzflow.tables import Provenance

Kind = Literal["processing", "training", "transform", "hosting"]


@dataclass(frozen=True, slots=True)
class Machine:
    """What one instance has; *accelerator_memory_gib* is that of each, and None where the table does not say."""

    vcpus: int
    memory_gib: float
    accelerators: int = 0
    accelerator: str | None = None
    accelerator_memory_gib: float | None = None


def machine(instance: str) -> Machine | None:
    """Return what *instance* (`ml.m5.xlarge`) has."""
    figures = PRICES.read()["types"].get(instance)
    return Machine(*figures) if figures else None


def per_hour(instance: str, kind: Kind, region: str) -> float | None:
    """Return the USD that one hour of one *instance* costs on demand in *region*."""
    table = PRICES.read()
    place = _places().get(instance)
    prices = table["prices"].get(region)
    if place is None or prices is None:
        return None
    price: float | list[float | None] | None = prices[place]
    return price[table["kinds"].index(kind)] if isinstance(price, list) else price


def priced_regions() -> tuple[str, ...]:
    """Return the regions whose prices are known."""
    return tuple(PRICES.read()["prices"])


def price_list() -> Provenance:
    """Return where the prices come from, and of which day they are."""
    return PRICES.provenance()


@cache
def _places() -> dict[str, int]:
    return {name: i for i, name in enumerate(PRICES.read()["types"])}
