"""`validate`: check pipelines and show the result in the format that is asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import typer

from buzzflow.cli.problems import EXIT, fail, warn
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.tree import ValidatedTree, validate_all
from buzzflow.views.problems import as_data, count

FORMATS = ("human", "json", "sarif", "github")


def show_validated(
    targets: Sequence[Path],
    settings: Sequence[str],
    backend: str | None,
    form: str,
    *,
    cached: bool = True,
    since: str | None = None,
) -> int:
    """Validate and print; return the exit code."""
    try:
        tree = validate_all(targets, backend=backend, settings=settings, cached=cached, since=since)
    except PipelineError as e:
        raise fail(e, as_json=form == "json") from None
    diagnostics = [*dict.fromkeys(d for result in tree.results for d in result.diagnostics)]
    ok = all(result.ok for result in tree.results)
    match form:
        case "json":
            typer.echo(json.dumps(_data(tree, diagnostics, ok=ok, since=since), indent=2))
        case "sarif":
            from buzzflow.views.formats import sarif

            typer.echo(json.dumps(sarif(diagnostics, version=version("buzzflow")), indent=2))
        case "github":
            from buzzflow.views.formats import github

            typer.echo(github(diagnostics))
        case _:
            _print(tree, diagnostics, since)
    return 0 if ok else EXIT


def _print(tree: ValidatedTree, diagnostics: Sequence[Diagnostic], since: str | None) -> None:
    warn(diagnostics)
    for result in tree.results:
        if result.ok and result.steps is not None:
            steps = f"{result.steps} step{'s' if result.steps > 1 else ''}"
            typer.echo(f"{result.file}: {steps}, valid for {result.backend}")
    wrong = sum(not result.ok for result in tree.results)
    if since is not None:
        affected = f"{len(tree.results)} of {tree.all} pipelines affected by changes since {since}"
        typer.echo(f"{affected}, {wrong or 'none'} with errors")
    elif tree.all > 1:
        typer.echo(f"{tree.all} pipelines, {wrong or 'none'} with errors")
    if wrong:
        typer.echo(count(diagnostics), err=True)


def _data(tree: ValidatedTree, diagnostics: Sequence[Diagnostic], *, ok: bool, since: str | None) -> dict[str, object]:
    pipelines = [{"file": r.file, "ok": r.ok, "backend": r.backend, "steps": r.steps} for r in tree.results]
    changed = {} if since is None else {"changed_since": since, "of": tree.all}
    return {"ok": ok, "diagnostics": as_data(diagnostics), "pipelines": pipelines, **changed}
