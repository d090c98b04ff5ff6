"""A container's output as it comes, across streams that break."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from buzzflow.backends.local.containers.api import Client

_AGAIN_SECONDS = 0.2
_QUIET_SECONDS = 5.0  # after the end, output that stays away this long is given up
_TAIL_BYTES = 2000


class LogReader:
    """Hands a container's output to *log* from a thread of its own.

    The end of the stream is not the end of the step, as it also ends when the daemon does: `ended` only says that it
    is time to look. Each message comes with its time, from which a new stream goes on: nothing is lost or repeated.
    """

    def __init__(self, client: Client, container: str, log: Callable[[bytes], None]) -> None:
        self._client, self._container, self._log = client, container, log
        self._last = ""  # RFC 3339 with nine digits, so text order is time order
        self._count_at_last = 0  # the parts of a long line share one time
        self._last_came = time.monotonic()
        self._is_over = threading.Event()  # the container has ended
        self._stream: Any = None
        self.ended = threading.Event()
        self.failure: BaseException | None = None  # of *log* itself
        self.tail = b""
        self._thread = threading.Thread(target=self._read, name="buzzflow-log", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Take what is still to come of a container that has ended, then stop."""
        self._is_over.set()
        self._last_came = time.monotonic()
        while self._thread.is_alive() and time.monotonic() - self._last_came < _QUIET_SECONDS:
            self._thread.join(0.1)
        self.abandon()

    def abandon(self) -> None:
        """Stop at once."""
        self._is_over.set()
        stream = self._stream
        if self._thread.is_alive() and stream is not None:
            with contextlib.suppress(Exception):
                stream.close()
            self._thread.join(1)

    def _read(self) -> None:
        while True:
            was_over = self._is_over.is_set()
            with contextlib.suppress(Exception):  # a broken stream; whether the step lives is for others to find out
                self._read_stream()
            self.ended.set()
            if was_over or self.failure is not None:
                return
            self._is_over.wait(_AGAIN_SECONDS)

    def _read_stream(self) -> None:
        resumed, repeated = self._last, self._count_at_last
        self._stream = self._client.api.logs(
            self._container, stream=True, follow=True, timestamps=True, since=_seconds(resumed)
        )
        try:
            for message in self._stream:
                stamp, _, content = message.partition(b" ")
                at = stamp.decode("ascii", errors="replace")
                if at < resumed:
                    continue
                if at == resumed and repeated:
                    repeated -= 1
                    continue
                self._count_at_last = self._count_at_last + 1 if at == self._last else 1
                self._last, self._last_came = at, time.monotonic()
                self._take(content)
                if self.failure is not None:
                    return
        finally:
            with contextlib.suppress(Exception):  # the SDK shuts its innermost socket down, in whatever state that is
                self._stream.close()
            if (response := getattr(self._stream, "_response", None)) is not None:
                response.close()  # the stream leaves that to the garbage collector

    def _take(self, content: bytes) -> None:
        self.tail = (self.tail + content)[-_TAIL_BYTES:]
        try:
            self._log(content)
        except BaseException as e:  # noqa: BLE001 - raised again where the step runs
            self.failure = e


def _seconds(stamp: str) -> float | None:
    """Return *stamp* in seconds, a little earlier: a float cannot hold the nanoseconds."""
    return datetime.fromisoformat(stamp).timestamp() - 0.001 if stamp else None
