"""`create --dry-run`: compile, and show the result."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from buzzflow.cli.main import fail
from buzzflow.diagnostics import PipelineError
from buzzflow.driver import check, compile_artifact
from buzzflow.loader.files import line_of


def show_compiled(target: Path, settings: Sequence[str], backend: str | None, *, as_json: bool) -> None:
    """Print the artifact alone (*as_json*), or a table of the steps."""
    from buzzflow.views import problems

    try:
        checked = check(target, backend=backend, settings=settings)
        artifact = compile_artifact(checked)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    if checked.warnings:
        typer.echo(problems.human(checked.warnings, line_of, colour=sys.stderr.isatty()) + "\n", err=True)
    if as_json:
        typer.echo(artifact.content.decode(), nl=False)
        return
    from buzzflow.views.compiled import compiled
    from buzzflow.views.summary import console

    console().print(compiled(checked.pipeline, artifact, checked.backend.name))
