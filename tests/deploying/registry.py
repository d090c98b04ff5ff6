"""A registry of images over HTTP, small enough for pushes and pulls (OCI Distribution Specification 1.1)."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


class Pushed:
    """What a registry was given: blobs by their digest, manifests by `repository:tag`.

    *login* is the `user:password` that it wants. *damaged* lets blobs end early, *pause* is in seconds before each
    tenth of a blob. *asked* counts the manifests that were asked for.
    """

    def __init__(self) -> None:
        self.login: str | None = None
        self.damaged = False
        self.pause = 0.0
        self.asked: Counter[str] = Counter()
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self.port = 0

    def add(self, repository: str, tag: str, content: bytes, architecture: str = "amd64") -> str:
        """Keep an image with one file, `/bin/sh`, which it runs; return its whole name."""
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as tar:
            entry = tarfile.TarInfo("bin/sh")
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
        layer = gzip.compress(plain.getvalue(), 1, mtime=0)
        facts = {
            "architecture": architecture,
            "os": "linux",
            "config": {"Cmd": ["/bin/sh"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(plain.getvalue())]},
        }
        config = json.dumps(facts).encode()
        for blob in (layer, config):
            self.blobs[_digest(blob)] = blob
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "size": len(config), "digest": _digest(config)},
            "layers": [{"mediaType": LAYER, "size": len(layer), "digest": _digest(layer)}],
        }
        self.manifests[f"{repository}:{tag}"] = json.dumps(manifest).encode()
        return f"127.0.0.1:{self.port}/{repository}:{tag}"

    def manifest(self, repository: str, reference: str) -> bytes | None:
        """Return a manifest by its tag or digest."""
        if reference.startswith("sha256:"):
            return next((m for m in self.manifests.values() if _digest(m) == reference), None)
        self.asked[f"{repository}:{reference}"] += 1
        return self.manifests.get(f"{repository}:{reference}")


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


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
            if pushed.login and self.headers.get("Authorization") != f"Basic {_basic(pushed.login)}":
                self._answer(401, WWW_Authenticate='Basic realm="registry"')
            elif self.path == "/v2/":
                self._answer(200)
            elif kind == "blobs" and name in pushed.blobs:
                self._blob(pushed.blobs[name])
            elif kind == "manifests" and (found := pushed.manifest(self.path[4:].rsplit("/", 2)[0], name)):
                self._answer(200, found, Content_Type=MANIFEST, Docker_Content_Digest=_digest(found))
            elif kind == "manifests":
                self._answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}')
            else:
                self._answer(404)

        def _blob(self, content: bytes) -> None:
            if self.command == "HEAD" or not (pushed.damaged or pushed.pause):
                self._answer(200, content)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            piece = len(content) // 10 + 1
            for start in range(0, len(content), piece):
                time.sleep(pushed.pause)
                part = content[start : start + piece]
                self.wfile.write(b"x" * len(part) if pushed.damaged else part)

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
                self._answer(201, Docker_Content_Digest=_digest(content))
                return
            content = pushed.uploads.pop(path.rsplit("/", 1)[1]) + self._body()
            digest = _digest(content)
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


def _basic(login: str) -> str:
    return base64.b64encode(login.encode()).decode()
