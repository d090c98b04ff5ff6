"""Which data a step reads that lies on this machine only, and whose address does not say what is in it."""

from __future__ import annotations

from pathlib import Path

from buzzflow.backends.local import evaluate, plan
from buzzflow.backends.local.request.request import RunRequest, place_of


def local_data(item: plan.Input, step: str, request: RunRequest, known: evaluate.Known) -> tuple[str, Path] | None:
    """Return the name or address of an input's data, and where it lies: sample data, or what is in the local store.

    None are files of the repository, which their digest names, and what a step has put into the folder of a run, which
    its address names. EvaluationError when that is not known yet.
    """
    named = place_of(step, item.name)
    if named in request.data:
        return named, request.data[named]
    if item.source is None or isinstance(item.source, plan.Files):
        return None
    address = evaluate.text(item.source, known)
    path = request.store().path(address)
    return None if path.is_relative_to(request.state / "runs") else (address, path)
