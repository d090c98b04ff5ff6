"""A registry of images over HTTP, small enough for a push (OCI Distribution Specification 1.1, "Push")."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Pushed:
    """What a registry was given: blobs by their digest, manifests by `repository:tag`, and the logins that it saw."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self.port = 0


@contextmanager
def registry() -> Iterator[Pushed]:
    pushed = Pushed()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") == "chunked":
                found = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    found += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return found
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def do_GET(self) -> None:
            kind, name = self.path.split("/")[-2:]
            if self.path == "/v2/":
                self._answer(200)
            elif kind == "blobs" and name in pushed.blobs:
                self._answer(200, pushed.blobs[name])
            else:
                self._answer(404)

        do_HEAD = do_GET  # noqa: N815  # what http.server calls it

        def do_POST(self) -> None:
            self._body()
            upload = uuid.uuid4().hex
            pushed.uploads[upload] = b""
            self._answer(202, Location=f"{self.path.rstrip('/')}/{upload}", Range="0-0", Docker_Upload_UUID=upload)

        def do_PATCH(self) -> None:
            upload = self.path.split("?")[0].rsplit("/", 1)[1]
            pushed.uploads[upload] += self._body()
            last = max(len(pushed.uploads[upload]) - 1, 0)
            self._answer(202, Location=self.path, Range=f"0-{last}", Docker_Upload_UUID=upload)

        def do_PUT(self) -> None:
            path, _, query = self.path.partition("?")
            if "/manifests/" in path:
                content = self._body()
                repository, _, tag = path.removeprefix("/v2/").partition("/manifests/")
                pushed.manifests[f"{repository}:{tag}"] = content
                self._answer(201, Docker_Content_Digest=f"sha256:{hashlib.sha256(content).hexdigest()}")
                return
            content = pushed.uploads.pop(path.rsplit("/", 1)[1]) + self._body()
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            assert digest.replace(":", "%3A") in query or digest in query
            pushed.blobs[digest] = content
            self._answer(201, Docker_Content_Digest=digest)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pushed.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield pushed
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
