"""`stop`: stop a run."""

from __future__ import annotations

import typer

from buzzflow.backends.sagemaker.executions.stop import Stop, stop
from buzzflow.backends.sagemaker.executions.watch import Pace
from buzzflow.cli.executions.common import INTERRUPTED, follow_run, notice, open_run, print_json
from buzzflow.cli.problems import fail
from buzzflow.diagnostics import PipelineError
from buzzflow.views.executions import data
from buzzflow.views.executions.status import state_word


def stop_run(wanted: str | None, region: str | None, *, wait: float | None, as_json: bool) -> int:
    """Stop it, and return the exit code; *wait* is how often to look until it has ended, None does not wait."""
    try:
        _, account, run = open_run(wanted, region)
        came = stop(account, run)
        if came is Stop.ENDED:
            notice(f"run {run.label} has ended already: {state_word(run.summary.state)}")
        elif wait is not None:
            notice(f"stopping {run.label}")
            ended = follow_run(account, run, Pace(wait), as_json=as_json)
            return ended if ended == INTERRUPTED else 0
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    if as_json:
        print_json(data.of_run(run) | {"stop": came.value})
    elif came is not Stop.ENDED:
        typer.echo(f"{run.label}: {came.value}")
        notice(f"\nsee it end: buzzflow status {run.address} --watch")
    return 0
