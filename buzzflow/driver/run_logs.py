"""What the steps of a run printed, and print while it goes on."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from buzzflow.backends.local.records.manifest import Manifest
from buzzflow.backends.printable import printable
from buzzflow.diagnostics import Diagnostic, PipelineError, did_you_mean
from buzzflow.driver.runs import manifest_of

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class StepText:
    """A line that *step* printed."""

    step: str
    text: str


def chosen_steps(run: str, manifest: Manifest, names: Sequence[str]) -> list[str]:
    """Return the steps that are named, all when none is; PipelineError BF523 for one that the run does not have."""
    problems = [
        Diagnostic("BF523", f"run {run} has no step {name!r}", hint=did_you_mean(name, manifest.steps, label="steps"))
        for name in names
        if name not in manifest.steps
    ]
    if problems:
        raise PipelineError(problems)
    return [*names] or [*manifest.steps]


@dataclass(slots=True)
class LogReader:
    """Reads one step's log: `more` returns the whole lines since the last time."""

    step: str
    file: Path
    _place: int = 0
    _rest: bytes = b""

    def more(self, *, last: bool) -> Iterator[StepText]:
        """Yield the lines that are new; at the *last* time, what has no end yet, too. An absent log has none."""
        try:
            stream = self.file.open("rb")
        except FileNotFoundError:
            return
        with stream:
            stream.seek(self._place)
            while content := stream.read(_CHUNK):
                self._place += len(content)
                *lines, self._rest = (self._rest + content).split(b"\n")
                yield from map(self._line, lines)
        if last and self._rest:
            yield self._line(self._rest)
            self._rest = b""

    def _line(self, raw: bytes) -> StepText:
        return StepText(self.step, printable(raw.rstrip(b"\r").rsplit(b"\r", 1)[-1].decode("utf-8", "replace")))


def readers(folder: Path, steps: Iterable[str]) -> list[LogReader]:
    """Return a reader for each step of the run in *folder*."""
    return [LogReader(step, folder / "steps" / step / "log.txt") for step in steps]


def all_lines(found: Iterable[LogReader], tail: int | None) -> Iterator[StepText]:
    """Yield what is there, step by step; with *tail*, the last so many lines of each."""
    for reader in found:
        lines = reader.more(last=True)
        yield from lines if tail is None else deque(lines, maxlen=tail)


def follow(folder: Path, found: Sequence[LogReader], every: float) -> Iterator[StepText]:
    """Yield what is new every few seconds, until the run has ended."""
    goes_on = True
    while goes_on:
        goes_on = manifest_of(folder).standing == "running"
        for reader in found:
            yield from reader.more(last=not goes_on)
        if goes_on:
            time.sleep(every)
