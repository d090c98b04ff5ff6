"""Diagnostics as text for people, and as data for programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from buzzflow.diagnostics import Diagnostic, Severity, Span
from buzzflow.loader.secret_shapes import hidden, mask, without_secrets

_COLOURS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m"}
_BLUE, _BOLD, _OFF = "\x1b[34m", "\x1b[1m", "\x1b[0m"
MAX_SOURCE = 160
AFTER_MARK = 40  # of a long line, so much is shown behind the mark
_SECRETS = frozenset(("BF160",))


def human(diagnostics: Iterable[Diagnostic], line_of: Callable[[Span], str | None], *, colour: bool = False) -> str:
    """Return the diagnostics with their source lines; *line_of* gives the text of a span's line."""
    shown = map(without_values, diagnostics)
    return "\n\n".join(_one(d, line_of(d.span) if d.span else None, colour=colour) for d in shown)


def without_values(diagnostic: Diagnostic) -> Diagnostic:
    """Return the diagnostic with what looks like a secret masked, whatever it is about."""
    quotes_a_line = diagnostic.code == "BF110"
    hint = None if diagnostic.hint is None else without_secrets(diagnostic.hint, yaml=quotes_a_line)
    return replace(diagnostic, summary=without_secrets(diagnostic.summary), hint=hint)


def _one(diagnostic: Diagnostic, source: str | None, *, colour: bool) -> str:
    def paint(code: str, text: str) -> str:
        return f"{code}{text}{_OFF}" if colour else text

    head = paint(_COLOURS[diagnostic.severity], f"{diagnostic.severity}[{diagnostic.code}]")
    lines = [f"{head}: {paint(_BOLD, diagnostic.summary)}"]
    if (span := diagnostic.span) is not None:
        place = f"{span.file}:{span.line}:{span.column}" if is_file(span) else span.file
        lines.append(f"  {paint(_BLUE, '-->')} {place}")
        if source is not None:
            lines += _excerpt(*_masked(diagnostic, span, source), paint)
    if diagnostic.path:
        lines.append(f"  at: {dotted(diagnostic)}")
    if diagnostic.note:
        lines.append(f"  note: {diagnostic.note}")
    if diagnostic.hint:
        lines.append(f"  {paint(_BOLD, 'help')}: {diagnostic.hint}")
    return "\n".join(lines)


def is_file(span: Span) -> bool:
    """Whether the place is in a file; what `--set` gives has none."""
    return not span.file.startswith("--set ")


def _masked(diagnostic: Diagnostic, span: Span, source: str) -> tuple[Span, str]:
    """Return the line without secrets, and the place of the mark in what is left of it."""
    at = span.column - 1
    parts = hidden(source, yaml=True)
    masked_here = any(at < end and not re.search(r"[\s,]", source[at:start]) for start, end in parts)
    if diagnostic.code in _SECRETS and not masked_here:
        start = at + (source[at : at + 1] in ("'", '"'))  # a secret by its place: no look tells where it ends
        parts = [part for part in parts if part[1] <= at] + [(start, len(source))]
    pieces, end, column = [], 0, at
    for start, stop in parts:
        masked = mask(source[start:stop])
        pieces += [source[end:start], masked]
        if stop <= at:
            column -= stop - start - len(masked)
        elif start < at:
            column -= at - start
        end = stop
    return replace(span, column=column + 1), "".join([*pieces, source[end:]])


def _excerpt(span: Span, source: str, paint: Callable[[str, str], str]) -> list[str]:
    """Return the source line and a mark under the column; of a long line the part around it."""
    start = max(0, span.column - MAX_SOURCE + AFTER_MARK) if span.column > MAX_SOURCE - AFTER_MARK else 0
    start = min(start, max(0, len(source) - MAX_SOURCE))
    shown = source[start : start + MAX_SOURCE].replace("\t", " ")
    number = str(span.line)
    mark = " " * (span.column - 1 - start) + paint(_COLOURS[Severity.ERROR], "^")
    bar = paint(_BLUE, "|")
    return [f"  {paint(_BLUE, number)} {bar} {shown}", f"  {' ' * len(number)} {bar} {mark}"]


def dotted(diagnostic: Diagnostic) -> str:
    """Return the path of a diagnostic as people write it."""
    return ".".join(map(str, diagnostic.path))


def as_data(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Return the diagnostics as JSON can hold them."""
    return [
        {
            "code": d.code,
            "severity": d.severity.value,
            "summary": d.summary,
            "hint": d.hint,
            "note": d.note,
            "path": list(d.path),
            "file": d.span.file if d.span else None,
            "line": d.span.line if d.span else None,
            "column": d.span.column if d.span else None,
        }
        for d in map(without_values, diagnostics)
    ]


def count(diagnostics: Iterable[Diagnostic]) -> str:
    """Return how many there are: `2 errors, 1 warning`."""
    severities = [d.severity for d in diagnostics]
    counts = [(n, s) for s in Severity if (n := severities.count(s))]
    return ", ".join(f"{n} {s}{'s' if n > 1 else ''}" for n, s in counts)
