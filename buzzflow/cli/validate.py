"""`validate`: check pipelines and show the result in the format that is asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import typer

from buzzflow.cli.problems import EXIT, fail, warn
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.tree import Validated, validate_all
from buzzflow.views.problems import as_data, count

FORMATS = ("human", "json", "sarif", "github")


def show_validated(targets: Sequence[Path], settings: Sequence[str], backend: str | None, form: str) -> int:
    """Validate and print; return the exit code."""
    try:
        results = validate_all(targets, backend=backend, settings=settings)
    except PipelineError as e:
        raise fail(e, as_json=form == "json") from None
    diagnostics = [*dict.fromkeys(d for result in results for d in result.diagnostics)]
    ok = all(result.ok for result in results)
    match form:
        case "json":
            typer.echo(json.dumps(_data(results, diagnostics, ok=ok), indent=2))
        case "sarif":
            from buzzflow.views.formats import sarif

            typer.echo(json.dumps(sarif(diagnostics, version=version("buzzflow")), indent=2))
        case "github":
            from buzzflow.views.formats import github

            typer.echo(github(diagnostics))
        case _:
            _print(results, diagnostics)
    return 0 if ok else EXIT


def _print(results: Sequence[Validated], diagnostics: Sequence[Diagnostic]) -> None:
    warn(diagnostics)
    for result in results:
        if result.ok and result.steps is not None:
            steps = f"{result.steps} step{'s' if result.steps > 1 else ''}"
            typer.echo(f"{result.file}: {steps}, valid for {result.backend}")
    wrong = sum(not result.ok for result in results)
    if len(results) > 1:
        typer.echo(f"{len(results)} pipelines, {wrong or 'none'} with errors")
    if wrong:
        typer.echo(count(diagnostics), err=True)


def _data(results: Sequence[Validated], diagnostics: Sequence[Diagnostic], *, ok: bool) -> dict[str, object]:
    pipelines = [{"file": r.file, "ok": r.ok, "backend": r.backend, "steps": r.steps} for r in results]
    return {"ok": ok, "diagnostics": as_data(diagnostics), "pipelines": pipelines}
