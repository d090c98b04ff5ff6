"""What became of one pipeline that was validated; as JSON, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from buzzflow.diagnostics import Diagnostic, Severity, Span


@dataclass(frozen=True, slots=True)
class Validated:
    """What became of one pipeline; *backend* and *steps* are unknown where an error came before them."""

    file: str
    diagnostics: tuple[Diagnostic, ...]
    backend: str | None = None
    steps: int | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with it."""
        return not any(d.is_error for d in self.diagnostics)

    def as_data(self) -> dict[str, Any]:
        """Return what `from_data` makes the same from."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Validated:
        """Return what `as_data` was made from."""
        return cls(**{**data, "diagnostics": tuple(_diagnostic(told) for told in data["diagnostics"])})


def _diagnostic(told: Mapping[str, Any]) -> Diagnostic:
    span = told["span"]
    placed = {"path": tuple(told["path"]), "span": span and Span(**span), "severity": Severity(told["severity"])}
    return Diagnostic(**{**told, **placed})
