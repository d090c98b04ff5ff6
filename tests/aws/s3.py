"""S3, stricter than moto: checksums, owners, and conditions that hold between concurrent requests.

Rules and codes: "Conditional requests", "Checking object integrity" and "Verifying bucket ownership with bucket owner
condition" in the S3 user guide, and the API pages of PutObject and DeleteObject.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.aws.errors import ServiceError, trouble
from tests.aws.exchange import Request, Response
from tests.aws.moto_app import Moto
from tests.aws.operations import Operation

_CHECKSUMS: Mapping[str, Callable[[bytes], bytes]] = {
    "sha256": lambda body: hashlib.sha256(body).digest(),
    "sha1": lambda body: hashlib.sha1(body).digest(),
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
}
_UNCHECKED = ("crc32c", "crc64nvme")
_CONDITIONAL = ("PutObject", "CompleteMultipartUpload", "CopyObject")
_REMOVING = ("DeleteObject", "DeleteObjects")
_UNSIGNED = ("UNSIGNED-PAYLOAD", "STREAMING-")


class S3:
    """One account's view of S3."""

    def __init__(self, moto: Moto, account: str) -> None:
        self._moto = moto
        self._account = account
        self._writing = threading.Lock()
        self._removed: Counter[str] = Counter()

    def reset(self) -> None:
        self._removed.clear()

    def answer(self, request: Request, operation: Operation) -> Response:
        before = self._removed[operation.resource]
        self._check_owner(request, operation)
        request = _checked_body(request)
        if not operation.writes:
            return self._moto.answer(request)
        with self._writing:
            if operation.name in _CONDITIONAL and _has_condition(request):
                self._check_condition(request, operation, before)
            answer = self._moto.answer(request)
            if operation.name in _REMOVING and answer.status < 300:
                self._removed[operation.resource] += 1
            return answer

    def _check_owner(self, request: Request, operation: Operation) -> None:
        bucket = operation.resource.partition("/")[0]
        owner = self._moto.bucket_owner(bucket)
        expected = request.headers.get("x-amz-expected-bucket-owner")
        if owner is not None and ((expected and expected != owner) or owner != self._account):
            raise ServiceError("AccessDenied", "Access Denied", 403)

    def _check_condition(self, request: Request, operation: Operation, before: int) -> None:
        """Refuse what moto takes: other values than *, both conditions at once, and a race with a deletion."""
        absent = request.headers.get("if-none-match")
        if (absent is not None and absent != "*") or (absent is not None and "if-match" in request.headers):
            message = "A header you provided implies functionality that is not implemented"
            raise ServiceError("NotImplemented", message, 501)
        if self._removed[operation.resource] != before:
            raise trouble("conflict", operation, self._account)


def _has_condition(request: Request) -> bool:
    return "if-none-match" in request.headers or "if-match" in request.headers


def _checked_body(request: Request) -> Request:
    """Compare the body with every digest that the request brings; name the algorithm, without which moto keeps none."""
    if request.headers.get("content-encoding", "").startswith("aws-chunked"):
        raise ServiceError("NotImplemented", "Chunked uploads with trailing checksums are not part of this fake", 501)
    _check_signed_digest(request)
    if given := request.headers.get("content-md5"):
        _compare("Content-MD5", given, hashlib.md5(request.body).digest(), "what we received")
    for name in _UNCHECKED:
        if f"x-amz-checksum-{name}" in request.headers:
            raise ServiceError("NotImplemented", f"The fake cannot compute {name}", 501)
    for name, digest in _CHECKSUMS.items():
        if given := request.headers.get(f"x-amz-checksum-{name}"):
            _compare(name.upper(), given, digest(request.body), "the calculated checksum")
            request = replace(request, headers={**request.headers, "x-amz-sdk-checksum-algorithm": name.upper()})
    return request


def _check_signed_digest(request: Request) -> None:
    signed = request.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    if not signed.startswith(_UNSIGNED) and signed != hashlib.sha256(request.body).hexdigest():
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise ServiceError("XAmzContentSHA256Mismatch", message)


def _compare(name: str, given: str, digest: bytes, with_what: str) -> None:
    try:
        sent = base64.b64decode(given, validate=True)
    except binascii.Error:
        sent = b""
    if len(sent) != len(digest):
        if name == "Content-MD5":
            raise ServiceError("InvalidDigest", "The Content-MD5 you specified was invalid.")
        raise ServiceError("InvalidRequest", f"Value for x-amz-checksum-{name.lower()} header is invalid.")
    if sent != digest:
        raise ServiceError("BadDigest", f"The {name} you specified did not match {with_what}.")
