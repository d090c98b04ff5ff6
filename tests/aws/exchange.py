"""A request and its answer, as the parts of the fake hand them to each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """What came over the wire; *headers* have lower-case names, *port* is the client's."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    port: int = 0

    @property
    def raw_path(self) -> str:
        return urlsplit(self.target).path

    @property
    def path(self) -> str:
        return unquote(self.raw_path)

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def json(self) -> Any:
        return json.loads(self.body or b"{}")


@dataclass(frozen=True)
class Response:
    """What goes back; the server adds Content-Length and Date."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of_json(cls, data: Any, version: str = "1.1") -> Response:
        return cls(200, {"Content-Type": f"application/x-amz-json-{version}"}, json.dumps(data).encode())
