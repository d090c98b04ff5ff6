"""`--download`: fetch what a local run lacks from S3, when it is no more than the caller allows."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from buzzflow.backends.local.executor import Tell
from buzzflow.backends.local.request import downloads
from buzzflow.backends.local.request.downloads import Source, size_text
from buzzflow.backends.local.request.request import RunRequest, missing_sources, used_sources
from buzzflow.diagnostics import Diagnostic, PipelineError

if TYPE_CHECKING:
    from buzzflow.backends.sagemaker.aws.account import Account

_PIECE = 1024 * 1024
_ATTEMPTS = 3
_REGION = "us-east-1"  # any will do to be told where a bucket is


@dataclass(frozen=True, slots=True)
class Download:
    """What a caller allows: at most *most_bytes*, read with the credentials that boto3 finds, in *region* first."""

    most_bytes: int
    region: str | None
    tell: Tell
    stop: threading.Event

    def into(self, request: RunRequest, started: str) -> RunRequest:
        """Return *request* with what it lacked; PipelineError says what is in the way, before anything is fetched."""
        missing = missing_sources(request, started)
        bucket = _Bucket(self._account())
        self._warn_of_changes(bucket, request, started)
        if not missing:
            return request
        try:
            sources = [downloads.look(bucket, each.address, each.path) for each in missing]
        except PipelineError as e:
            raise PipelineError([*e.diagnostics, *(each.diagnostic() for each in missing)]) from None
        self._refuse(sources, request)
        try:
            downloads.fetch(bucket, sources, request.state, self.tell, self.stop)
        except OSError as e:
            raise PipelineError([Diagnostic("BF505", f"data cannot be kept: {e}")]) from None
        return replace(request, data={**downloads.fetched(request.state), **request.data})

    def _account(self) -> Account:
        from buzzflow.backends.sagemaker.aws.account import Account, configured_region

        return Account(self.region or configured_region() or _REGION)

    def _warn_of_changes(self, bucket: _Bucket, request: RunRequest, started: str) -> None:
        here = downloads.fetched(request.state)
        for each in used_sources(request, started):
            if each.address not in here or request.data.get(each.address) != here[each.address]:
                continue
            try:
                told = downloads.changed(request.state, downloads.look(bucket, each.address, each.path))
            except PipelineError as e:
                told = f"nobody can say whether it is still so: {e.diagnostics[0].summary}"
            if told is not None:
                self.tell(f"{each.address} was fetched before, and in S3 {told}")

    def _refuse(self, sources: list[Source], request: RunRequest) -> None:
        """Raise what is in the way: nothing there, too much, or no room for it."""
        absent = [source for source in sources if not source.objects]
        if absent:
            hint = "look at the address and at whose credentials these are, or name sample data under local.data"
            raise PipelineError(
                [
                    Diagnostic("BF501", f"there is no data for {s.address}, neither here nor in S3", s.path, hint)
                    for s in absent
                ]
            )
        total = sum(source.size for source in sources)
        if total > self.most_bytes:
            summary = f"what is missing here has {size_text(total)}, and --download allows {size_text(self.most_bytes)}"
            hint = f"name sample data for the large ones under local.data, or allow --download {_allowing(total)}"
            problems = [Diagnostic("BF562", summary, hint=hint)]
            for source in sorted(sources, key=lambda s: s.size, reverse=True):
                told = f"{size_text(source.size)} in {len(source.objects)} objects"
                problems.append(Diagnostic("BF501", f"{source.address} is not on this machine: {told}", source.path))
            raise PipelineError(problems)
        free = shutil.disk_usage(request.state if request.state.exists() else request.project).free
        if total > free:
            summary = f"what is missing here has {size_text(total)}, and the disk has {size_text(free)} left"
            raise PipelineError([Diagnostic("BF505", summary, hint="make room, or name sample data under local.data")])


def _allowing(total: int) -> str:
    return f"{-(-total // 10**6)}MB"


class _Bucket:
    """S3 with the user's credentials; what it refuses is told in the user's words."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def listed(self, bucket: str, prefix: str) -> Iterable[tuple[str, int, str]]:
        from buzzflow.backends.sagemaker.aws.errors import aws_errors

        with aws_errors():
            pages = self._account.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            return [(o["Key"], o["Size"], o["ETag"]) for page in pages for o in page.get("Contents", ())]

    def pieces(self, bucket: str, key: str, etag: str) -> Iterator[bytes]:
        """Yield an object's content; where an answer breaks off, the rest is asked for."""
        from botocore.exceptions import HTTPClientError, IncompleteReadError

        from buzzflow.backends.sagemaker.aws.errors import aws_errors

        start = 0
        for attempt in range(1, _ATTEMPTS + 1):
            with aws_errors():
                try:
                    for piece in self._body(bucket, key, etag, start):
                        start += len(piece)
                        yield piece
                except (HTTPClientError, IncompleteReadError):
                    if attempt == _ATTEMPTS:
                        raise
                else:
                    return

    def _body(self, bucket: str, key: str, etag: str, start: int) -> Iterator[bytes]:
        from botocore.exceptions import ClientError

        get = self._account.s3.get_object
        try:
            if start:
                answer = get(Bucket=bucket, Key=key, IfMatch=etag, Range=f"bytes={start}-")
            else:  # of an empty object there is no range
                answer = get(Bucket=bucket, Key=key, IfMatch=etag)
        except ClientError as e:
            if e.response["Error"]["Code"] not in ("PreconditionFailed", "412", "NoSuchKey"):
                raise
            what = f"s3://{bucket}/{key} was changed while it was fetched"
            raise PipelineError([Diagnostic("BF563", what, hint="run again")]) from None
        yield from answer["Body"].iter_chunks(_PIECE)
