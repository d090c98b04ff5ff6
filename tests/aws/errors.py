"""Errors in each service's own shape: JSON, REST JSON, REST XML (S3) and query XML.

The texts of throttling, expired tokens and denied access are those that the services are known to send; the shapes are
those of the protocols in the Smithy documentation ("AWS JSON 1.1", "AWS restJson1", "AWS restXml", "AWS query").
"""

from __future__ import annotations

import json
from typing import Literal, NamedTuple
from xml.sax.saxutils import escape

from tests.aws.exchange import Request, Response
from tests.aws.operations import Operation

REQUEST_ID = "0f0e0d0c-0000-4000-8000-000000000000"
Trouble = Literal["throttle", "internal", "unavailable", "expired_token", "access_denied", "conflict", "bad_key"]


class ServiceError(Exception):
    """A service's refusal; *status* is the one of REST services, as JSON services answer all of them with 400."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class _Texts(NamedTuple):
    code: str
    message: str
    status: int


_JSON: dict[Trouble, _Texts] = {
    "throttle": _Texts("ThrottlingException", "Rate exceeded", 400),
    "internal": _Texts("InternalFailure", "The request processing has failed because of an unknown error.", 500),
    "unavailable": _Texts("ServiceUnavailable", "The request has failed due to a temporary failure.", 503),
    "expired_token": _Texts("ExpiredTokenException", "The security token included in the request is expired", 400),
    "access_denied": _Texts("AccessDeniedException", "", 400),
    "conflict": _Texts("ConflictException", "There was a conflict with another modification of this resource.", 400),
    "bad_key": _Texts("UnrecognizedClientException", "The security token included in the request is invalid.", 400),
}
_REST_JSON: dict[Trouble, _Texts] = _JSON | {
    "throttle": _Texts("ThrottlingException", "Rate exceeded", 429),
    "internal": _Texts("InternalServerException", "Internal server error", 500),
    "expired_token": _Texts("ExpiredTokenException", "The security token included in the request is expired", 403),
    "access_denied": _Texts("AccessDeniedException", "", 403),
    "conflict": _Texts("ConflictException", "There was a conflict with another modification of this resource.", 409),
    "bad_key": _Texts("UnrecognizedClientException", "The security token included in the request is invalid.", 403),
}
_S3: dict[Trouble, _Texts] = {
    "throttle": _Texts("SlowDown", "Please reduce your request rate.", 503),
    "internal": _Texts("InternalError", "We encountered an internal error. Please try again.", 500),
    "unavailable": _Texts("ServiceUnavailable", "Service is unable to handle request.", 503),
    "expired_token": _Texts("ExpiredToken", "The provided token has expired.", 400),
    "access_denied": _Texts("AccessDenied", "", 403),
    "conflict": _Texts(
        "ConditionalRequestConflict",
        "The conditional request cannot succeed due to a conflicting operation against this resource.",
        409,
    ),
    "bad_key": _Texts("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403),
}
_QUERY: dict[Trouble, _Texts] = _REST_JSON | {
    "throttle": _Texts("Throttling", "Rate exceeded", 400),
    "internal": _Texts("InternalFailure", "The request processing has failed because of an unknown error.", 500),
    "expired_token": _Texts("ExpiredToken", "The security token included in the request is expired", 403),
    "access_denied": _Texts("AccessDenied", "", 403),
    "bad_key": _Texts("InvalidClientTokenId", "The security token included in the request is invalid.", 403),
}
_BY_PROTOCOL = {"json": _JSON, "rest-json": _REST_JSON, "rest-xml": _S3, "query": _QUERY}
# Whose permission has another name than the operation.
_PERMISSIONS = {
    "HeadObject": "GetObject", "HeadBucket": "ListBucket", "ListObjectsV2": "ListBucket", "ListObjects": "ListBucket",
    "CopyObject": "PutObject", "UploadPart": "PutObject", "CreateMultipartUpload": "PutObject",
    "CompleteMultipartUpload": "PutObject", "GetObjectAttributes": "GetObject", "DeleteObjects": "DeleteObject",
}  # fmt: skip


def trouble(kind: Trouble, operation: Operation, account: str) -> ServiceError:
    """Return the error that *operation*'s service sends for *kind*."""
    code, message, status = _BY_PROTOCOL[operation.protocol][kind]
    return ServiceError(code, message or _denied(operation, account), status)


def rendered(error: ServiceError, operation: Operation, request: Request) -> Response:
    """Return *error* as *operation*'s service writes it; an answer to HEAD has no body, in S3 too."""
    headers = {"x-amzn-RequestId": REQUEST_ID}
    match operation.protocol:
        case "json":
            status = error.status if error.status >= 500 else 400
            body = json.dumps({"__type": error.code, "message": error.message})
            headers |= {"Content-Type": "application/x-amz-json-1.1"}
        case "rest-json":
            status, body = error.status, json.dumps({"message": error.message})
            headers |= {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}
        case "rest-xml":
            status, body = error.status, _s3_xml(error, request)
            headers |= {"Content-Type": "application/xml"}
        case _:
            status, body = error.status, _query_xml(error)
            headers |= {"Content-Type": "text/xml"}
    return Response(status, headers, b"" if request.method == "HEAD" else body.encode())


def _s3_xml(error: ServiceError, request: Request) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
        f"<Resource>{escape(request.path)}</Resource><RequestId>{REQUEST_ID}</RequestId></Error>"
    )


def _query_xml(error: ServiceError) -> str:
    return (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{error.code}</Code>"
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
    )


def _denied(operation: Operation, account: str) -> str:
    """Return the text of "Troubleshoot access denied error messages" in IAM's user guide."""
    action = f"{operation.service}:{_PERMISSIONS.get(operation.name, operation.name)}"
    return (
        f"User: arn:aws:sts::{account}:assumed-role/buzzflow-deploy/ci is not authorized to perform: {action} "
        f"on resource: {_arn(operation, account)} because no identity-based policy allows the {action} action"
    )


def _arn(operation: Operation, account: str) -> str:
    """Return the resource as the message names it: S3 puts it in quotes."""
    if operation.resource.startswith("arn:"):
        return operation.resource
    match operation.service:
        case "s3":
            return f'"arn:aws:s3:::{operation.resource}"'
        case "sagemaker":
            kind = f"pipeline/{operation.resource.lower()}" if operation.resource else "*"
        case "scheduler":
            name = operation.resource.removeprefix("schedules/")
            kind = f"schedule/default/{name}"
        case _:
            kind = operation.resource or "*"
    return f"arn:aws:{operation.service}:{operation.region}:{account}:{kind}"
