"""`create --local`: run here, show it, and stop cleanly when told to."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer

from buzzflow.backends.local.events import State
from buzzflow.backends.local.manifest import ManifestError
from buzzflow.cli.problems import fail, warn
from buzzflow.cli.stopping import INTERRUPTED, stopping
from buzzflow.cli.values import named_values
from buzzflow.diagnostics import Diagnostic, PipelineError, Severity
from buzzflow.driver import check
from buzzflow.driver.advice import advise_run
from buzzflow.driver.local import LocalOptions, run_local
from buzzflow.instances.advice import RunAdvice
from buzzflow.views import summary
from buzzflow.views.progress import progress
from buzzflow.views.report import write_report

STEP_FAILED = 4
_EXITS = {State.SUCCEEDED: 0, State.FAILED: STEP_FAILED, State.STOPPED: INTERRUPTED}


def run_here(
    target: Path, settings: Sequence[str], parameters: Sequence[str], options: LocalOptions, *, as_json: bool
) -> int:
    """Run the pipeline with *parameters*, each `name=value`, and return the exit code."""
    out, err = summary.console(), summary.console(stderr=True)
    stop = threading.Event()
    try:
        given = named_values(parameters, "BF500")
        checked = check(target, backend="local", settings=settings, local=True)
        warn(checked.warnings)
        with stopping(stop), progress(err) as emit:
            report = run_local(checked, replace(options, parameters=given), emit, stop).report
        fitting = advise_run(report.folder)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    except KeyboardInterrupt:  # the second one: containers are gone, and no thread is waited for
        os._exit(INTERRUPTED)
    page = _report(report.folder, fitting)
    if as_json:
        typer.echo(json.dumps(summary.as_data(report, fitting) | {"report": page and str(page)}, indent=2))
    else:
        err.print()
        out.print(summary.table(report, fitting))
        for screen in summary.failures(report):
            err.print()
            err.print(screen, soft_wrap=True)
        out.print()
        if page is not None:
            out.print(f"report: {summary.shown(page)}", soft_wrap=True)
        out.print(summary.verdict(report), soft_wrap=True)
    return _EXITS[report.state]


def _report(folder: Path, fitting: RunAdvice) -> Path | None:
    """Write the picture of the run that has ended; without it, the run is as good."""
    try:
        return write_report(folder, fitting=fitting)
    except (OSError, ManifestError) as e:
        warn([Diagnostic("BF520", f"the report cannot be written: {e}", severity=Severity.WARNING)])
        return None
