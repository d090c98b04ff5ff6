"""Why a step takes an earlier result or not, as data: views show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from buzzflow.backends.local.records.manifest import CacheRecord

Change = Literal["changed", "added", "removed"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that differs: its values *then* and *now*, where they are known and say something.

    *because* names the steps before that run again, with the reason, when it is their doing.
    """

    field: str
    change: Change
    then: str | None = None
    now: str | None = None
    because: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class CacheExplained:
    """What there is for *step*: *record* says why, *changes* in what it differs from the run of the record.

    *asked* is the run that is explained; None is the next one. *age* is that of the result, in seconds.
    """

    step: str
    asked: str | None
    record: CacheRecord
    changes: tuple[FieldChange, ...] = ()
    age: float | None = None
    expire_after: int | None = None
