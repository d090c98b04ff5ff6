"""Say what AWS refused in the user's terms: what is missing, whose it is, what to do; AWS's own words stay."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from buzzflow.backends.sagemaker.aws.account import ATTEMPTS, DeadlineError
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.diagnostics import Path as DiagnosticPath

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

T = TypeVar("T")
# "User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: sagemaker:UpdatePipeline on resource: arn:…
# because no identity-based policy allows the sagemaker:UpdatePipeline action"
# (IAM User Guide, "Access denied error messages")
_DENIED = re.compile(
    r"User: (?P<who>\S+) is not authorized to perform: (?P<action>[\w-]+:\w+)(?: on resource: (?P<resource>\S+))?"
)
_NO_CREDENTIALS = frozenset(
    ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError")
)
_EXPIRED_HERE = frozenset(("SSOTokenLoadError", "UnauthorizedSSOTokenError", "SSOError", "LoginRefreshRequired"))
_NO_ANSWER = frozenset(
    (
        "EndpointConnectionError",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "ConnectionClosedError",
        "ProxyConnectionError",
        "SSLError",
        "ResponseStreamingError",
        "IncompleteReadError",
        "HTTPClientError",
    )
)
_DENIES = frozenset(("AccessDenied", "AccessDeniedException", "AllAccessDisabled", "UnauthorizedOperation", "403"))
_EXPIRED = frozenset(("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"))
_WRONG_KEYS = frozenset(
    ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch")
)
_BUSY = frozenset(
    (
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "ServiceUnavailable",
        "500",
        "503",
    )
)
_LOG_IN = "log in (aws sso login, or aws configure) and name the profile: export AWS_PROFILE=…"


@contextmanager
def aws_errors(path: DiagnosticPath = ()) -> Iterator[None]:
    """Turn what boto3 raises inside into a PipelineError about the value at *path*."""
    try:
        yield
    except Exception as e:
        if (found := diagnostic_of(e, path)) is None:
            raise
        raise PipelineError([found]) from e


def diagnostic_of(error: Exception, path: DiagnosticPath = ()) -> Diagnostic | None:
    """Return what *error* means for the user; None when it is not about AWS."""
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, DeadlineError):
        return Diagnostic("BF603", f"AWS has not answered in time: {error}", path, _AGAIN)
    if isinstance(error, ClientError):
        return _refused(error, path)
    if _is_cut_off(error):
        return Diagnostic("BF603", "AWS's answers are cut off again and again", path, _AGAIN)
    if not isinstance(error, BotoCoreError):
        return None
    kind, told = type(error).__name__, _one_line(str(error))
    if kind in _NO_CREDENTIALS:
        return Diagnostic("BF600", f"there are no AWS credentials: {told}", path, _LOG_IN)
    if kind in _EXPIRED_HERE:
        return Diagnostic("BF600", f"the login to AWS has expired: {told}", path, "log in again: aws sso login")
    if kind == "ProfileNotFound":
        return Diagnostic("BF600", f"AWS_PROFILE names no profile: {told}", path, "aws configure list-profiles")
    if kind in _NO_ANSWER:
        return Diagnostic("BF603", f"AWS cannot be reached: {told}", path, _AGAIN)
    return Diagnostic("BF608", f"boto3 could not ask AWS: {told}", path)


_AGAIN = "run the same command again: what is done already stays, and nothing is done twice"


def _refused(error: ClientError, path: DiagnosticPath) -> Diagnostic:
    code = code_of(error)
    call, told = error.operation_name, _one_line(message_of(error))
    if code in _DENIES or "not authorized to perform" in told:
        return _denied(call, told, path)
    if code in _EXPIRED:
        return Diagnostic("BF600", f"the AWS credentials have expired: {told}", path, "log in again, then repeat this")
    if code in _WRONG_KEYS:
        return Diagnostic("BF600", f"AWS does not know these credentials: {told}", path, _LOG_IN)
    if code in _BUSY:
        return Diagnostic("BF603", f"AWS is too busy for {call}: {told}", path, _AGAIN)
    if code == "NoSuchBucket":
        hint = "create it, or name another in environment.yaml: bucket: …"
        return Diagnostic("BF606", f"the environment's bucket does not exist: {told}", path, hint)
    if code in ("RequestTimeTooSkewed", "RequestInTheFuture"):
        return Diagnostic("BF600", f"this machine's clock is wrong: {told}", path, "set the clock")
    return Diagnostic("BF608", f"AWS refuses {call}: {told} ({code})", path)


def _denied(call: str, told: str, path: DiagnosticPath) -> Diagnostic:
    if (match := _DENIED.search(told)) is None:
        summary = f"these credentials may not {call}: {told}"
        return Diagnostic("BF604", summary, path, f"give their role the permission for {call}")
    who, action, resource = match["who"], match["action"], match["resource"]
    where = f" on {resource}" if resource else ""
    hint = f"give {_role(who)} the permission {action}{where}"
    return Diagnostic("BF604", f"{_role(who)} may not {action}{where}: {told}", path, hint)


def _role(arn: str) -> str:
    """Return `role deploy` of `arn:aws:sts::1:assumed-role/deploy/session`."""
    parts = arn.split("/")
    return f"role {parts[1]}" if ":assumed-role" in parts[0] and len(parts) > 1 else arn


def code_of(error: ClientError) -> str:
    """Return the service's code of an error: `ValidationException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """Return the service's words."""
    return str(error.response.get("Error", {}).get("Message", "")) or str(error)


def _one_line(text: str) -> str:
    return " ".join(text.split()).removesuffix(".")


def is_refusal(error: Exception, *codes: str) -> bool:
    """Whether *error* is AWS's answer with one of *codes*."""
    from botocore.exceptions import ClientError

    return isinstance(error, ClientError) and code_of(error) in codes


def is_absent(error: Exception) -> bool:
    """Whether *error* says that there is no such pipeline or run; some answers say so in words only."""
    from botocore.exceptions import ClientError

    if is_refusal(error, "ResourceNotFound", "ResourceNotFoundException"):
        return True
    said = isinstance(error, ClientError) and is_refusal(error, "ValidationException")
    return said and re.search(r"does not exist|not find pipeline", str(error), re.IGNORECASE) is not None


def whole(ask: Callable[[], T]) -> T:
    """Return what *ask* does, asked again when the answer was cut off, which botocore does not see to for every one."""
    for again in reversed(range(ATTEMPTS)):
        try:
            return ask()
        except Exception as e:
            if not again or not _is_cut_off(e):
                raise
    raise AssertionError("the last attempt returns or raises")


def _is_cut_off(error: Exception) -> bool:
    from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError
    from botocore.parsers import ResponseParserError

    return isinstance(error, IncompleteReadError | ReadTimeoutError | ResponseStreamingError | ResponseParserError)
