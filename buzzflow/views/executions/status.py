"""How far a run is: what was started, a table of its steps, and what to read when one failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from buzzflow.backends.printable import printable
from buzzflow.backends.sagemaker.executions.log_lines import LogLine
from buzzflow.backends.sagemaker.executions.progress import Snapshot, State, StepProgress
from buzzflow.backends.sagemaker.executions.runs import FAILED, STOPPED, SUCCEEDED, RunSummary, run_id
from buzzflow.views.figures import duration

STYLES = {
    State.WAITING: "dim",
    State.STARTING: "cyan",
    State.RUNNING: "cyan",
    State.STOPPING: "yellow",
    State.SUCCEEDED: "green",
    State.FAILED: "bold red",
    State.STOPPED: "yellow",
    State.NOT_TAKEN: "dim",
    State.NOT_SELECTED: "dim",
    State.NOT_RUN: "dim",
}
RUN_STYLES = {SUCCEEDED: "green", FAILED: "bold red", "CompletedWithFailures": "bold red", STOPPED: "yellow"}
_DAY = timedelta(days=1)


def now() -> datetime:
    """Return the time that running steps have taken until."""
    return datetime.now(UTC)


def head(seen: Snapshot, region: str, at: datetime) -> RenderableType:
    """Return which run this is: its name, its state, who started it when and with what."""
    run, summary = seen.run, seen.run.summary
    named = f" ({printable(summary.name)})" if summary.name else ""
    until = (run.changed or at) if summary.ended else at
    took = "" if summary.started is None else f" {'after' if summary.ended else 'for'} {_took(summary.started, until)}"
    lines = [
        Text.assemble(
            (run.label, "bold"), named, f" in {region}  ", (state_word(summary.state), style_of(summary.state)), took
        )
    ]
    if summary.started is not None:
        by = f" by {printable(run.by)}" if run.by else ""
        lines.append(Text(f"started {moment(summary.started)}{by}", "dim"))
    if run.parameters:
        told = ", ".join(f"{name}={printable(value)}" for name, value in run.parameters)
        lines.append(Text(f"parameters: {told}", "dim"))
    if run.source is not None:
        lines.append(Text(f"only a part, on the results of run {run_id(run.source)}", "dim"))
    return Group(*lines)


def table(seen: Snapshot, at: datetime, *, most: int | None = None) -> RenderableType:
    """Return one row a step; of a long pipeline the *most* telling ones, and how many others there are."""
    shown = seen.steps if most is None else _most_telling(seen.steps, most)
    retried = any(step.run is not None and step.run.attempts > 1 for step in seen.steps)
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    grid.add_column("step", overflow="fold")
    grid.add_column("type", overflow="fold", style="dim")
    grid.add_column("state", no_wrap=True)
    grid.add_column("took", justify="right", no_wrap=True)
    if retried:
        grid.add_column("tries", justify="right", no_wrap=True)
    grid.add_column("started", no_wrap=True, style="dim")
    grid.add_column("note")
    for step in shown:
        tries = [Text(str(step.run.attempts) if step.run is not None else "")] if retried else []
        began = clock_time(step.run.started) if step.run is not None and step.run.started is not None else ""
        name = Text("  " * step.depth + step.name)
        state = Text(step.state.value, STYLES[step.state])
        grid.add_row(name, step.type, state, step_took(step, at), *tries, began, one_line(step.note))
    rest = [step for step in seen.steps if step not in shown]
    return Group(grid, Text(f"and {_counted(rest)}", "dim")) if rest else grid


def failures(seen: Snapshot, tails: Mapping[str, Sequence[LogLine]]) -> list[RenderableType]:
    """Return, for each failed step, its whole reason, its last lines, and how to read on."""
    found: list[RenderableType] = []
    for step in seen.steps:
        if step.state is not State.FAILED or step.run is None:
            continue
        reason = "\n".join(printable(line) for line in (step.run.reason or "no reason is given").splitlines())
        lines = [Text.assemble((f"step {step.name} failed", "bold red"), f": {reason}")]
        lines += [Text(f"  | {line.text}", "dim") for line in tails.get(step.name, ())]
        if step.name in tails:
            lines.append(Text(f"  all of it: buzzflow logs {step.run.name} --run {seen.run.address}"))
        found.append(Group(*lines))
    if not found and seen.run.summary.reason:
        found.append(Text.assemble(("the run failed", "bold red"), f": {printable(seen.run.summary.reason)}"))
    return found


def advice(seen: Snapshot) -> str | None:
    """Return the command that people need next."""
    match seen.run.summary.state:
        case "Failed" | "Stopped":
            return f"to go on with what did not succeed: buzzflow resume {seen.run.address}"
        case "Executing":
            return f"to follow it: buzzflow status {seen.run.address} --watch"
        case _:
            return None


def one_line(text: str) -> Text:
    """Return what takes the width that is left: rich shrinks only columns that wrap."""
    return Text(printable(text), no_wrap=True, overflow="ellipsis")


def step_took(step: StepProgress, at: datetime) -> str:
    """Return how long a step has run."""
    if step.run is None or step.run.started is None:
        return ""
    return _took(step.run.started, step.run.ended or at)


def state_word(state: str) -> str:
    """Return the service's word for a run's state as a sentence has it: `completed with failures`."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in state).strip()


def style_of(state: str) -> str:
    """Return the style of a run's state."""
    return RUN_STYLES.get(state, "cyan")


def ended_badly(summary: RunSummary) -> bool:
    """Whether the run has ended otherwise than it should."""
    return summary.ended and summary.state != SUCCEEDED


def moment(at: datetime) -> str:
    """Return a date and time of here."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def clock_time(at: datetime) -> str:
    """Return a time of here."""
    return f"{at.astimezone():%H:%M:%S}"


def ago(at: datetime, until: datetime) -> str:
    """Return `12 min ago`, or the day when that is long ago."""
    past = until - at
    if past >= 2 * _DAY:
        return f"{at.astimezone():%Y-%m-%d}"
    if past < timedelta(minutes=1):
        return "just now"
    minutes = int(past.total_seconds()) // 60
    return f"{minutes} min ago" if minutes < 100 else f"{minutes // 60} h ago"


def _took(start: datetime, end: datetime) -> str:
    return duration(max(0.0, (end - start).total_seconds()))


def _most_telling(steps: Sequence[StepProgress], most: int) -> Sequence[StepProgress]:
    """Return the steps that people look for first, in the order of the pipeline."""
    ranks = {State.FAILED: 0, State.RUNNING: 1, State.STARTING: 1, State.STOPPING: 1, State.WAITING: 2}
    if len(steps) <= most:
        return steps
    chosen = sorted(range(len(steps)), key=lambda i: (ranks.get(steps[i].state, 3), i))[: max(1, most)]
    return [steps[i] for i in sorted(chosen)]


def _counted(steps: Sequence[StepProgress]) -> str:
    states = [step.state for step in steps]
    return f"{len(steps)} more: " + ", ".join(f"{states.count(s)} {s.value}" for s in dict.fromkeys(states))
