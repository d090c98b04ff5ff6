"""Moments as people write them on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_PAST = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def read_moment(text: str) -> datetime:
    """Return the moment that `10m` (ago) or `2026-01-31T12:00` (of here, or with an offset) means, else ValueError."""
    if match := _PAST.fullmatch(text):
        return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no time: write 10m, 2h, 1d, or 2026-01-31T12:00") from None
