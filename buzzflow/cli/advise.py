"""`advise`: which instance type fits each step of a local run, and write it into the pipeline."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import typer

from buzzflow.cli.problems import fail
from buzzflow.diagnostics import PipelineError
from buzzflow.driver.advice import advise_run
from buzzflow.driver.runs import run_of
from buzzflow.views import advice as views
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
