"""`status`: how far a run is."""

from __future__ import annotations

from buzzflow.backends.sagemaker.executions.watch import Pace, look
from buzzflow.cli.executions.common import follow_run, open_run, show_run
from buzzflow.cli.problems import fail
from buzzflow.diagnostics import PipelineError


def show_status(wanted: str | None, region: str | None, *, watch: float | None, as_json: bool) -> int:
    """Print it, and return the exit code; *watch* is how often to look until the run has ended, None looks once."""
    try:
        _, account, run = open_run(wanted, region)
        if watch is not None:
            return follow_run(account, run, Pace(watch), as_json=as_json)
        show_run(account, look(account, run), as_json=as_json)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None
    return 0
