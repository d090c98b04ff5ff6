"""The tables of instance types, and where they come from."""

from __future__ import annotations

from buzzflow.tables import Provenance, Table, provenance_of

NAMES = Table("instance types", __package__, "names.json")
PRICES = Table("instance prices", __package__, "prices.json")


def hardware_provenance() -> Provenance:
    """Return where the hardware of instances comes from, which stands beside their prices."""
    return provenance_of("instance hardware", PRICES.read()["hardware"])
