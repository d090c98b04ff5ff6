"""A change of the instance type that a step asks for, and what became of several."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from buzzflow.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Change:
    """Ask for *instance* in a step that asked for *asked* when it was measured; None is whatever it asks for."""

    step: str
    instance: str
    asked: str | None


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a file: its text before and after, which changes are in it, and why others are not."""

    file: Path
    before: str
    after: str
    done: tuple[Change, ...]
    problems: tuple[Diagnostic, ...]
