"""A strict AWS over HTTP: moto behind an overlay that refuses what the services refuse, and breaks when told to.

What a test may lean on: the errors' codes and shapes, that conditional writes exclude each other, that a token has one
effect, and that an answer has the members of botocore's model. What it may not: the exact text of most refusals, and
permissions, of which there are none unless a fault denies one.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config

from tests.aws import errors
from tests.aws.calls import Call, Calls
from tests.aws.client_process import send_signal
from tests.aws.clock import Clock
from tests.aws.errors import ServiceError, Trouble
from tests.aws.exchange import Request, Response
from tests.aws.faults import Fault, Faults
from tests.aws.moto_app import Moto
from tests.aws.operations import Operation, Unsigned, identify
from tests.aws.s3 import S3
from tests.aws.sagemaker.pipelines import Pipeline
from tests.aws.sagemaker.scripts import StepScript
from tests.aws.sagemaker.service import SageMaker
from tests.aws.scheduler import Scheduler
from tests.aws.wire import Reply, Server

ACCOUNT = "111122223333"
REGION = "us-west-2"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
_TROUBLES: dict[Fault, Trouble] = {
    Fault.THROTTLE: "throttle",
    Fault.INTERNAL: "internal",
    Fault.UNAVAILABLE: "unavailable",
    Fault.EXPIRED_TOKEN: "expired_token",
    Fault.ACCESS_DENIED: "access_denied",
    Fault.CONFLICT: "conflict",
}
_SIGNALS = {
    Fault.KILL_AFTER: signal.SIGKILL,
    Fault.TERMINATE: signal.SIGTERM,
    Fault.INTERRUPT: signal.SIGINT,
}
_ANSWERED = _TROUBLES.keys() | {Fault.TERMINATE, Fault.INTERRUPT}


class FakeAws:
    """An account at *url*, its faults, the record of its calls, and what its pipelines are to do.

    *latency* is how many seconds at most each request, and each answer, is under way: at random, as on a network.
    """

    def __init__(self, account: str = ACCOUNT, region: str = REGION) -> None:
        self.account = account
        self.region = region
        self.calls = Calls()
        self.faults = Faults()
        self.clock = Clock()
        self.latency = 0.0
        self._moto = Moto(account)
        self._s3 = S3(self._moto, account)
        self._scheduler = Scheduler(self._moto)
        self._sagemaker = SageMaker(self._moto, self.clock, account)
        self._server = Server(self._reply, lambda: self.faults.hang_seconds)
        self._clients: dict[tuple[str, int], Any] = {}
        self._session_lock = threading.Lock()

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def env(self) -> dict[str, str]:
        """What a child process needs so that it finds this account and nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, *, attempts: int = 1) -> Any:
        """Return a boto3 client of *service*, which tries each call so often."""
        with self._session_lock:
            if (service, attempts) not in self._clients:
                session: Any = boto3.Session(KEY_ID, SECRET_KEY, region_name=self.region)
                config = Config(retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=10)
                self._clients[service, attempts] = session.client(service, endpoint_url=self.url, config=config)
            return self._clients[service, attempts]

    def reset(self) -> None:
        """Forget all resources, calls, faults, scripts and time shifts."""
        for part in (self._moto, self._s3, self._scheduler, self._sagemaker, self.clock):
            part.reset()
        self.latency = 0.0
        self.faults.clear()
        self.calls.clear()
        self.broken.clear()

    def make_bucket(self, name: str, *, owner: str = "") -> str:
        """Make a bucket without a call that would be recorded, and return its name."""
        self._moto.make_bucket(name, self.region, owner or self.account)
        return name

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Return all objects of a bucket by key, without a call that would be recorded."""
        return self._moto.objects(bucket)

    def will_run(self, scripts: Mapping[str, StepScript], pipeline: str = "") -> None:
        """Let executions started or retried from now on go by *scripts*; steps without one succeed at once."""
        self._sagemaker.will_run(scripts, pipeline)

    def pipeline(self, name: str) -> Pipeline | None:
        """Return what is deployed under *name*, without a call that would be recorded."""
        return self._sagemaker.pipeline(name, self.region)

    @property
    def executions(self) -> list[Any]:
        """All executions, without a call that would be recorded."""
        return self._sagemaker.executions()

    @property
    def broken(self) -> list[BaseException]:
        """Errors of the fake itself since the last reset: requests that it cannot answer, or moto cannot."""
        return self._server.broken

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        for client in self._clients.values():
            client.close()
        self._server.stop()

    def _reply(self, request: Request) -> Reply:
        try:
            operation = identify(request)
        except Unsigned:
            return Reply(Response(403, {"x-amzn-ErrorType": "MissingAuthenticationTokenException"}, b"{}"))
        except LookupError as e:
            return Reply(Response(400, {"x-amzn-ErrorType": "UnknownOperationException"}, str(e).encode()))
        time.sleep(random.uniform(0, self.latency))
        call = self.calls.started(operation)
        fault = self.faults.due(operation)
        if fault is Fault.KILL_BEFORE:
            send_signal(request.port, signal.SIGKILL)
        response = self._response(request, operation, fault)
        time.sleep(random.uniform(0, self.latency))
        status = response.status if response and (fault is None or fault in _ANSWERED) else None
        handled = fault is None or fault.handled
        self.calls.noted(call, status=status, handled=handled, fault=fault.name if fault else None)
        if fault in _SIGNALS:
            send_signal(request.port, _SIGNALS[fault])
        return Reply(response, None if fault in _ANSWERED else fault)

    def _response(self, request: Request, operation: Operation, fault: Fault | None) -> Response | None:
        """Return the service's answer, or that of *fault*; None when the request does not get so far."""
        try:
            if fault in _TROUBLES:
                raise errors.trouble(_TROUBLES[fault], operation, self.account)
            return self._answer(request, operation) if fault is None or fault.handled else None
        except ServiceError as e:
            return errors.rendered(e, operation, request)

    def _answer(self, request: Request, operation: Operation) -> Response:
        if operation.key_id != KEY_ID:
            raise errors.trouble("bad_key", operation, self.account)
        match operation.service:
            case "s3":
                return self._s3.answer(request, operation)
            case "scheduler":
                return self._scheduler.answer(request, operation)
            case "sagemaker":
                return self._sagemaker.answer(request, operation)
            case "logs":
                self._sagemaker.play()
        return self._moto.answer(request)


@contextmanager
def serving() -> Iterator[FakeAws]:
    """Give an account that listens until the block ends."""
    fake = FakeAws()
    fake.start()
    try:
        yield fake
    finally:
        fake.stop()


__all__ = ["ACCOUNT", "KEY_ID", "REGION", "SECRET_KEY", "Call", "FakeAws", "Fault", "serving"]
