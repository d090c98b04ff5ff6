"""`plan`: compare, and show what would change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from buzzflow.cli.problems import EXIT, fail, warn
from buzzflow.diagnostics import PipelineError
from buzzflow.driver.deploy import Accounts, plan_all, ready_pipelines
from buzzflow.views import plan as view
from buzzflow.views.problems import as_data
from buzzflow.views.summary import console

FORMATS = ("human", "json", "markdown")
DIFFERENCES = 5


def show_plan(targets: Sequence[Path], settings: Sequence[str], form: str, *, check: bool, costs: bool) -> int:
    """Print the plan of all pipelines that *targets* name, and return the exit code."""
    try:
        found = ready_pipelines(targets, settings)
        planned, problems = plan_all(found, Accounts())
    except PipelineError as e:
        raise fail(e, as_json=form == "json") from None
    warnings = [w for ready in found for w in ready.checked.warnings] + [w for each in planned for w in each.warnings]
    warn([*problems, *warnings])
    plans = [view.Shown(each.ready.file, each.plan, each.cost) for each in planned]
    match form:
        case "json":
            typer.echo(json.dumps({**view.as_data(plans), "diagnostics": as_data([*problems, *warnings])}, indent=2))
        case "markdown":
            typer.echo(view.markdown(plans), nl=False)
        case _ if plans:
            console().print(view.human(plans, costs=costs), soft_wrap=True)
    if problems:
        return EXIT
    return DIFFERENCES if check and any(each.plan.action != "none" for each in planned) else 0
