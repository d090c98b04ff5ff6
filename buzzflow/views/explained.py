"""Where a value comes from, and the page of a code, as people read them and as data."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Sequence
from typing import Any

from buzzflow.diagnostics import Span
from buzzflow.loader.rungs import Explained, Rung
from buzzflow.loader.secret_shapes import without_secrets

WIDTH = 80
_BOLD, _CYAN, _DIM, _OFF = "\x1b[1m", "\x1b[36m", "\x1b[2m", "\x1b[0m"
_LONGEST = 60


def values(explained: Sequence[Explained], *, colour: bool = False) -> str:
    """Return the ladder of one value, or of several a line for each with the place that won."""
    if len(explained) == 1:
        return _ladder(explained[0], colour=colour)
    rows = []
    for one in explained:
        won = next((r for r in one.rungs if r.wins), None)
        rows.append((dotted(one), _cut(_value(one)), "" if won is None else _source(won)))
    return "\n".join(_aligned(rows, ["", "", ""]))


def _ladder(one: Explained, *, colour: bool) -> str:
    head = f"{dotted(one)}: {_value(one)}"
    lines = [f"{_BOLD}{head}{_OFF}" if colour else head]
    if one.rungs:
        rows = [
            (f"> {r.layer}" if r.wins else f"  {r.layer}", _cut(_shown(one, r.written)), place(r.span))
            for r in one.rungs
        ]
        paints = [_BOLD if r.wins else _DIM for r in one.rungs]
        lines += ["", *_aligned(rows, paints if colour else [""] * len(rows))]
    if one.answers:
        rows = [(f"  {a.reference}", _cut(a.value), place(a.span)) for a in one.answers]
        lines += ["", *_aligned(rows, [""] * len(rows))]
    return "\n".join(lines)


def _aligned(rows: Sequence[tuple[str, str, str]], paints: Sequence[str]) -> list[str]:
    if not rows:
        return []
    first, second = (max(len(row[i]) for row in rows) for i in (0, 1))
    lines = [f"{a:<{first}}  {b:<{second}}  {c}".rstrip() for a, b, c in rows]
    painted = [*paints, *[""] * len(lines)]
    return [f"{p}{line}{_OFF}" if p else line for p, line in zip(painted, lines, strict=False)]


def dotted(one: Explained) -> str:
    """Return the path as people write it."""
    return ".".join(map(str, one.path))


def _value(one: Explained) -> str:
    if one.value is None and not any(r.wins for r in one.rungs):
        return "not set"
    told = one.value if isinstance(one.value, str) else json.dumps(one.value, ensure_ascii=False)
    return _shown(one, told)


def _shown(one: Explained, text: str) -> str:
    """Return *text* without a secret, as a line of the file would show it."""
    key = f"{one.path[-1]}: "
    return without_secrets(key + text, yaml=True).removeprefix(key)


def _cut(text: str) -> str:
    line = without_secrets(text.replace("\n", " "))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _source(rung: Rung) -> str:
    return rung.layer if rung.span is None else f"{place(rung.span)}  ({rung.layer})"


def place(span: Span | None) -> str:
    """Return `pipeline.yaml:3:5`, or `--set` with its path."""
    if span is None:
        return ""
    return span.file if span.file.startswith("--set ") else f"{span.file}:{span.line}:{span.column}"


def as_data(explained: Sequence[Explained]) -> list[dict[str, Any]]:
    """Return the same as JSON can hold it."""
    return [
        {
            "path": list(one.path),
            "value": _shown(one, one.value) if isinstance(one.value, str) else one.value,
            "set": any(r.wins for r in one.rungs),
            "rungs": [
                {"layer": r.layer, "written": _shown(one, r.written), "wins": r.wins, **_span(r.span)}
                for r in one.rungs
            ],
            "answers": [
                {"reference": a.reference, "written": without_secrets(a.value), **_span(a.span)} for a in one.answers
            ],
        }
        for one in explained
    ]


def _span(span: Span | None) -> dict[str, Any]:
    if span is None:
        return {"file": None, "line": None, "column": None}
    return {"file": span.file, "line": span.line, "column": span.column}


# ------------------------------------------------------------------ codes


def page(code: str, text: str, *, colour: bool = False) -> str:
    """Return the page of *code* for a terminal; *text* is its section in Markdown. Screens stay as they are."""
    blocks = [f"{_BOLD}{code}{_OFF}" if colour else code]
    for i, part in enumerate(re.split(r"```\w*\n(.*?)```", text, flags=re.DOTALL)):
        if i % 2:
            blocks.append(textwrap.indent(part.rstrip(), "    "))
        else:
            blocks += (_paragraph(p, colour=colour) for p in part.split("\n\n") if p.strip())
    return "\n\n".join(blocks)


def _paragraph(text: str, *, colour: bool) -> str:
    plain = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", " ".join(text.split()))
    wrapped = textwrap.fill(plain, WIDTH, break_long_words=False, break_on_hyphens=False)
    return re.sub(r"`([^`]+)`", rf"{_CYAN}\1{_OFF}", wrapped) if colour else wrapped
