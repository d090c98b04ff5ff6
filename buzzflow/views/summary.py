"""How a run ended: the table of steps, and what to read when one failed."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from buzzflow.backends.local.events import State, StepFinished
from buzzflow.backends.local.run import Report
from buzzflow.instances.advice import Advice, RunAdvice
from buzzflow.views import advice
from buzzflow.views.figures import cores, duration, memory

STYLES = {
    State.SUCCEEDED: "green",
    State.CACHED: "green",
    State.FAILED: "bold red",
    State.SKIPPED: "dim",
    State.STOPPED: "yellow",
}
_BYTES = (
    "memory_peak_bytes",
    "memory_mean_bytes",
    "working_set_peak_bytes",
    "disk_read_bytes",
    "disk_written_bytes",
    "network_received_bytes",
    "network_sent_bytes",
)


def table(report: Report, fitting: RunAdvice | None = None) -> RenderableType:
    """Return what each step used, one row a step, and a line where another instance type fits clearly better."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    grid.add_column("step", overflow="fold")
    grid.add_column("state", no_wrap=True)
    for title in ("wall", "CPU mean", "CPU peak", "memory peak"):
        grid.add_column(title, justify="right", no_wrap=title == "wall")
    notes = []
    for name, event in report.steps.items():
        usage = event.usage
        figures = ("", "", "", "")
        if usage is not None:
            peak = cores(usage.cpu_peak)
            figures = (duration(usage.wall_seconds), cores(usage.cpu_mean), peak, memory(usage.memory_peak_bytes))
        grid.add_row(escape(name), Text(event.state.value, STYLES[event.state]), *figures)
        if event.state.is_good and (told := [part for part in (event.result, event.reason) if part is not None]):
            notes.append(Text.assemble((f"{name}: ", "bold"), ", ".join(told)))
        if event.how is not None:
            notes.append(Text.assemble((f"{name}: ", "bold"), (event.how, "dim")))
        if event.attempts:
            tries = "; ".join(attempt.reason or attempt.state for attempt in event.attempts)
            notes.append(Text.assemble((f"{name}: ", "bold"), f"{len(event.attempts)} attempts: {tries}"))
        notes += [Text.assemble((f"{name}: ", "bold"), (f"warning: {w}", "yellow")) for w in event.warnings]
    notes += [Text(f"skipped, as {why}: {', '.join(names)}", "dim") for why, names in _skipped(report).items()]
    notes += [] if fitting is None else advice.lines(fitting)
    return Group(grid, *([Text(), *notes] if notes else []))


def _skipped(report: Report) -> dict[str, list[str]]:
    """Return the steps that did not run, by why: of one that needs a skipped one, the first of the chain says it.

    What a condition chose is told beside it.
    """
    found: dict[str, list[str]] = {}
    for name, event in report.steps.items():
        why = (event.reason or "").rpartition(", as ")[2]
        if event.state is State.SKIPPED and why and not why.endswith("chose the other branch"):
            found.setdefault(why, []).append(name)
    return found


def verdict(report: Report) -> Text:
    """Return the last line: what became of the run, and where it is."""
    told = f"run {report.run} {report.state.value} in {duration(report.seconds)}"
    return Text.assemble((told, STYLES[report.state]), f"  {shown(report.folder)}")


def failures(report: Report) -> list[RenderableType]:
    """Return, for each failed step, its reason, its last lines and where its log is."""
    screens: list[RenderableType] = []
    for name, event in report.steps.items():
        if event.state is not State.FAILED:
            continue
        lines = [Text.assemble((f"step {name} failed", "bold red"), f": {event.reason}")]
        lines += [Text(f"  | {line}", "dim") for line in event.tail]
        if event.log is not None:
            lines.append(Text(f"  log: {shown(event.log)}"))
        screens.append(Group(*lines))
    return screens


def shown(path: Path) -> str:
    """Return *path* from where the user stands, when it is below."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def as_data(report: Report, fitting: RunAdvice) -> dict[str, Any]:
    """Return the report as JSON can hold it."""
    return {
        "run": report.run,
        "state": report.state.value,
        "seconds": round(report.seconds, 3),
        "folder": str(report.folder),
        "steps": {name: _step_data(event, fitting.steps.get(name)) for name, event in report.steps.items()},
    }


def _step_data(event: StepFinished, fits: Advice | None) -> dict[str, Any]:
    usage = event.usage
    return {
        "state": event.state.value,
        "reason": event.reason,
        "result": event.result,
        "how": event.how,
        "exit_code": event.exit_code,
        "attempts": [{"state": a.state, "reason": a.reason, "seconds": round(a.seconds, 3)} for a in event.attempts],
        "warnings": list(event.warnings),
        "log": None if event.log is None else str(event.log),
        "wall_seconds": None if usage is None else round(usage.wall_seconds, 3),
        "cpu_seconds": None if usage is None else usage.cpu_seconds,
        "cpu_mean_cores": None if usage is None else usage.cpu_mean,
        "cpu_peak_cores": None if usage is None else usage.cpu_peak,
        **{name: None if usage is None else getattr(usage, name) for name in _BYTES},
        "gpu": None if usage is None or usage.gpu is None else asdict(usage.gpu),
        "usage_source": None if usage is None else usage.source,
        "usage_sources": {} if usage is None else dict(usage.sources),
        "advice": None if fits is None else advice.step_data(fits),
    }


def console(*, stderr: bool = False) -> Console:
    """Return where to print: colour and the terminal's width on a terminal, plain text of 100 columns in a pipe."""
    is_terminal = (sys.stderr if stderr else sys.stdout).isatty()
    width = None if is_terminal else 100
    return Console(stderr=stderr, highlight=False, emoji=False, markup=False, width=width)
