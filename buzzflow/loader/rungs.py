"""Where a value comes from, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from buzzflow.diagnostics import Path, Span


@dataclass(frozen=True, slots=True)
class Rung:
    """One place that gives a value: *layer* says which, *written* is the text there; a built-in default has no span."""

    layer: str
    written: str
    span: Span | None
    wins: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a `${…}` in the value that won gives, and where that stands."""

    reference: str
    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Explained:
    """One value, None when nothing gives one; *rungs* from the highest to the lowest."""

    path: Path
    value: Any
    rungs: tuple[Rung, ...]
    answers: tuple[Answer, ...]
