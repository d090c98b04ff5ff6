"""`prune`: delete the pipelines that were deployed from this repository and are gone from it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import typer

from buzzflow.backends.sagemaker.executions.delete import Doomed, check_idle, delete, find_doomed
from buzzflow.cli.executions.common import agreed, notice
from buzzflow.cli.problems import EXIT, fail, show, warn
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.ci import DELETE, refused
from buzzflow.driver.deploy import Accounts
from buzzflow.driver.gone import Gone, gone_pipelines
from buzzflow.views.executions import data, lists
from buzzflow.views.problems import as_data
from buzzflow.views.summary import console


def prune_pipelines(target: Path, *, yes: bool, as_json: bool) -> int:
    """Show what goes, ask, delete; return the exit code."""
    accounts = Accounts()
    try:
        found, warnings = gone_pipelines(target, accounts)
        doomed = [*_doomed(found, accounts)]
        for gone, what in doomed:
            notice(f"{gone.owned.name}: {gone.why}")
            console(stderr=True).print(lists.doomed(what, gone.region), soft_wrap=True)
        if doomed and not yes and not agreed(", ".join(what.name for _, what in doomed), "buzzflow prune --yes"):
            notice("nothing is deleted")
            doomed = []
        problems = _delete_all(doomed, accounts)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    if as_json:
        gone_now = [data.of_doomed(what, deleted=True) for _, what in doomed if what.name not in problems]
        told = as_data([*warnings, *(d for each in problems.values() for d in each)])
        typer.echo(json.dumps({"pipelines": gone_now, "diagnostics": told}, indent=2))
    else:
        warn(warnings)
        show([d for each in problems.values() for d in each])
        if not found:
            notice("nothing that was deployed from here is gone")
    return EXIT if problems else 0


def _doomed(found: Sequence[Gone], accounts: Accounts) -> list[tuple[Gone, Doomed]]:
    every = [(gone, find_doomed(accounts.in_region(gone.region), gone.owned.name)) for gone in found]
    return [(gone, what) for gone, what in every if what is not None]


def _delete_all(doomed: Sequence[tuple[Gone, Doomed]], accounts: Accounts) -> dict[str, tuple[Diagnostic, ...]]:
    """Delete each that may go, and return what stood in the way of the others, by name."""
    problems: dict[str, tuple[Diagnostic, ...]] = {}
    for gone, what in doomed:
        try:
            if problem := refused(what.name, gone.environment.deploy_from, os.environ, DELETE):
                problems[what.name] = (problem,)
                continue
            check_idle(what)
            delete(accounts.in_region(gone.region), what, notice)
        except PipelineError as e:
            problems[what.name] = e.diagnostics
    return problems
