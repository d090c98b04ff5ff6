"""Show diagnostics on the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import typer

from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.loader.files import line_of
from buzzflow.views import problems

EXIT = 1


def fail(error: PipelineError, *, as_json: bool) -> typer.Exit:
    """Show what is wrong and return the exit."""
    if as_json:
        typer.echo(json.dumps({"ok": False, "diagnostics": problems.as_data(error.diagnostics)}, indent=2))
    else:
        _print(error.diagnostics)
        typer.echo(problems.count(error.diagnostics), err=True)
    return typer.Exit(EXIT)


def show(diagnostics: Sequence[Diagnostic]) -> None:
    """Show what went wrong, if anything did, and how much."""
    if diagnostics:
        _print(diagnostics)
        typer.echo(problems.count(diagnostics), err=True)


def warn(diagnostics: Sequence[Diagnostic]) -> None:
    """Show warnings, if there are any."""
    if diagnostics:
        _print(diagnostics)


def _print(diagnostics: Sequence[Diagnostic]) -> None:
    typer.echo(problems.human(diagnostics, line_of, colour=sys.stderr.isatty()) + "\n", err=True)
