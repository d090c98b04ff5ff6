"""`graph`: draw a pipeline on stdout or into a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from buzzflow.cli.problems import fail, warn
from buzzflow.diagnostics import PipelineError
from buzzflow.driver import check
from buzzflow.loader.files import shown
from buzzflow.scaffold import write_all
from buzzflow.views.graph import FORMATS, Format, drawn, png

__all__ = ["FORMATS", "format_of", "show_graph"]

_ENDINGS: dict[str, Format] = {
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
    ".svg": "svg",
    ".png": "png",
    ".json": "json",
    ".txt": "text",
}


def format_of(output: Path | None) -> Format:
    """Return the format that the name of a file asks for; mermaid for stdout."""
    if output is None:
        return "mermaid"
    if output.suffix.lower() not in _ENDINGS:
        told = f"{output.name!r} ends in none of {', '.join(_ENDINGS)}; name the format with --format"
        raise typer.BadParameter(told, param_hint="--output")
    return _ENDINGS[output.suffix.lower()]


def show_graph(target: Path, settings: Sequence[str], backend: str | None, form: Format, output: Path | None) -> None:
    """Draw the pipeline in the format *form*, into *output* or on stdout."""
    if form == "png" and output is None and sys.stdout.isatty():
        raise typer.BadParameter("a PNG is not for a terminal: name a file with --output", param_hint="--format")
    try:
        checked = check(target, backend=backend, settings=settings)
        content = png(checked.pipeline) if form == "png" else drawn(checked.pipeline, form).encode()
        if output is not None:
            write_all(output.parent, {output.name: content})
    except PipelineError as e:
        raise fail(e, as_json=form == "json" and output is None) from None
    warn(checked.warnings)
    if output is None:
        typer.echo(content, nl=False)
    else:
        typer.echo(f"wrote {shown(output)}", err=True)
