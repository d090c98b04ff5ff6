"""What is wrong with the user's files, as data: code, summary, place, hint."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum

Path = tuple[str | int, ...]

MAX_PROBLEMS = 200  # a stage that has found so many stops: nobody reads more, and each looks for a close name
_MAX_NAME = 100
_NEIGHBOURS = 50


class Severity(StrEnum):
    """How bad it is: an error stops the line, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a file: 1-based line and column, as editors count them."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem, told once: *path* is where in the data, *span* where in the file.

    A stage gives the path; the driver adds the span from the source map. *summary* is one lower-case sentence
    without a full stop; *hint* is what to do next, and *note* how the value came to stand there.
    """

    code: str
    summary: str
    path: Path = ()
    hint: str | None = None
    span: Span | None = None
    severity: Severity = Severity.ERROR
    note: str | None = None

    def at(self, span: Span | None) -> Diagnostic:
        """Return this diagnostic with its place, unless it already knows one."""
        return self if self.span is not None or span is None else replace(self, span=span)

    @property
    def is_error(self) -> bool:
        """Whether it stops the line."""
        return self.severity is Severity.ERROR


class PipelineError(Exception):
    """Everything that one stage found wrong; *screen* is how it reads, with the lines of the files."""

    def __init__(self, diagnostics: Iterable[Diagnostic], *, screen: str | None = None) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(screen or "; ".join(f"{d.code}: {d.summary}" for d in self.diagnostics))


def did_you_mean(name: str, known: Iterable[str], *, label: str = "known") -> str | None:
    """Return a hint that names the closest of *known*, else the first few of them."""
    names: Sequence[str] = sorted(set(known))
    if close := closest(name, names):
        return f"did you mean {close!r}?"
    if not names:
        return None
    shown = ", ".join(names[:8])
    return f"{label}: {shown}{', …' if len(names) > 8 else ''}"


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the one of *known* that *name* was probably meant to be."""
    if len(name) > _MAX_NAME:
        return None
    wanted = name.lower()
    lower = {k.lower(): k for k in known if len(k) <= 3 * len(name) and len(name) <= 3 * len(k)}
    names = list(lower)
    if len(names) > 4 * _NEIGHBOURS:  # comparing is slow: of many, only those that start or end alike
        backwards = _neighbours(wanted[::-1], (n[::-1] for n in names))
        names = sorted({*_neighbours(wanted, names), *(n[::-1] for n in backwards)})
    found = get_close_matches(wanted, names, n=1, cutoff=0.6)
    return lower[found[0]] if found else None


def _neighbours(name: str, names: Iterable[str]) -> list[str]:
    ordered = sorted(names)
    place = bisect(ordered, name)
    return ordered[max(0, place - _NEIGHBOURS) : place + _NEIGHBOURS]
