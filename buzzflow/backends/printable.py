"""What a step prints, made harmless: it must not move the cursor of who reads it."""

from __future__ import annotations

import re

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
# control characters but the tab, other ends of lines, what turns the direction of the text around, and halves of
# characters, which nothing can print
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Return *text* without terminal control sequences: a step's log must not move the reader's cursor."""
    return _CONTROL.sub("", _ANSI.sub("", text))
