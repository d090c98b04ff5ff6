"""Idempotency tokens: the same request with the same token has one effect and one answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from tests.aws.errors import ServiceError
from tests.aws.exchange import Response


class Tokens:
    """The answers given to requests with a token, by operation and token.

    "An idempotent operation completes no more than one time" (ClientRequestToken in SageMaker's API reference). The
    reference does not say for how long, nor what another request with a used token meets; this is the harder reading:
    for ever, even after what was made is deleted, and a ConflictException.
    """

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], tuple[str, Response]] = {}
        self._lock = threading.RLock()

    def clear(self) -> None:
        with self._lock:
            self._answers.clear()

    def once(self, operation: str, token: str, members: Any, act: Callable[[], Response]) -> Response:
        """Return what *act* answers, or answered before to the same token; a refusal is not kept."""
        with self._lock:
            asked = json.dumps(members, sort_keys=True)
            if token and (known := self._answers.get((operation, token))):
                if known[0] != asked:
                    raise ServiceError("ConflictException", f"Token {token} was used with other parameters.", 409)
                return known[1]
            answer = act()
            if token and answer.status < 300:
                self._answers[operation, token] = asked, answer
            return answer
