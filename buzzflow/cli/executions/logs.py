"""`logs`: what the steps of a run print."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import typer

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors
from buzzflow.backends.sagemaker.executions.find import definition_of
from buzzflow.backends.sagemaker.executions.follow_logs import Follow, follow, of_names, places_of
from buzzflow.backends.sagemaker.executions.log_lines import LogLine, Tail, all_lines, last_lines
from buzzflow.backends.sagemaker.executions.log_places import LogPlace, NoLog
from buzzflow.backends.sagemaker.executions.runs import Run
from buzzflow.backends.sagemaker.executions.steps import list_steps
from buzzflow.backends.sagemaker.executions.watch import Pace
from buzzflow.cli.executions.common import INTERRUPTED, interruptible, notice, open_run
from buzzflow.cli.problems import fail
from buzzflow.diagnostics import Diagnostic, PipelineError, did_you_mean
from buzzflow.views.executions import data
from buzzflow.views.executions.log_text import LogText
from buzzflow.views.summary import console

Printer = Callable[[Iterable[LogLine]], None]


def show_logs(
    steps: Sequence[str],
    wanted: str | None,
    region: str | None,
    *,
    follow_every: float | None,
    since: datetime | None,
    tail: int | None,
    as_json: bool,
) -> int:
    """Print them, and return the exit code; *follow_every* is how often to look for more, None looks once."""
    try:
        _, account, run = open_run(wanted, region)
        _check_steps(account, run, steps)
        out: Printer = _print_json if as_json else LogText(console(), named=len(steps) != 1).print
        if follow_every is None:
            _show_once(account, run, steps, since, tail, out)
            return 0
        return _follow(account, run, steps, Tail(account, since, tail), Pace(follow_every), out)
    except PipelineError as e:
        raise fail(e, as_json=as_json) from None


def _check_steps(account: Account, run: Run, names: Sequence[str]) -> None:
    if not names:
        return
    with aws_errors():
        known = definition_of(account, run.summary.arn).by_name
    problems = [
        Diagnostic("BF637", f"run {run.label} has no step {name!r}", hint=did_you_mean(name, known, label="its steps"))
        for name in names
        if name not in known
    ]
    if problems:
        raise PipelineError(problems)


def _show_once(
    account: Account, run: Run, names: Sequence[str], since: datetime | None, tail: int | None, out: Printer
) -> None:
    with aws_errors():
        begun = of_names(list_steps(account, run.summary.arn), names)
    places, without = places_of(account, begun)
    _tell_without(without, names)
    for name in {*names} - {step.name for step in begun}:
        notice(f"{name} has no log: it has not started in run {run.label}")
    for step in begun:
        if step.cached_from is not None and step.name in names:
            notice(f"{step.name} was not run: its result is cached")
    with aws_errors():
        out(_read(account, places, since, tail))


def _read(account: Account, places: Sequence[LogPlace], since: datetime | None, tail: int | None) -> Iterable[LogLine]:
    return all_lines(account, places, since=since) if tail is None else last_lines(account, places, tail, since=since)


def _tell_without(without: Iterable[NoLog], names: Sequence[str]) -> None:
    """Tell why steps that were asked for have no log."""
    for one in without:
        if names:
            notice(f"{one.step} has no log: {one.because}")


def _follow(account: Account, run: Run, names: Sequence[str], tail: Tail, pace: Pace, out: Printer) -> int:
    try:
        with interruptible():
            for lines in follow(Follow(account, run, names, tail), pace, notice):
                out(lines)
    except KeyboardInterrupt:
        notice(f"\nrun {run.label} goes on; to stop it: buzzflow stop {run.address}")
        return INTERRUPTED
    with aws_errors():
        begun = of_names(list_steps(account, run.summary.arn), names)
    _, without = places_of(account, begun)
    _tell_without(without, names)
    return 0


def _print_json(lines: Iterable[LogLine]) -> None:
    for line in lines:
        typer.echo(json.dumps(data.of_line(line)))
