"""What every lowering function needs besides its step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from buzzflow import ir
from buzzflow.config.pipeline import EnvironmentConfig
from buzzflow.config.steps import StepConfig
from buzzflow.diagnostics import Diagnostic, Path
from buzzflow.lower.values import Values
from buzzflow.template import Template


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
    exact_addresses: bool = False

    def problem(self, code: str, summary: str, path: Path, hint: str | None = None) -> None:
        """Keep a problem."""
        self.values.problems.append(Diagnostic(code, summary, path, hint))

    def folder(self, value: str | Template, path: Path) -> ir.Value:
        """Return the address of a folder to write to.

        It ends in `/`, unless the addresses of this pipeline are exact: the service matches by prefix, and `…/train`
        is one of `…/train-old/x`.
        """
        place = self.values.place(value, path)
        match place:
            case _ if self.exact_addresses:
                return place
            case str():
                return place if place.endswith("/") else place + "/"
            case ir.Text(parts=(*first, str(last))):
                return ir.Text((*first, last if last.endswith("/") else last + "/"))
            case _:
                return place
