"""Show a run while it goes: a live table on a terminal, plain lines in a pipe."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import assert_never

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from buzzflow.backends.local.events import (
    Event,
    Notice,
    RunFinished,
    RunStarted,
    State,
    StepFinished,
    StepLine,
    StepStarted,
)
from buzzflow.views.figures import duration, memory
from buzzflow.views.summary import STYLES, shown

_MARKS = {State.SUCCEEDED: "✓", State.CACHED: "✓", State.FAILED: "✗", State.SKIPPED: "-", State.STOPPED: "■"}


@contextmanager
def progress(console: Console) -> Iterator[Callable[[Event], None]]:
    """Yield what takes the events of a run and shows them on *console*."""
    if console.is_terminal and not console.is_dumb_terminal:
        live = _LiveView(console)
        with live.live:
            yield live.take
    else:
        yield _PlainView(console).take


@dataclass(slots=True)
class _PlainView:
    """A line for each event, and each line of a step with the step's name before it."""

    console: Console

    def take(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._say(f"run {event.run} of {event.pipeline} ({event.executor}), in {shown(event.folder)}")
            case Notice():
                self._say(f"{'warning: ' if event.warning else ''}{event.text}")
            case StepStarted():
                self._say(f"{event.step}: started")
            case StepLine():  # not through rich: a step may write a million of them
                self.console.file.write(f"{event.step} | {event.line}\n")
            case StepFinished():
                self._say(f"{event.step}: {_ending(event)}")
            case RunFinished():
                pass  # the summary says it
            case _:
                assert_never(event)

    def _say(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True)


def _ending(event: StepFinished) -> str:
    parts = [event.state.value]
    if event.usage is not None:
        parts.append(f"in {duration(event.usage.wall_seconds)}")
    if event.reason:
        parts.append(f"({event.reason})")
    elif event.result:
        parts.append(f"({event.result})")
    return " ".join(parts)


@dataclass(slots=True)
class _Row:
    kind: str
    started: float | None = None
    ended: StepFinished | None = None
    line: str = ""


@dataclass(slots=True)
class _LiveView:
    """A row for each step, redrawn in place; what is said once scrolls above it."""

    console: Console
    rows: dict[str, _Row] = field(default_factory=dict)
    live: Live = field(init=False)
    spinner: Spinner = field(default_factory=lambda: Spinner("dots", style="cyan"))

    def __post_init__(self) -> None:
        self.live = Live(
            get_renderable=self._draw, console=self.console, refresh_per_second=8, transient=True, redirect_stdout=False
        )

    def take(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.rows = {name: _Row(kind) for name, kind in event.steps}
                self.console.print(Text.assemble((event.pipeline, "bold"), f"  run {event.run} ({event.executor})"))
            case Notice():
                self.console.print(Text(event.text, "yellow" if event.warning else "dim"))
            case StepStarted():
                self.rows[event.step].started = time.monotonic()
            case StepLine():
                self.rows[event.step].line = event.line
            case StepFinished():
                self.rows[event.step].ended = event
            case RunFinished():
                pass
            case _:
                assert_never(event)

    def _draw(self) -> RenderableType:
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=1)
        grid.add_column(no_wrap=True)
        grid.add_column(justify="right", no_wrap=True)
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for name, row in self.rows.items():
            grid.add_row(*self._cells(name, row))
        return grid

    def _cells(self, name: str, row: _Row) -> tuple[RenderableType, ...]:
        if row.ended is not None:
            usage = row.ended.usage
            style = STYLES[row.ended.state]
            told = row.ended.result or row.ended.reason or (memory(usage.memory_peak_bytes) if usage else "")
            wall = duration(usage.wall_seconds) if usage else ""
            return Text(_MARKS[row.ended.state], style), Text(name), Text(wall), Text(told, "dim")
        if row.started is not None:
            running = duration(time.monotonic() - row.started)
            return self.spinner, Text(name, "bold"), Text(running), Text(row.line, "dim")
        return Text("·", "dim"), Text(name, "dim"), Text(), Text(row.kind, "dim")
