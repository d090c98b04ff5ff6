"""Patterns of the service's models, which are Java's: whether a text can match one, in limited time."""

from __future__ import annotations

from functools import cache

import regex

from buzzflow.backends.sagemaker.service.placeholders import KnownText

_LONGEST = 0.05  # seconds for one text: some patterns take exponential time
# Python has no pairs of surrogates; and what is left of \u10000-\u10FFFF in EMR Serverless' model.
_BEYOND = r"\U00010000-\U0010FFFF"
_READ_AS = {r"\uD800\uDC00-\uDBFF\uDFFF": _BEYOND, "\u10000-\u10ffFF": _BEYOND}


def can_match(pattern: str, text: KnownText) -> bool:
    """Whether *text* matches all of *pattern*, or may once the rest is known; true when that takes too long to say."""
    compiled = readable(pattern)
    partial = not text.whole
    if compiled is None or (partial and "(?" in pattern.replace("(?:", "")):  # looking around needs all of the text
        return True
    try:
        return compiled.fullmatch(text.start, partial=partial, timeout=_LONGEST) is not None
    except TimeoutError:
        return True


@cache
def readable(pattern: str) -> regex.Pattern[str] | None:
    r"""Return *pattern* for Python, or nothing if Python cannot read it.

    In Java `\d` and `\w` are ASCII and `\p{L}` is not; the ASCII flag narrows all, so it is for patterns without `\p`.
    """
    for java, python in _READ_AS.items():
        pattern = pattern.replace(java, python)
    try:
        return regex.compile(pattern, 0 if r"\p{" in pattern else regex.ASCII)
    except regex.error:
        return None
