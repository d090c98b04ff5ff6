"""The names of instance types by kind of job, and what is wrong with one that the service does not have.

The table, `names.json`, is generated from botocore's service model by `tools/refresh_instance_types.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Literal

from buzzflow.diagnostics import Diagnostic, Path, Severity, closest, did_you_mean
from buzzflow.instances.tables import NAMES

Kind = Literal["processing", "training", "transform"]
_FORM = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9-]+")


def instance_problems(path: Path, name: str, kind: Kind) -> Iterator[Diagnostic]:
    """Yield what is wrong with instance type *name*: the service may know families that the table lacks."""
    families = _families(kind)
    family, _, size = name.rpartition(".")
    if size in families.get(family, ()):
        return
    known = names(kind)
    if not _FORM.fullmatch(name):
        full = name if name.startswith("ml.") else f"ml.{name}"
        hint = f"did you mean {full!r}?" if full in known else did_you_mean(full, known, label="for example")
        yield Diagnostic("BF405", f"{name!r} is no instance type of SageMaker", path, hint)
    elif family in families:
        hint = did_you_mean(size, families[family], label=f"{family} has")
        yield Diagnostic("BF405", f"{kind} has no instances {family} of size {size!r}", path, hint)
    else:
        close = closest(name, known)
        hint = f"right if it is newer than buzzflow's table; else perhaps {close!r}" if close else None
        summary = f"instance type {name!r} is unknown for {kind}"
        yield Diagnostic("BF405", summary, path, hint, severity=Severity.WARNING)


def names(kind: Kind) -> list[str]:
    """Return the instance types that a job of *kind* may ask for."""
    return [f"{family}.{size}" for family, sizes in _families(kind).items() for size in sizes]


@cache
def _families(kind: Kind) -> dict[str, list[str]]:
    families: dict[str, list[str]] = NAMES.read()[kind]
    return families
