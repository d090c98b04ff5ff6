"""Moto in this process: requests go to the application of its server without another connection."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.logs.models import LogsBackend, logs_backends
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from moto.scheduler.models import scheduler_backends

from tests.aws.errors import ServiceError
from tests.aws.exchange import Request, Response


class Moto:
    """Answers what the fake does not answer itself.

    One request at a time: moto's backends are plain dictionaries, which two threads would tear.
    """

    def __init__(self, account: str) -> None:
        self._account = account
        self._app = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.RLock()

    def reset(self) -> None:
        with self._lock:
            BackendDict.reset()
            reset_model_data()
            mock_random.seed(7)

    def answer(self, request: Request) -> Response:
        with self._lock:
            return self._answer(request)

    def bucket_owner(self, bucket: str) -> str | None:
        """Return the account whose bucket it is, or None where there is no such bucket."""
        with self._lock:
            _, owner = s3_backends.bucket_accounts.get(bucket, ("", None))
            return owner

    def has_object(self, bucket: str, key: str) -> bool:
        with self._lock:
            return self.bucket_owner(bucket) is not None and self._s3().get_object(bucket, key) is not None

    def read_object(self, bucket: str, key: str) -> str:
        """Return the text of an object, or raise what SageMaker says when it cannot read it."""
        with self._lock:
            if not self.has_object(bucket, key):
                raise ServiceError("ValidationException", f"Unable to read s3://{bucket}/{key}: no such object.")
            return str(self._s3().get_object(bucket, key).value.decode())

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Return the contents of a bucket by key."""
        with self._lock:
            found = self._s3().buckets[bucket].keys
            return {key: found[key].value for key in found}

    def make_bucket(self, name: str, region: str, owner: str) -> None:
        with self._lock:
            s3_backends[owner]["aws"].create_bucket(name, region)

    def has_schedule_group(self, region: str, name: str) -> bool:
        with self._lock:
            return name in scheduler_backends[self._account][region].schedule_groups

    def write_log(self, region: str, group: str, stream: str, events: Iterable[tuple[int, str]]) -> None:
        """Append *events*, of milliseconds since the epoch and text, to a log stream; make what is missing."""
        with self._lock:
            logs: LogsBackend = logs_backends[self._account][region]
            if group not in logs.groups:
                logs.create_log_group(group, {})
            if stream not in logs.groups[group].streams:
                logs.create_log_stream(group, stream)
            found = [{"timestamp": at, "message": text} for at, text in events]
            if found:
                logs.put_log_events(group, stream, found)

    def _s3(self) -> Any:
        return s3_backends[self._account]["aws"]

    def _answer(self, request: Request) -> Response:
        found: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            found.extend((int(status.split(" ", 1)[0]), headers))

        answer = self._app(self._environ(request), start_response)
        try:
            body = b"".join(answer)
        finally:
            if close := getattr(answer, "close", None):
                close()
        status, headers = found
        return Response(status, dict(headers), body)

    def _environ(self, request: Request) -> dict[str, Any]:
        parts = urlsplit(request.target)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": request.path.encode().decode("latin-1"),
            "QUERY_STRING": parts.query,
            "RAW_URI": request.target,
            "REQUEST_URI": request.target,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "HTTP_X_MOTO_ACCOUNT_ID": self._account,
        }
        for name, value in request.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        environ["CONTENT_LENGTH"] = str(len(request.body))
        return environ
