"""`create --local` and its like: run here, show it, and stop cleanly when told to."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import typer

from buzzflow.backends.local.events import Event, State
from buzzflow.backends.local.records.manifest import ManifestError
from buzzflow.backends.local.run import Report
from buzzflow.cli.problems import fail, warn
from buzzflow.cli.stopping import INTERRUPTED, stopping
from buzzflow.cli.values import named_values
from buzzflow.diagnostics import Diagnostic, PipelineError, Severity
from buzzflow.driver import check
from buzzflow.driver.advice import advise_run
from buzzflow.driver.local import LocalOptions, LocalRun, run_local
from buzzflow.instances.advice import RunAdvice
from buzzflow.views import summary
from buzzflow.views.progress import progress
from buzzflow.views.report import write_report

STEP_FAILED = 4
EXITS = {State.SUCCEEDED: 0, State.FAILED: STEP_FAILED, State.STOPPED: INTERRUPTED}
DIFFERENCES = 5
T = TypeVar("T")
Start = Callable[[Callable[[Event], None], threading.Event], T]


def run_here(
    target: Path, settings: Sequence[str], parameters: Sequence[str], options: LocalOptions, *, as_json: bool
) -> int:
    """Run the pipeline with *parameters*, each `name=value`, and return the exit code."""

    def start(emit: Callable[[Event], None], stop: threading.Event) -> LocalRun:
        return run_local(checked, replace(options, parameters=given), emit, stop)

    try:
        given = named_values(parameters, "BF500")
        checked = check(target, backend="local", settings=settings, local=True)
        warn(checked.warnings)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    return show_run(start, as_json=as_json)


def resume_here(
    run: str | None, parameters: Sequence[str], options: LocalOptions, *, new_code: bool, as_json: bool
) -> int:
    """Go on with a run of this machine, and return the exit code."""
    from buzzflow.driver.again import resume_local
    from buzzflow.driver.runs import LAST, run_of

    try:
        given = named_values(parameters, "BF500")
        folder = run_of(None if run == LAST else run)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    asked = replace(options, parameters=given)
    return show_run(lambda emit, stop: resume_local(folder, asked, emit, stop, new_code=new_code), as_json=as_json)


def show_run(start: Start[LocalRun], *, as_json: bool) -> int:
    """Show the run that *start* makes, and return the exit code."""
    report = follow(start, as_json=as_json).report
    fitting = _fitting(report.folder, as_json=as_json)
    page = _report(report.folder, fitting)
    if as_json:
        typer.echo(json.dumps(_data(report, fitting, page), indent=2))
        return EXITS[report.state]
    out, err = summary.console(), summary.console(stderr=True)
    err.print()
    out.print(summary.table(report, fitting))
    for screen in summary.failures(report):
        err.print()
        err.print(screen, soft_wrap=True)
    out.print()
    if page is not None:
        out.print(f"report: {summary.shown(page)}", soft_wrap=True)
    out.print(summary.verdict(report), soft_wrap=True)
    return EXITS[report.state]


def _fitting(run: Path, *, as_json: bool) -> RunAdvice:
    try:
        return advise_run(run)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None


def follow(start: Start[T], *, as_json: bool) -> T:
    """Return what *start* returns when its run has ended, with its progress on stderr; the first interrupt stops it."""
    stop = threading.Event()
    try:
        with stopping(stop), progress(summary.console(stderr=True)) as emit:
            return start(emit, stop)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    except KeyboardInterrupt:  # the second one: containers are gone, and no thread is waited for
        os._exit(INTERRUPTED)


def reproduce_here(run: str, executor: str, *, as_json: bool) -> int:
    """Do a run again and tell what differs; return the exit code."""
    from buzzflow.driver.reproduce import reproduce
    from buzzflow.driver.runs import LAST, run_of
    from buzzflow.views import reproduced

    try:
        folder = run_of(None if run == LAST else run)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    made = follow(lambda emit, stop: reproduce(folder, executor, emit, stop), as_json=as_json)
    report, comparison = made.done.report, made.comparison
    fitting = _fitting(report.folder, as_json=as_json)
    page = _report(report.folder, fitting)
    if as_json:
        told = _data(report, fitting, page)
        typer.echo(json.dumps({**reproduced.as_data(comparison), "report": told}, indent=2))
    else:
        out = summary.console()
        out.print(reproduced.shown(comparison))
        out.print()
        if page is not None:
            out.print(f"report: {summary.shown(page)}", soft_wrap=True)
        out.print(reproduced.verdict(comparison), soft_wrap=True)
    if report.state is State.STOPPED or (report.state is State.FAILED and made.then != State.FAILED):
        return EXITS[report.state]
    return 0 if comparison.is_same else DIFFERENCES


def _report(folder: Path, fitting: RunAdvice) -> Path | None:
    """Write the picture of the run that has ended; without it, the run is as good."""
    try:
        return write_report(folder, fitting=fitting)
    except (OSError, ManifestError) as e:
        warn([Diagnostic("BF520", f"the report cannot be written: {e}", severity=Severity.WARNING)])
        return None


def _data(report: Report, fitting: RunAdvice, page: Path | None) -> dict[str, Any]:
    return summary.as_data(report, fitting) | {"report": page and str(page)}
