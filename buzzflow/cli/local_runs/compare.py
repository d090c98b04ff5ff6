"""`runs compare`: two runs side by side."""

from __future__ import annotations

import json

import typer

from buzzflow.backends.local.history.compare import compare
from buzzflow.backends.local.history.overview import Overview
from buzzflow.cli.problems import fail
from buzzflow.diagnostics import PipelineError
from buzzflow.driver.runs import manifest_of, run_of
from buzzflow.views.local_runs import compared
from buzzflow.views.summary import console


def compare_runs(left: str, right: str, *, everything: bool, as_json: bool) -> None:
    """Print what differs, or all."""
    try:
        folders = [run_of(name) for name in (left, right)]
        one, two = (Overview(folder, manifest_of(folder)) for folder in folders)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    rows = compare(one, two)
    if as_json:
        typer.echo(json.dumps(compared.as_data(rows, one.id, two.id), indent=2))
    else:
        console().print(compared.table(rows, one.id, two.id, everything=everything))
