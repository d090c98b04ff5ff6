"""Show a run in a notebook: one display below the cell, drawn anew as the run goes on."""

from __future__ import annotations

import io
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.text import Text

from buzzflow.backends.local.events import Event, Notice, RunFinished, RunStarted

if TYPE_CHECKING:
    from buzzflow.views.progress import StepRows

_OFTEN_SECONDS = 0.25
_WIDTH = 100
_PAGE = '<pre style="font-family: monospace; line-height: 1.3; white-space: pre-wrap">{code}</pre>'


class NotebookView:
    """Takes the events of a run; *rows* are what it shows of the steps."""

    def __init__(self, rows: StepRows) -> None:
        self._rows = rows
        self._lines: list[Text] = []
        self._handle: Any = None
        self._drawn_at = 0.0

    def take(self, event: Event) -> None:
        """Take an event, and draw now and then; the first and the last one are always drawn."""
        self._rows.take(event)
        match event:
            case RunStarted():
                self._lines.append(Text.assemble((event.pipeline, "bold"), f"  run {event.run} ({event.executor})"))
            case Notice():
                self._lines.append(Text(event.text, "yellow" if event.warning else "bright_black"))
            case _:
                pass
        now = time.monotonic()
        if isinstance(event, RunStarted | RunFinished) or now - self._drawn_at >= _OFTEN_SECONDS:
            self._drawn_at = now
            self._draw()

    def _draw(self) -> None:
        shown: Any = import_module("IPython.display")  # every notebook has it; buzzflow does not need it
        page = shown.HTML(self._html())
        if self._handle is None:
            self._handle = shown.display(page, display_id=True)
        else:
            self._handle.update(page)

    def _html(self) -> str:
        console = Console(
            record=True, file=io.StringIO(), width=_WIDTH, highlight=False, emoji=False, force_jupyter=False
        )
        console.print(Group(*self._lines, self._rows.draw()))
        return console.export_html(inline_styles=True, code_format=_PAGE)
