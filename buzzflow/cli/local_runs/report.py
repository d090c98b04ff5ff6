"""`report`: write the page about a run, and show it."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path

import typer

from buzzflow.cli.executions.common import notice
from buzzflow.cli.problems import fail
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.advice import advise_run
from buzzflow.driver.runs import run_of
from buzzflow.instances.advice import RunAdvice
from buzzflow.views.report import write_report
from buzzflow.views.summary import shown


def show_report(wanted: str | None, output: Path | None, *, opened: bool, as_json: bool) -> None:
    """Write the page anew and print where it is; with *opened*, let the browser show it."""
    try:
        folder = run_of(wanted)
        file = _written(folder, output, advise_run(folder))
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    typer.echo(json.dumps({"run": folder.name, "report": str(file.absolute())}, indent=2) if as_json else shown(file))
    if opened and not webbrowser.open(file.absolute().as_uri()):
        notice(f"no browser could be started: open {file.absolute()} in one")


def _written(folder: Path, output: Path | None, fitting: RunAdvice) -> Path:
    try:
        return write_report(folder, output, fitting)
    except OSError as e:
        hint = "name another file: --output report.html"
        raise PipelineError([Diagnostic("BF520", f"the report cannot be written: {e}", hint=hint)]) from None
