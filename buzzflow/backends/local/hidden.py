"""Hide the values of secrets in what a step says: as they are, and as programs usually write them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection
from urllib.parse import quote, quote_plus

from buzzflow.backends.local import plan

MASK = "***"
_SHORTEST_LINE = 6  # of a secret of several lines; shorter ones, such as `-----`, would hide half a log


def secret_values(container: plan.Container) -> tuple[str, ...]:
    """Return the values that the shell gives for the secrets of a step."""
    return tuple(os.environ[variable] for variable in container.secrets if variable in os.environ)


class Hidden:
    """Knows some secrets, and puts `***` where one of them stands."""

    def __init__(self, secrets: Collection[str]) -> None:
        forms = {form for secret in secrets if secret.strip() for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._text = re.compile("|".join(map(re.escape, longest_first))) if forms else None
        self._bytes = re.compile("|".join(map(re.escape, longest_first)).encode()) if forms else None

    def __bool__(self) -> bool:
        return self._text is not None

    def text(self, text: str) -> str:
        """Return *text* without secrets."""
        return text if self._text is None else self._text.sub(MASK, text)

    def bytes(self, data: bytes) -> bytes:
        """Return UTF-8 text without secrets."""
        return data if self._bytes is None else self._bytes.sub(MASK.encode(), data)


def _forms(secret: str) -> set[str]:
    """Return *secret* as it is, each of its lines, and each as JSON, Python and addresses write it."""
    lines = [line.strip() for line in secret.splitlines()]
    parts = {secret, secret.strip(), *(line for line in lines if len(line) >= _SHORTEST_LINE)}
    written = {form for part in parts for form in (json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1])}
    written |= {repr(part)[1:-1] for part in parts}
    written |= {form(part) for part in parts for form in (quote, quote_plus, lambda text: quote(text, safe=""))}
    return parts | written
