"""Show a run while it goes: a live table on a terminal, plain lines in a pipe."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import assert_never

from rich.console import Console, Group, RenderableType
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
    StepRetried,
    StepStarted,
    Transfer,
)
from buzzflow.views.figures import duration, memory, share
from buzzflow.views.summary import STYLES, shown

QUIET_SECONDS = 60.0
_MARKS = {State.SUCCEEDED: "✓", State.CACHED: "✓", State.FAILED: "✗", State.SKIPPED: "-", State.STOPPED: "■"}


@contextmanager
def progress(console: Console) -> Iterator[Callable[[Event], None]]:
    """Yield what takes the events of a run and shows them on *console*, or in the notebook that runs this."""
    if console.is_jupyter:
        from buzzflow.views.notebook import NotebookView

        yield NotebookView(StepRows()).take
    elif console.is_terminal and not console.is_dumb_terminal:
        live = _LiveView(console)
        with live.live:
            yield live.take
    else:
        plain = _PlainView(console)
        with plain.told_to_be_alive():
            yield plain.take


@dataclass(slots=True)
class _PlainView:
    """A line for each event, and each line of a step with the step's name before it.

    When nothing was said for a minute, a line says what still runs: who reads a log of CI, and CI itself, would think
    that it hangs.
    """

    console: Console
    quiet_seconds: float = QUIET_SECONDS
    _running: dict[str, float] = field(default_factory=dict)
    _said_at: float = field(default_factory=time.monotonic)

    @contextmanager
    def told_to_be_alive(self) -> Iterator[None]:
        done = threading.Event()
        thread = threading.Thread(target=self._tell_what_runs, args=(done,), name="buzzflow-alive", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _tell_what_runs(self, done: threading.Event) -> None:
        while not done.wait(max(0.01, self._said_at + self.quiet_seconds - time.monotonic())):
            now = time.monotonic()
            if now - self._said_at < self.quiet_seconds:
                continue
            self._said_at = now
            if running := [f"{step} ({duration(now - began)})" for step, began in [*self._running.items()]]:
                self._say(f"still running: {', '.join(running)}")

    def take(self, event: Event) -> None:
        self._said_at = time.monotonic()
        match event:
            case RunStarted():
                self._say(f"run {event.run} of {event.pipeline} ({event.executor}), in {shown(event.folder)}")
            case Notice():
                self._say(f"{'warning: ' if event.warning else ''}{event.text}")
            case StepStarted():
                self._running[event.step] = self._said_at
                self._say(f"{event.step}: started")
            case StepRetried():
                self._say(f"{event.step}: {retried(event)}")
            case StepLine():  # not through rich: a step may write a million of them
                self.console.file.write(f"{event.step} | {event.line}\n")
            case StepFinished():
                self._running.pop(event.step, None)
                self._say(f"{event.step}: {_ending(event)}")
            case Transfer():
                pass  # its beginning and its end are notices
            case RunFinished():
                pass  # the summary says it
            case _:
                assert_never(event)

    def _say(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True)


def retried(event: StepRetried) -> str:
    """Return `attempt 2 of 4 in 2 s (20 min on SageMaker), after capacity_error`."""
    of = f" of {event.most}" if event.most else ""
    soon = f" in {duration(event.wait)}" if event.wait else ""
    there = f" ({duration(event.real_wait)} on SageMaker)" if event.real_wait > event.wait else ""
    return f"attempt {event.attempt}{of}{soon}{there}, after {event.reason}"


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

    @property
    def rank(self) -> int:
        """What is to be seen where there is no room for all: failed steps, then those that run, then the next."""
        if self.ended is not None:
            return 0 if self.ended.state is State.FAILED else 3
        return 2 if self.started is None else 1


@dataclass(slots=True)
class StepRows:
    """A row for each step of a run, drawn as it is now."""

    rows: dict[str, _Row] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    spinner: Spinner = field(default_factory=lambda: Spinner("dots", style="cyan"))

    def take(self, event: Event) -> None:
        """Note what *event* says of a step."""
        match event:
            case RunStarted():
                self.rows = {name: _Row(kind) for name, kind in event.steps}
            case StepStarted():
                self._row(event.step).started = time.monotonic()
            case StepLine():
                self._row(event.step).line = event.line
            case StepRetried():
                self._row(event.step).line = retried(event)
            case StepFinished():
                self._row(event.step).ended = event
            case Transfer(what=what, done=None):
                self.transfers.pop(what, None)
            case Transfer(what=what):
                self.transfers[what] = event
            case Notice() | RunFinished():
                pass
            case _:
                assert_never(event)

    def _row(self, step: str) -> _Row:
        """Return the row of *step*; copies that a foreach makes come at the end."""
        return self.rows.setdefault(step, _Row(""))

    def draw(self, most: int | None = None) -> RenderableType:
        """Return the rows as a table; of more than *most*, those that matter now, in their order."""
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=1)
        grid.add_column(no_wrap=True, overflow="ellipsis", max_width=40)
        grid.add_column(justify="right", no_wrap=True)
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        shown = self._shown(most)
        for name in self.rows:
            if name in shown:
                grid.add_row(*self._cells(name, self.rows[name]))
        for transfer in [*self.transfers.values()]:
            told = share(transfer.done or 0, transfer.total)
            grid.add_row(self.spinner, Text(transfer.what), Text(), Text(told, "dim"))
        if len(shown) == len(self.rows):
            return grid
        return Group(grid, Text(f"… {self._others(shown)}", "dim", no_wrap=True, overflow="ellipsis"))

    def _shown(self, most: int | None) -> set[str]:
        if most is None or len(self.rows) <= most:
            return {*self.rows}
        return {*sorted(self.rows, key=lambda name: self.rows[name].rank)[: max(1, most - 1)]}

    def _others(self, shown: set[str]) -> str:
        others = [row for name, row in self.rows.items() if name not in shown]
        words = Counter("waiting" if r.ended is None else r.ended.state.value for r in others if r.rank != 1)
        words["running"] = sum(r.rank == 1 for r in others)
        return ", ".join(f"{count} {word}" for word, count in words.items() if count)

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


@dataclass(slots=True)
class _LiveView:
    """The rows, redrawn in place; what is said once scrolls above them."""

    console: Console
    rows: StepRows = field(default_factory=StepRows)
    live: Live = field(init=False)

    def __post_init__(self) -> None:
        # Over a slow line each drawing costs: twice a second is enough to see that it lives.
        often = 2 if "SSH_CONNECTION" in os.environ else 8
        self.live = Live(
            get_renderable=lambda: self.rows.draw(self.console.height - 3),
            console=self.console,
            refresh_per_second=often,
            transient=True,
            redirect_stdout=False,
        )

    def take(self, event: Event) -> None:
        self.rows.take(event)
        match event:
            case RunStarted():
                self.console.print(Text.assemble((event.pipeline, "bold"), f"  run {event.run} ({event.executor})"))
            case Notice():
                self.console.print(Text(event.text, "yellow" if event.warning else "dim"))
            case _:
                pass
