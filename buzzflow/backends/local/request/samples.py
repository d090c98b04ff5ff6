"""Which inputs a run reads from sample data, and how much that is: what it measures holds for that much."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from buzzflow.backends.local import plan
from buzzflow.backends.local.evaluate import EvaluationError, Known, text
from buzzflow.backends.local.request.downloads import fetched
from buzzflow.backends.local.request.request import RunRequest, place_of

_MOST_FILES = 20_000  # are counted: a sample has fewer, and the run should begin


def sample_data(step: str, container: plan.Container, request: RunRequest, known: Known) -> dict[str, int]:
    """Return the bytes of the sample data that *step* reads, by input, as far as that is known before the run."""
    found = {}
    for item in container.inputs:
        if (path := _sample(step, item, request, known)) is not None:
            found[item.name] = sum(islice(_sizes(path), _MOST_FILES))
    return found


def _sample(step: str, item: plan.Input, request: RunRequest, known: Known) -> Path | None:
    named = request.data.get(place_of(step, item.name))
    if named is not None or item.source is None or isinstance(item.source, plan.Files):
        return named
    with contextlib.suppress(EvaluationError):  # what only a finished step knows
        address = text(item.source, known).rstrip("/")
        whole = fetched(request.state)  # what --download brought is all that there is, no sample
        prefixes = (prefix.rstrip("/") for prefix, path in request.data.items() if whole.get(prefix) != path)
        if any(address == prefix or address.startswith(f"{prefix}/") for prefix in prefixes):
            return request.store().path(address)
    return None


def _sizes(path: Path) -> Iterator[int]:
    if path.is_file():
        yield path.stat().st_size
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):  # a link that leads nowhere
                yield Path(folder, name).stat().st_size
