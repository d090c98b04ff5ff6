"""What differs between a run and its reproduction, as people read it and as data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from buzzflow.backends.local.records.comparison import Comparison, StepComparison, ValueDifference
from buzzflow.views.figures import duration

_MOST = 10  # lines of one kind
_LONGEST = 40


def shown(comparison: Comparison) -> RenderableType:
    """Return a row for each step, and below what differs."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    grid.add_column("step", overflow="fold")
    for title in ("state", "outputs"):
        grid.add_column(title)
    for title in ("wall then", "now"):
        grid.add_column(title, justify="right", no_wrap=True)
    for step in comparison.steps:
        style = "" if step.is_same else "bold yellow"
        then, now = (duration(s) if s is not None else "" for s in step.seconds)
        grid.add_row(Text(step.name, style), _states(step), Text(_outputs(step), style), then, now)
    lines = [line for step in comparison.steps for line in _step_lines(step)]
    lines += _lines("this machine", comparison.machine)
    return Group(grid, *([Text(), *lines] if lines else []))


def _states(step: StepComparison) -> str:
    then, now = step.states
    return escape(now if then == now else f"{then}, now {now}")


def _outputs(step: StepComparison) -> str:
    if step.compared is None:
        return ""
    if step.outputs:
        return f"{len(step.outputs)} of {step.compared} differ"
    return "same" if step.compared else ""


def _step_lines(step: StepComparison) -> list[Text]:
    lines = []
    for output in step.outputs:
        more = f", and {len(output.files) - _MOST} more" if len(output.files) > _MOST else ""
        told = f"{', '.join(output.files[:_MOST])}{more}"
        lines.append(Text.assemble((f"{step.name}: ", "bold"), f"output {output.name} differs: {told}"))
    return [*lines, *_lines(step.name, step.values), *_lines(step.name, step.made_of)]


def _lines(name: str, differences: tuple[ValueDifference, ...]) -> list[Text]:
    lines = [
        Text.assemble((f"{name}: ", "bold"), f"{d.name}: {_value(d.then)}, now {_value(d.now)}{_relative(d)}")
        for d in differences[:_MOST]
    ]
    if len(differences) > _MOST:
        lines.append(Text(f"{name}: and {len(differences) - _MOST} more"))
    return lines


def _value(value: Any) -> str:
    if value is None:
        return "none"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _relative(difference: ValueDifference) -> str:
    return "" if difference.relative is None else f" ({difference.relative:.2g} apart, relative)"


def verdict(comparison: Comparison) -> Text:
    """Return the last line."""
    if comparison.is_same:
        told = f"run {comparison.now} left the same as run {comparison.then}"
        return Text(told, "green")
    count = sum(not step.is_same for step in comparison.steps)
    told = f"run {comparison.now} differs from run {comparison.then} in {count} {'step' if count == 1 else 'steps'}"
    return Text(told, "bold yellow")


def as_data(comparison: Comparison) -> dict[str, Any]:
    """Return the same as JSON can hold it."""
    found = asdict(comparison)
    for step, data in zip(comparison.steps, found["steps"], strict=True):
        data["same"] = step.is_same
        data["states"] = dict(zip(("then", "now"), step.states, strict=True))
        data["seconds"] = dict(zip(("then", "now"), step.seconds, strict=True))
    return {"same": comparison.is_same, **found}
