"""What is to be said about an imported pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from buzzflow.diagnostics import Path


@dataclass(frozen=True, slots=True)
class Remark:
    """What to say about the value at *path* of the file; *comment* only where a warning would be too much."""

    code: str
    summary: str
    path: Path
    comment: str
    warns: bool = True
