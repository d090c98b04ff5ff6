"""Keep what a step writes: the whole log in a file, its last lines, the metrics in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

import regex

from buzzflow.backends.local.events import Event, StepLine
from buzzflow.backends.local.hidden import Hidden
from buzzflow.backends.printable import printable

TAIL_LINES = 30
MAX_LINE = 2_000
MATCH_SECONDS = 1.0


class Sink(Protocol):
    """Where a log is kept: a file, or a part of one."""

    def write(self, data: bytes, /) -> object:
        """Take the next piece."""
        ...

    def flush(self) -> None:
        """Let others read what was taken."""
        ...


class StepLog:
    """Keeps what a step writes: all of it in a file, its last lines, its metrics; and tells each line.

    *hidden* knows the texts that nobody shall read: `***` stands for them everywhere.
    """

    def __init__(
        self,
        step: str,
        file: Sink,
        emit: Callable[[Event], None],
        patterns: Mapping[str, str],
        hidden: Hidden | None = None,
    ) -> None:
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self.metrics: dict[str, float] = {}
        self._step, self._file, self._emit = step, file, emit
        self.warnings: list[str] = []
        self._patterns = {name: regex.compile(pattern) for name, pattern in patterns.items()}
        self._rest = b""
        self._hidden = hidden or Hidden(())

    def write(self, data: bytes) -> None:
        """Take the next piece of output."""
        if not self._hidden:
            self._keep(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line, b"\n")
        if len(self._rest) > 16 * MAX_LINE:
            self._line(self._rest)
            self._rest = b""

    def close(self) -> None:
        """Take what stands after the last end of a line."""
        if self._rest:
            self._line(self._rest)
            self._rest = b""

    def _keep(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()

    def _line(self, raw: bytes, end: bytes = b"") -> None:
        if self._hidden:  # a secret may come in two pieces, so nothing is kept before its line is whole
            raw = self._hidden.bytes(raw)
            self._keep(raw + end)
        line = raw.rstrip(b"\r").rsplit(b"\r", 1)[-1]  # a progress bar writes over itself
        text = self._hidden.text(printable(line.decode("utf-8", "replace")))
        shown = text if len(text) <= MAX_LINE else text[: MAX_LINE - 1] + "…"
        self.tail.append(shown)
        for name, pattern in list(self._patterns.items()):
            try:
                # re would hold the whole program, and a signal with it, for as long as a bad pattern takes
                match = pattern.search(text, timeout=MATCH_SECONDS, concurrent=True)
            except TimeoutError:
                del self._patterns[name]
                self.warnings.append(f"metric {name!r} is not read: its pattern takes longer than a second for a line")
                continue
            if match:
                self._metric(name, match)
        self._emit(StepLine(self._step, shown))

    def _metric(self, name: str, match: regex.Match[str]) -> None:
        try:
            self.metrics[name] = float(match[1] if match.re.groups else match[0])
        except (TypeError, ValueError):  # a group that took no part is None
            return  # the service ignores what is no number, too
