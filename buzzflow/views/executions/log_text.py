"""Lines of logs on the screen, each with the step that printed it when there are several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

from buzzflow.backends.sagemaker.executions.log_lines import LogLine

_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")


@dataclass(slots=True)
class LogText:
    """Prints lines on *console*; *named* puts the step before each."""

    console: Console
    named: bool
    colours: dict[str, str] = field(default_factory=dict)

    def print(self, lines: Iterable[LogLine]) -> None:
        """Print *lines*; outside of a terminal as they are, because there may be a million of them."""
        plain = not self.console.is_terminal
        for line in lines:
            before = self._before(line)
            if plain:
                self.console.file.write(f"{before}{line.text}\n")
            else:
                colour = self.colours.setdefault(before, _COLOURS[len(self.colours) % len(_COLOURS)])
                self.console.print(Text.assemble((before, colour), line.text), soft_wrap=True)
        self.console.file.flush()

    def _before(self, line: LogLine) -> str:
        parts = [part for part in (line.step if self.named else "", line.source) if part]
        return f"{'/'.join(parts)} | " if parts else ""
