"""What every lowering function needs besides its step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from buzzflow import ir
from buzzflow.config.pipeline import EnvironmentConfig
from buzzflow.config.steps import StepConfig
from buzzflow.diagnostics import Diagnostic, Path
from buzzflow.lower.values import Values


@dataclass(frozen=True, slots=True)
class Context:
    """One pipeline while it is lowered.

    *code* is each step's bundle by its name, *assets* the other files of the repository by the path of the value that
    names them; *tags* are those of environment and pipeline.
    """

    steps: Mapping[str, StepConfig]
    values: Values
    code: Mapping[str, ir.Code]
    assets: Mapping[Path, ir.Bundle]
    tags: Mapping[str, str]
    environment: EnvironmentConfig | None

    def problem(self, code: str, summary: str, path: Path, hint: str | None = None) -> None:
        """Keep a problem."""
        self.values.problems.append(Diagnostic(code, summary, path, hint))
