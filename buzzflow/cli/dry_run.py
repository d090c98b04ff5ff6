"""`create --dry-run`: compile, and show the result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from buzzflow.cli.problems import fail, warn
from buzzflow.diagnostics import PipelineError
from buzzflow.driver import check, compile_artifact


def show_compiled(target: Path, settings: Sequence[str], backend: str | None, *, as_json: bool) -> None:
    """Print the artifact alone (*as_json*), or a table of the steps."""
    try:
        checked = check(target, backend=backend, settings=settings)
        artifact = compile_artifact(checked)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    warn(checked.warnings)
    if as_json:
        typer.echo(artifact.readable(), nl=False)
        return
    from buzzflow.views.compiled import compiled
    from buzzflow.views.summary import console

    console().print(compiled(checked.pipeline, artifact, checked.backend.name))
    if checked.backend.name == "sagemaker":
        from buzzflow.backends.sagemaker.cost import run_cost
        from buzzflow.views.cost import total

        console().print(total(run_cost(checked.pipeline)), soft_wrap=True)
