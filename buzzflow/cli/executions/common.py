"""What the commands about deployed pipelines share: finding what is meant, telling, waiting, exit codes."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any

import typer

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.executions.find import find_run
from buzzflow.backends.sagemaker.executions.log_tails import failed_tails
from buzzflow.backends.sagemaker.executions.progress import Snapshot
from buzzflow.backends.sagemaker.executions.runs import Run
from buzzflow.backends.sagemaker.executions.watch import Pace, watch
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.deployed import Place, find_target, open_account, repository_names
from buzzflow.views.executions import data, status
from buzzflow.views.executions.live import run_view
from buzzflow.views.summary import console

RUN_FAILED, INTERRUPTED = 4, 130


def notice(text: str) -> None:
    """Tell something beside the result."""
    typer.echo(text, err=True)


def print_json(found: Any) -> None:
    """Print a result for programs."""
    typer.echo(json.dumps(found, indent=2))


def open_run(text: str | None, region: str | None) -> tuple[Place, Account, Run]:
    """Return the run that *text* means, and where it is."""
    target = find_target(text)
    account = open_account(target.place, region)
    run = find_run(account, target.place.name, target.run, known=repository_names)
    return target.place, account, replace(run, elsewhere=target.place.file is None)


def follow_run(account: Account, run: Run, pace: Pace, *, as_json: bool, look_first: bool = True) -> int:
    """Show *run* until it has ended, print how, and return the exit code; the run goes on after an interrupt."""
    seen: Snapshot | None = None
    try:
        with interruptible(), run_view(console(stderr=True), account.region) as view:
            for seen in watch(account, run, pace, view.say, look_first=look_first):
                view.show(seen)
    except KeyboardInterrupt:
        notice(f"\nrun {run.label} goes on; to stop it: buzzflow stop {run.address}")
        return INTERRUPTED
    assert seen is not None, "a watch looks at least once"
    show_run(account, seen, as_json=as_json)
    return RUN_FAILED if status.ended_badly(seen.run.summary) else 0


def show_run(account: Account, seen: Snapshot, *, as_json: bool) -> None:
    """Print how far a run is, with the last lines of the steps that failed."""
    tails = failed_tails(account, seen, notice)
    if as_json:
        print_json(data.of_snapshot(seen, tails))
        return
    out, at = console(), status.now()
    out.print(status.head(seen, account.region, at), soft_wrap=True)
    out.print()
    out.print(status.table(seen, at))
    for screen in status.failures(seen, tails):
        out.print()
        out.print(screen, soft_wrap=True)
    if (told := status.advice(seen)) is not None:
        notice(f"\n{told}")


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the signals that end a program interrupt it as Ctrl-C does, so that the terminal is left in order."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def agreed(what: str, way: str) -> bool:
    """Ask whether *what* shall be deleted; PipelineError BF640 names the *way* where nobody can be asked."""
    if not sys.stdin.isatty():
        summary, hint = f"whether {what} shall go is not confirmed", f"nobody can be asked here: {way}"
        raise PipelineError([Diagnostic("BF640", summary, hint=hint)])
    return typer.confirm("delete?", err=True)
