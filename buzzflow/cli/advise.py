"""`advise`: which instance type fits each step of a local run, and write it into the pipeline."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from buzzflow.cli.problems import fail, show
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.advice import advise_run
from buzzflow.driver.applying import apply_changes, changes_of
from buzzflow.driver.runs import run_of
from buzzflow.instances.advice import RunAdvice
from buzzflow.views import advice as views
from buzzflow.views import applied
from buzzflow.views.summary import console


def show_advice(wanted: str | None, step: str | None, margin: float, region: str | None, *, as_json: bool) -> None:
    """Print what fits the steps of a run."""
    try:
        found = advise_run(run_of(wanted), region=region, margin=margin, step=step)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    if as_json:
        typer.echo(json.dumps(views.as_data(found), indent=2))
    else:
        console().print(views.details(found), soft_wrap=False)


def apply_advice(
    wanted: str | None,
    step: str | None,
    margin: float,
    region: str | None,
    chosen: Mapping[str, str],
    *,
    as_json: bool,
) -> int:
    """Write what fits into the pipeline of a run, show how, and return the exit code: 1 when a step cannot be changed.

    *chosen* are instance types by step that count before the advice.
    """
    try:
        found = advise_run(run_of(wanted), region=region, margin=margin, step=step)
        changes, without = changes_of(found, chosen, step)
        done = apply_changes(_file_of(found), changes)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    if as_json:
        typer.echo(json.dumps(applied.data(done, without), indent=2))
    else:
        typer.echo(applied.human(done, without, colour=sys.stdout.isatty()))
        show(done.problems)
    return 1 if done.problems else 0


def _file_of(advice: RunAdvice) -> Path:
    if advice.file is None:
        summary = f"the file of pipeline {advice.pipeline!r} is not there any more"
        raise PipelineError([Diagnostic("BF514", summary, hint="run the pipeline from where it is now")])
    return advice.file


def read_margin(text: str) -> float:
    """Return the share that `30%` is."""
    match = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)\s*%", text.strip())
    if match is None:
        raise typer.BadParameter(f"{text!r} is no percentage: 30%", param_hint="--margin")
    return float(match[1]) / 100


def chosen(pairs: Sequence[str]) -> dict[str, str]:
    """Return the instance type by step of each `STEP=TYPE`."""
    found = {}
    for pair in pairs:
        step, equals, kind = pair.partition("=")
        if not (step and equals and kind):
            raise typer.BadParameter(f"{pair!r}: a step, = and an instance type are needed", param_hint="--choose")
        found[step] = kind
    return found
