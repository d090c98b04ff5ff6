"""Talk to a model's container: wait until it is there, and send it requests.

Source: Amazon SageMaker AI Developer Guide, "Use Your Own Inference Code with Batch Transform".
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

_PING_SECONDS = 2.0  # the service gives a health check two seconds
_PAUSE_SECONDS = 0.1
_MOST_ANSWER = 512 * 1024 * 1024


class ModelError(Exception):
    """The model's container does not answer as one must; the text says why."""


class Model:
    """The server in a model's container, at *address*."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address

    def wait(self, seconds: float, gone: threading.Event) -> bool:
        """Wait until `GET /ping` answers 200; False when *gone* is set before, ModelError after *seconds*."""
        give_up = time.monotonic() + seconds
        last = "it does not listen on port 8080"
        while not gone.is_set():
            try:
                status, _ = self._request("GET", "/ping", None, {}, _PING_SECONDS)
            except (OSError, http.client.HTTPException) as e:
                last = last if isinstance(e, ConnectionError) else str(e)
            else:
                if status == 200:
                    return True
                last = f"/ping answers {status}"
            if time.monotonic() >= give_up:
                raise ModelError(f"the model is not ready after {seconds:.0f} s: {last}")
            gone.wait(_PAUSE_SECONDS)
        return False

    def parameters(self) -> Mapping[str, Any]:
        """Return what the container itself asks for; nothing when it does not say."""
        try:
            status, body = self._request("GET", "/execution-parameters", None, {}, _PING_SECONDS)
            found = json.loads(body) if status == 200 else {}
        except (OSError, http.client.HTTPException, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def invoke(self, body: bytes, headers: Mapping[str, str], seconds: float) -> bytes:
        """Return the answer to one request."""
        try:
            status, answer = self._request("POST", "/invocations", body, headers, seconds)
        except TimeoutError:
            raise ModelError(f"the model did not answer a request within {seconds:.0f} s") from None
        except (OSError, http.client.HTTPException) as e:
            raise ModelError(f"the model broke off a request: {e or type(e).__name__}") from None
        if status != 200:
            said = answer[:200].decode("utf-8", "replace").strip()
            raise ModelError(f"the model answered {status} to a request{f': {said}' if said else ''}")
        return answer

    def _request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], seconds: float
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self._address, timeout=seconds)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            content = response.read(_MOST_ANSWER + 1)
        finally:
            connection.close()
        if len(content) > _MOST_ANSWER:
            raise http.client.HTTPException("its answer has more than 512 MiB")
        return response.status, content
