"""Bring to the bucket what is not there yet, side by side; the service checks every byte."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path

from buzzflow.backends.sagemaker.aws.errors import aws_errors, is_refusal
from buzzflow.backends.sagemaker.deploying.bucket import Bucket, ChangedError
from buzzflow.backends.sagemaker.deploying.stored import Stored, StoredFile, content_of
from buzzflow.diagnostics import Diagnostic, PipelineError

SIDE_BY_SIDE = 8


def absent(bucket: Bucket, stored: Sequence[Stored]) -> tuple[Stored, ...]:
    """Return what the bucket lacks; a file of another size is taken for one that lacks."""
    folders = sorted({_folder(thing.key) for thing in stored})
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        found = dict(pair for pairs in pool.map(lambda f: [*bucket.sizes(f)], folders) for pair in pairs)
    return tuple(t for t in stored if t.key not in found or (isinstance(t, StoredFile) and found[t.key] != t.size))


def _folder(key: str) -> str:
    """Return `buzzflow/code/<digest>/` of a key below it."""
    return "/".join(key.split("/")[:3]) + "/"


def upload(
    bucket: Bucket,
    stored: Sequence[Stored],
    contents: Mapping[str, Path],
    stop: threading.Event,
) -> None:
    """Write all of *stored*; *contents* are files by their SHA-256.

    PipelineError tells what could not be written. What is written stays: a key is its content. Nothing new begins
    after *stop* is set.
    """

    def one(thing: Stored) -> None:
        if not stop.is_set():
            _write(bucket, thing, contents)

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        futures = [pool.submit(one, thing) for thing in stored]
        _first_problem(pool, futures)


def _first_problem(pool: ThreadPoolExecutor, futures: Sequence[Future[None]]) -> None:
    ended, _ = wait(futures, return_when=FIRST_EXCEPTION)
    if problem := next((p for future in ended if (p := future.exception()) is not None), None):
        pool.shutdown(cancel_futures=True)
        raise problem


def _write(bucket: Bucket, thing: Stored, contents: Mapping[str, Path]) -> None:
    try:
        content = content_of(thing, contents)
        sha256 = thing.sha256 if isinstance(thing, StoredFile) else hashlib.sha256(_bytes(content)).hexdigest()
        with aws_errors():
            _sent(bucket, thing, content, sha256)
    except OSError as e:
        summary = f"{e.filename or thing.key} cannot be read: {e.strerror}"
        raise PipelineError([Diagnostic("BF136", summary)]) from None
    except ChangedError:
        summary = f"s3://{bucket.name}/{thing.key} has another content than its address says"
        hint = "somebody has replaced it: delete it, and find out who may write there"
        raise PipelineError([Diagnostic("BF615", summary, hint=hint)]) from None


def _sent(bucket: Bucket, thing: Stored, content: bytes | Path, sha256: str) -> None:
    try:
        bucket.upload(thing.key, content, sha256)
    except Exception as e:
        if not is_refusal(e, "BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch"):
            raise
        summary = f"{content if isinstance(content, Path) else thing.key} changed while it was uploaded"
        raise PipelineError([Diagnostic("BF136", summary, hint="save it, and start again")]) from None


def _bytes(content: bytes | Path) -> bytes:
    return content.read_bytes() if isinstance(content, Path) else content
