"""What proposed steps give to references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from buzzflow.backends.sagemaker.importing.references import Offer


def offers_of(steps: Mapping[str, Mapping[str, Any]], loops: Mapping[str, str | None]) -> dict[str, Offer]:
    """Return what each of *steps*, in the long form, offers; *loops* tells which foreach runs a step."""
    return {name: _offer(fields, loops.get(name)) for name, fields in steps.items()}


def _offer(fields: Mapping[str, Any], inside: str | None) -> Offer:
    kind = fields["type"]
    outputs = fields.get("outputs") or {}
    match kind:
        case "processing":
            reports = frozenset(name for output in outputs.values() for name in output.get("json", ()))
            named = frozenset(name for name, output in outputs.items() if "feature_group" not in output)
            return Offer(kind, named, reports, inside=inside)
        case "training":
            return Offer(kind, metrics=frozenset(fields.get("metrics") or ()), inside=inside)
        case "transform":
            return Offer(kind, frozenset(("predictions",)), inside=inside)
        case "lambda" | "callback":
            return Offer(kind, frozenset(outputs), inside=inside)
        case _:
            return Offer(kind, inside=inside)
