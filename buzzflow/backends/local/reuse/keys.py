"""What a cached step depends on in this run: the fields that the service compares, and what only this machine has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

from buzzflow.backends.local import evaluate, plan
from buzzflow.backends.local.executor import Setting
from buzzflow.backends.local.reuse.data import local_data
from buzzflow.backends.local.reuse.digests import Digests
from buzzflow.backends.local.steps.results import ContainerStep, StepPlace

_DIGITS = 16  # of a field's digest: enough to tell two values apart, short enough to keep


def values_of(
    place: StepPlace[ContainerStep],
    fields: Mapping[str, plan.Expression],
    setting: Setting,
    executor: str,
    digests: Digests,
) -> dict[str, str]:
    """Return the fields with their values; EvaluationError, AddressError or OSError where there is none.

    Besides *fields*, those that the service compares, what stands in for the image counts, and the content of data
    whose address does not say it: sample data, and what lies in the local store.
    """
    found = {name: evaluate.text(value, place.known) for name, value in fields.items()}
    found["executor"] = executor
    found["image.here"] = json.dumps([setting.image, *setting.wheels])
    return found | dict(_contents(place, digests))


def _contents(place: StepPlace[ContainerStep], digests: Digests) -> Iterator[tuple[str, str]]:
    for item in place.step.container.inputs:
        found = local_data(item, place.step.name, place.request, place.known)
        if found is not None:
            yield f"inputs.{item.name}.content", digests.of(found[1])


def fields_of(values: Mapping[str, str]) -> dict[str, str]:
    """Return the digest of each value."""
    return {name: digest_of(value) for name, value in sorted(values.items())}


def digest_of(value: str) -> str:
    """Return what stands for a value where it is compared and not shown."""
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGITS]


def key_of(fields: Mapping[str, str]) -> str:
    """Return the key of a step with these digests by field."""
    return hashlib.sha256(json.dumps(sorted(fields.items())).encode("ascii")).hexdigest()


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the fields that differ, those of *after* first."""
    names = [*after, *(name for name in before if name not in after)]
    return [name for name in names if before.get(name) != after.get(name)]
