"""The environment's bucket: every request names the account that must own it, so that no other gets what is ours."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import is_refusal, whole

_ABSENT = ("NoSuchKey", "404", "NotFound")
# The condition does not hold, or another conditional write is under way (S3 User Guide, "Conditional writes").
_LOST = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409")


@dataclass(frozen=True, slots=True)
class Document:
    """An object, the version of it that was read, and its age in seconds by the service's own clock."""

    content: bytes
    etag: str
    age: float = 0.0


class ChangedError(Exception):
    """The condition of a write does not hold: somebody was quicker."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Reads and conditional writes; *owner* is an account."""

    account: Account
    name: str
    owner: str

    def read(self, key: str) -> Document | None:
        """Return the object under *key*, if there is one."""
        try:
            return whole(lambda: self._read(key))
        except Exception as e:
            if is_refusal(e, *_ABSENT):
                return None
            raise

    def _read(self, key: str) -> Document:
        answer = self.account.s3.get_object(Bucket=self.name, Key=key, ExpectedBucketOwner=self.owner)
        content = answer["Body"].read()
        now = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        age = (parsedate_to_datetime(now) - answer["LastModified"]).total_seconds() if now else 0.0
        return Document(content, answer["ETag"], max(0.0, age))

    def create(self, key: str, content: bytes) -> str:
        """Write *key*, which must not exist, and return its version; ChangedError when it does."""
        return self._put(key, content, {"IfNoneMatch": "*"})

    def replace(self, key: str, content: bytes, etag: str) -> str:
        """Write *key*, whose version must be *etag*, and return its new one; ChangedError when it is another."""
        return self._put(key, content, {"IfMatch": etag})

    def _put(self, key: str, body: bytes | IO[bytes], more: dict[str, Any]) -> str:
        """Write *key* under the condition in *more*; typed loosely, because boto3 takes no condition that is None."""
        with _condition():
            answer = self.account.s3.put_object(
                Bucket=self.name, Key=key, Body=body, ExpectedBucketOwner=self.owner, **more
            )
        return answer["ETag"]

    def delete(self, key: str, etag: str) -> bool:
        """Delete *key*, whose version must be *etag*, and return whether it was there; ChangedError for another."""
        with _condition():
            try:
                self.account.s3.delete_object(Bucket=self.name, Key=key, IfMatch=etag, ExpectedBucketOwner=self.owner)
            except Exception as e:
                if not is_refusal(e, *_ABSENT):
                    raise
                return False
        return True

    def is_version(self, key: str, etag: str) -> bool:
        """Whether *key* is still the version *etag*."""
        try:
            found = self.account.s3.head_object(Bucket=self.name, Key=key, ExpectedBucketOwner=self.owner)
        except Exception as e:
            if is_refusal(e, *_ABSENT):
                return False
            raise
        return found["ETag"] == etag

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield each key that starts with *prefix*, and its size in bytes."""
        pages = self.account.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix, ExpectedBucketOwner=self.owner
        )
        for page in pages:
            for entry in page.get("Contents", ()):
                yield entry["Key"], entry["Size"]

    def upload(self, key: str, content: bytes | Path, sha256: str) -> None:
        """Write *key* unless it exists; the service compares the content with *sha256*, in hexadecimal."""
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode("ascii")
        with content.open("rb") if isinstance(content, Path) else BytesIO(content) as body:
            try:
                self._put(key, body, {"IfNoneMatch": "*", "ChecksumSHA256": checksum})
            except ChangedError:
                self._compare(key, checksum)

    def _compare(self, key: str, checksum: str) -> None:
        """Raise ChangedError when *key* has another content than *checksum* says; one without checksum is trusted."""
        found = self.account.s3.head_object(
            Bucket=self.name, Key=key, ChecksumMode="ENABLED", ExpectedBucketOwner=self.owner
        )
        if found.get("ChecksumSHA256", checksum) != checksum:
            raise ChangedError(key)


@contextmanager
def _condition() -> Iterator[None]:
    try:
        yield
    except Exception as e:
        if is_refusal(e, *_LOST):
            raise ChangedError from e
        raise
