"""The account that pipelines are deployed to: its clients, with explicit retries and a deadline for each call."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

from buzzflow.diagnostics import Diagnostic, PipelineError

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sts import STSClient

ATTEMPTS = 9  # botocore's own default is three, after which a throttled call has failed in 1.3 seconds
DEADLINE = 90.0  # seconds in which the attempts of one call must begin
CONNECT_TIMEOUT, READ_TIMEOUT = 5, 20
CONNECTIONS = 16  # side by side, for uploads
_PAUSE = 0.5  # seconds before a request whose answer was cut off is sent again
_STARTED, _LAST, _CUT = "buzzflow_started", "buzzflow_last", "buzzflow_cut"


class DeadlineError(Exception):
    """A call was tried until no time was left; *last* is what its last attempt met."""

    def __init__(self, operation: str, seconds: float, last: str) -> None:
        self.operation = operation
        super().__init__(f"{operation} has not succeeded in {seconds:.0f} seconds: {last}")


@dataclass(frozen=True)
class Account:
    """Clients of one region, with the credentials that boto3 finds for this process.

    *clock* gives seconds; the clients may be used by several threads.
    """

    region: str
    deadline: float = DEADLINE
    read_timeout: float = READ_TIMEOUT
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    _clients: dict[str, object] = field(default_factory=dict, repr=False, compare=False)
    _asking: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    _owner: list[str] = field(default_factory=list, repr=False, compare=False)

    @property
    def sagemaker(self) -> SageMakerClient:
        """Pipelines and what they run."""
        return cast("SageMakerClient", self._client("sagemaker"))

    @property
    def s3(self) -> S3Client:
        """Code, locks, journals."""
        return cast("S3Client", self._client("s3"))

    @property
    def logs(self) -> CloudWatchLogsClient:
        """What steps print."""
        return cast("CloudWatchLogsClient", self._client("logs"))

    @property
    def ecr(self) -> ECRClient:
        """Images that are built."""
        return cast("ECRClient", self._client("ecr"))

    @property
    def sts(self) -> STSClient:
        """Whose credentials these are."""
        return cast("STSClient", self._client("sts"))

    @property
    def scheduler(self) -> EventBridgeSchedulerClient:
        """Schedules that start pipelines."""
        return cast("EventBridgeSchedulerClient", self._client("scheduler"))

    def owner(self) -> str:
        """Return the number of the account that the credentials are of; AWS is asked once."""
        from buzzflow.backends.sagemaker.aws.errors import aws_errors, whole

        with self._asking:
            if not self._owner:
                with aws_errors():
                    self._owner.append(whole(self.sts.get_caller_identity)["Account"])
            return self._owner[0]

    def _client(self, service: str) -> object:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._made(service)
            return self._clients[service]

    def _made(self, service: str) -> object:
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=self.read_timeout,
            max_pool_connections=CONNECTIONS,
            user_agent_extra=f"buzzflow/{version('buzzflow')}",
        )
        client: Any = cast("Callable[..., object]", self._session().client)(service, config=config)
        client.meta.events.register("before-call", self._begin)
        client.meta.events.register_first("needs-retry", self._again)
        client.meta.events.register("request-created", self._attempt)
        client.meta.events.register("after-call", self._end)
        return client

    def _session(self) -> boto3.Session:
        if "session" not in self._clients:
            import boto3
            import botocore.session

            session = botocore.session.get_session()
            session.register_component("data_loader", _models())
            self._clients["session"] = boto3.Session(botocore_session=session, region_name=self.region)
        return cast("boto3.Session", self._clients["session"])

    def _begin(self, context: dict[str, Any], **_: object) -> None:
        context[_STARTED] = self.clock()

    def _again(
        self,
        request_dict: Mapping[str, Any],
        operation: Any,  # an OperationModel
        attempts: int,
        response: tuple[Any, Mapping[str, Any]] | None = None,
        caught_exception: Exception | None = None,
        **_: object,
    ) -> float | None:
        """Remember what an attempt met; and ask for another where botocore would take half an answer for a whole."""
        error = response[1].get("Error", {}) if response else {}
        told = str(caught_exception or error.get("Message") or error.get("Code") or "")
        cut = response is not None and _is_cut(response[0], operation)
        request_dict["context"][_LAST] = "the answer was cut off" if cut else told
        request_dict["context"][_CUT] = cut
        return _PAUSE if cut and attempts < ATTEMPTS else None

    def _end(self, context: Mapping[str, Any], model: Any, **_: object) -> None:  # an OperationModel
        if context.get(_CUT):
            raise DeadlineError(model.name, self.deadline, context[_LAST])

    def _attempt(self, request: Any, operation_name: str, **_: object) -> None:  # an AWSRequest
        started = request.context.get(_STARTED)
        if started is not None and self.clock() - started > self.deadline:
            raise DeadlineError(operation_name, self.deadline, request.context.get(_LAST, "no answer"))


@cache
def _models() -> object:
    """Return what reads the services' models: once in a process, however many accounts there are."""
    import botocore.session

    return botocore.session.get_session().get_component("data_loader")


def _is_cut(answer: Any, operation: Any) -> bool:  # a response of HTTP, an OperationModel
    """Whether an answer is no JSON where the service speaks JSON: botocore would read it as an empty one."""
    if "json" not in operation.service_model.metadata["protocol"]:
        return False
    if operation.has_streaming_output or not answer.content:
        return False
    try:
        json.loads(answer.content)
    except ValueError:
        return True
    return False


def configured_region() -> str | None:
    """Return the region that the user's profile names, if it names one."""
    import boto3

    return boto3.Session().region_name


def check_owner(account: Account, expected: str | None, *, named_by: str = "environment.yaml") -> str:
    """Return the account of these credentials; PipelineError when *named_by* names another."""
    owner = account.owner()
    if expected is not None and owner != expected:
        summary = f"these credentials are of account {owner}, and {named_by} names {expected}"
        hint = "choose others: export AWS_PROFILE=…, or log in to the account that is meant"
        raise PipelineError([Diagnostic("BF602", summary, hint=hint)])
    return owner
