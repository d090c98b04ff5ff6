"""The HTTP server: reads requests, lets the account answer them, and breaks what comes back as a fault demands."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.aws.exchange import Request, Response
from tests.aws.faults import Fault

_METHODS = ("GET", "PUT", "POST", "DELETE", "HEAD", "PATCH")


@dataclass(frozen=True)
class Reply:
    """What to do with a connection: send *response*, or what the *fault* leaves of it."""

    response: Response | None
    fault: Fault | None = None


class Server:
    """Listens on a port of 127.0.0.1 and asks *answer* in one thread for each connection."""

    def __init__(self, answer: Callable[[Request], Reply], hang_seconds: Callable[[], float]) -> None:
        self._closing = threading.Event()
        handler = type(
            "Handler",
            (_Handler,),
            {
                "ask": staticmethod(answer),
                "hang_seconds": staticmethod(hang_seconds),
                "closing": self._closing,
                **{f"do_{method}": _Handler.respond for method in _METHODS},
            },
        )
        self._server = _Listener(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def broken(self) -> list[BaseException]:
        """What went wrong in the fake itself, or in moto, while it answered."""
        return self._server.broken

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.broken: list[BaseException] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep what is a mistake of the fake; clients that hang up, as killed ones do, are none."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError):
            self.broken.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "AmazonS3"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    ask: Callable[[Request], Reply]
    hang_seconds: Callable[[], float]
    closing: threading.Event

    def respond(self) -> None:
        request = self._read()
        reply = self.ask(request)
        match reply.fault:
            case None:
                assert reply.response is not None
                self._write(self._head(reply.response) + self._body(reply.response))
            case Fault.RESET:
                self._reset()
            case Fault.HANG:
                self.closing.wait(self.hang_seconds())
                self._close()
            case Fault.TRUNCATED:
                assert reply.response is not None
                self._write(self._cut(reply.response))
                self._close()
            case _:
                self._close()

    def handle_expect_100(self) -> bool:
        """Send "100 Continue" at once: clients of S3 wait a second for it before they send the body."""
        self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep quiet: the record of calls says more."""

    def _read(self) -> Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        return Request(self.command, self.path, headers, body, self.client_address[1])

    def _head(self, response: Response) -> bytes:
        headers = {k: v for k, v in response.headers.items() if k.lower() not in ("connection", "date")}
        if self.command == "HEAD" or response.status in (204, 304):
            headers = {k: v for k, v in headers.items() if k.lower() != "content-length" or self.command == "HEAD"}
        else:
            headers = {k: v for k, v in headers.items() if k.lower() != "content-length"}
            headers["Content-Length"] = str(len(response.body))
        headers["Date"] = self.date_time_string()
        reason = self.responses.get(response.status, ("",))[0]
        lines = [f"HTTP/1.1 {response.status} {reason}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def _body(self, response: Response) -> bytes:
        return b"" if self.command == "HEAD" else response.body

    def _cut(self, response: Response) -> bytes:
        """Return half of the body; where there is none, a few letters of the status line."""
        body = self._body(response)
        return self._head(response) + body[: len(body) // 2] if body else b"HTTP/1.1"

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # the client has gone
            self.wfile.write(data)
            self.wfile.flush()

    def _close(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _reset(self) -> None:
        """Close with RST instead of FIN: SO_LINGER with a time of zero (socket(7))."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
