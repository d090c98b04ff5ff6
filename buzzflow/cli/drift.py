"""`drift`: tell whether what is deployed is what is here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import typer

from buzzflow.backends.sagemaker.deploying.drift import Drift, State, drift_of
from buzzflow.cli.plan import DIFFERENCES
from buzzflow.cli.problems import EXIT, fail, warn
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.deploy import Accounts, plan_all, ready_pipelines
from buzzflow.driver.gone import gone_pipelines
from buzzflow.views.drift import table, verdict
from buzzflow.views.problems import as_data
from buzzflow.views.summary import console


def show_drift(targets: Sequence[Path], *, as_json: bool) -> int:
    """Print how each pipeline stands to its file, and return the exit code."""
    accounts = Accounts()
    problems: list[Diagnostic] = []
    try:
        planned, problems = plan_all(ready_pipelines(targets, ()), accounts)
        gone = []
        for target in targets:
            some, warnings = gone_pipelines(target, accounts)
            gone += some
            problems += warnings
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    found = [drift_of(each.plan, each.ready.file) for each in planned]
    once = {each.owned.arn: each for each in gone}.values()
    found += (Drift(g.owned.name, g.region, State.GONE, g.why, commit=g.owned.commit) for g in once)
    if as_json:
        told = {"pipelines": [asdict(each) for each in found], "diagnostics": as_data(problems)}
        typer.echo(json.dumps(told, indent=2))
    else:
        warn(problems)
        console().print(table(found))
        typer.echo(verdict(found))
    if any(problem.is_error for problem in problems):
        return EXIT
    return DIFFERENCES if any(each.state is not State.SAME for each in found) else 0
