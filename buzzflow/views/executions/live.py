"""Show a run while it goes: a table that is redrawn on a terminal, a line for each change in a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from buzzflow.backends.printable import printable
from buzzflow.backends.sagemaker.executions.progress import Snapshot, State, StepProgress
from buzzflow.views.executions.status import clock_time, head, now, state_word, step_took, table

_AROUND = 8  # lines of a terminal that are not steps


class RunView(Protocol):
    """Takes what is seen of a run, and what else is to be said."""

    def show(self, seen: Snapshot) -> None: ...  # noqa: D102
    def say(self, text: str) -> None: ...  # noqa: D102


@contextmanager
def run_view(console: Console, region: str) -> Iterator[RunView]:
    """Yield what shows a run on *console*."""
    if console.is_terminal and not console.is_dumb_terminal:
        view = _LiveView(console, region)
        with view.live:
            yield view
    else:
        yield _PlainView(console)


@dataclass(slots=True)
class _PlainView:
    """A line for each step that has come to another state, and for the run."""

    console: Console
    steps: dict[str, State] = field(default_factory=dict)
    run: str | None = None

    def show(self, seen: Snapshot) -> None:
        if not seen.run.summary.ended:
            self._show_run(seen)
        for step in seen.steps:
            if step.state.begun and self.steps.get(step.name) is not step.state:
                self.steps[step.name] = step.state
                self.say(f"{step.name}: {_change(step)}")
        self._show_run(seen)

    def say(self, text: str) -> None:
        self.console.print(Text(f"{clock_time(now())} {text}"), soft_wrap=True)

    def _show_run(self, seen: Snapshot) -> None:
        if seen.run.summary.state != self.run:
            self.run = seen.run.summary.state
            self.say(f"{seen.run.label}: {state_word(self.run)}")


def _change(step: StepProgress) -> str:
    ended = step.run is not None and step.run.ended is not None
    took = f" in {step_took(step, now())}" if ended else ""
    note = f" ({printable(step.note)})" if step.note else ""
    return f"{step.state.value}{took}{note}"


@dataclass(slots=True)
class _LiveView:
    """The whole table, redrawn in place; what is said once scrolls above it."""

    console: Console
    region: str
    seen: Snapshot | None = None
    live: Live = field(init=False)

    def __post_init__(self) -> None:
        self.live = Live(
            get_renderable=self._draw, console=self.console, refresh_per_second=4, transient=True, redirect_stdout=False
        )

    def show(self, seen: Snapshot) -> None:
        self.seen = seen

    def say(self, text: str) -> None:
        self.console.print(Text(text, "yellow"))

    def _draw(self) -> RenderableType:
        if self.seen is None:
            return Text("asking AWS …", "dim")
        at = now()
        most = max(3, self.console.height - _AROUND)
        return Group(head(self.seen, self.region, at), Text(), table(self.seen, at, most=most))
