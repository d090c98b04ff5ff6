"""Lists in pages, as the services give them: a token that says nothing, and small pages unless more is asked for."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tests.aws.errors import ServiceError

T = TypeVar("T")
DEFAULT_SIZE = 10


def page(
    found: Sequence[T], members: dict[str, Any], *, size: int = DEFAULT_SIZE
) -> tuple[Sequence[T], dict[str, str]]:
    """Return the asked page of *found* and the token of the next one, as a member of the answer."""
    start = _start(members.get("NextToken"), len(found))
    end = start + members.get("MaxResults", size)
    more = {"NextToken": base64.b64encode(f"page:{end}".encode()).decode()} if end < len(found) else {}
    return found[start:end], more


def ordered(found: Sequence[T], members: dict[str, Any], key: Callable[[T], Any]) -> list[T]:
    """Return *found* sorted by *key*, the latest first unless SortOrder says otherwise."""
    return sorted(found, key=key, reverse=members.get("SortOrder", "Descending") == "Descending")


def _start(token: str | None, most: int) -> int:
    if not token:
        return 0
    try:
        word, _, number = base64.b64decode(token, validate=True).decode().partition(":")
        start = int(number) if word == "page" else most + 1
    except (binascii.Error, ValueError):
        start = most + 1
    if start > most:
        raise ServiceError("ValidationException", f'Invalid pagination token because "{token}".')
    return start
