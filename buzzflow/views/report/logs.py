"""The ends of logs: as much of each as the page has room for, from a whole line on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from buzzflow.backends.printable import printable

_LOGS_SIZE = 2_000_000  # bytes of HTML that all logs of a page may take
_LOG_SIZE = 200_000  # that one may take
_LEAST = 2_000
_WORST = 6  # bytes of HTML for a character: a quote
_FAILED_WEIGHT = 4  # who opens the page of a failed run wants to read why


@dataclass(frozen=True, slots=True)
class LogText:
    """The last lines of a log. *place* is its file, from the run's folder; *cut* is how many bytes are left out."""

    lines: tuple[str, ...]
    place: str
    cut: int = 0


def rooms(failed: Mapping[str, bool]) -> Mapping[str, int]:
    """Return how many bytes each step's log may take; *failed* says of each step with a log whether it failed."""
    weights = {name: _FAILED_WEIGHT if has_failed else 1 for name, has_failed in failed.items()}
    share = _LOGS_SIZE / max(1, sum(weights.values()))
    return {name: int(max(_LEAST, min(_LOG_SIZE, share * weight))) for name, weight in weights.items()}


def read_log(file: Path, place: str, room: int) -> LogText | None:
    """Return the end of *file* that takes at most *room* bytes of HTML; None when it cannot be read."""
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            begin = stream.seek(max(0, size - room))
            content = stream.read()
    except OSError:
        return None
    if begin and (first := content.find(b"\n")) >= 0:
        begin, content = begin + first + 1, content[first + 1 :]
    kept: list[str] = []
    left = room
    raw = content.removesuffix(b"\n").split(b"\n") if content else []
    while raw and (left := left - cost(line := _readable(raw[-1]))) >= 0:
        kept.append(line)
        raw.pop()
    if raw and not kept:  # a single endless line
        kept.append("…" + _readable(raw.pop())[-room // _WORST :])
        begin = size - len(kept[0])
    cut = begin + sum(len(line) + 1 for line in raw)
    return LogText(tuple(reversed(kept)), place, cut)


def _readable(raw: bytes) -> str:
    """Return a line as a terminal leaves it: a progress bar writes over itself."""
    return printable(raw.rstrip(b"\r").rsplit(b"\r", 1)[-1].decode("utf-8", "replace"))


def cost(line: str) -> int:
    """Return how many bytes of HTML a line takes."""
    return len(escape(line).encode()) + 1
