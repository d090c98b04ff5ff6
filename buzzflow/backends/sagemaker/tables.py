"""Every table about the service that buzzflow ships: those of this backend, and those of instance types."""

from __future__ import annotations

from collections.abc import Iterator

from buzzflow.instances import tables as instances
from buzzflow.tables import Provenance, Table

FRAMEWORK_IMAGES = Table("framework images", __package__, "framework_images.json")
SERVICE_MODEL = Table("service model", __package__, "service/models.json")
TABLES = (FRAMEWORK_IMAGES, instances.NAMES, instances.PRICES, SERVICE_MODEL)


def provenances() -> Iterator[Provenance]:
    """Yield where every table comes from; the hardware of instances has a source of its own."""
    for table in TABLES:
        yield table.provenance()
    yield instances.hardware_provenance()
