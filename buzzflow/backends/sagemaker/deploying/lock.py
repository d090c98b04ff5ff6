"""One deployer at a time: an object in the bucket that only one can create (S3 User Guide, "Conditional writes").

UpdatePipeline has no condition of its own, so without this the last of two deployers wins, and may win half. A lock
does not expire: who is not known to have ended may still be at work. `force-unlock` ends it, by its id.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from buzzflow.backends.sagemaker.deploying.bucket import Bucket, ChangedError, Document
from buzzflow.backends.sagemaker.deploying.holder import Holder
from buzzflow.diagnostics import Diagnostic, PipelineError

FORMAT = 1
_POLL = 2.0  # seconds between two looks at a lock that is held


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that this process holds."""

    bucket: Bucket
    key: str
    etag: str
    holder: Holder

    def check(self) -> None:
        """Raise PipelineError BF611 when somebody has ended the lock: what comes next would not be ours alone."""
        if not self.bucket.is_version(self.key, self.etag):
            summary = f"the lock {self.holder.id} was ended by somebody else while this deployment ran"
            hint = "nothing was written since: run the same command again"
            raise PipelineError([Diagnostic("BF611", summary, hint=hint)])


def key_of(name: str) -> str:
    """Return where the lock of the pipeline called *name* lies."""
    return f"buzzflow/locks/{name}.json"


@contextmanager
def locked(
    bucket: Bucket,
    name: str,
    holder: Holder,
    *,
    wait: float,
    tell: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Lock]:
    """Hold the lock of a pipeline; PipelineError BF610 names who holds it after *wait* seconds.

    *tell* hears once for whom it waits. A lock whose process has ended on this very machine is taken over.
    """
    try:
        lock = _acquired(bucket, name, holder, wait, tell, sleep)
    except PipelineError:
        raise
    except Exception:
        _told_if_it_stays(lambda: _end_own(bucket, name, holder), holder, tell)
        raise
    try:
        yield lock
    except BaseException:
        _told_if_it_stays(lambda: release(lock), holder, tell)
        raise
    if (problem := _told_if_it_stays(lambda: release(lock), holder, tell)) is not None:
        raise problem


def _told_if_it_stays(end: Callable[[], None], holder: Holder, tell: Callable[[str], None]) -> Exception | None:
    """Return why *end* could not end the lock, and tell what can; an error that is under way counts more than this."""
    try:
        end()
    except Exception as e:  # noqa: BLE001  # whatever it is, the lock may stay
        tell(f"the lock may stay, for to end it failed ({e}); then: buzzflow force-unlock PATH {holder.id}")
        return e
    return None


def _acquired(
    bucket: Bucket,
    name: str,
    holder: Holder,
    wait: float,
    tell: Callable[[str], None],
    sleep: Callable[[float], None],
) -> Lock:
    content = json.dumps({"format": FORMAT, "pipeline": name, **holder.as_data()}, indent=1).encode()
    key, told = key_of(name), ""
    give_up = time.monotonic() + wait
    while True:
        try:
            return Lock(bucket, key, bucket.create(key, content), holder)
        except ChangedError:
            found = bucket.read(key)
        if found is None:  # ended between the two requests
            continue
        other = _holder(found)
        if other is not None and other.id == holder.id:  # ours: only the answer to its creation was lost
            return Lock(bucket, key, found.etag, holder)
        if other is not None and other.is_gone():
            _end(bucket, key, found)
            continue
        if time.monotonic() >= give_up:
            raise PipelineError([_held(name, other, found.age)])
        if not told:
            told = f"waiting for {other or 'an unreadable lock'}"
            tell(told)
        sleep(_POLL)


def release(lock: Lock) -> None:
    """End a lock that this process holds; one that somebody else has ended or taken is left alone."""
    try:
        lock.bucket.delete(lock.key, lock.etag)
    except ChangedError:
        return


def end_if_gone(bucket: Bucket, name: str) -> None:
    """End the lock of a process of this machine that was killed between its last write and the end of its lock."""
    found = bucket.read(key_of(name))
    if found is not None and (other := _holder(found)) is not None and other.is_gone():
        _end(bucket, key_of(name), found)


def force_unlock(bucket: Bucket, name: str, identity: str) -> Holder | None:
    """End the lock of a pipeline whose id is *identity* and return who held it; None when there is none.

    PipelineError BF614 when the lock has another id: it is not the one that was looked at.
    """
    key = key_of(name)
    found = bucket.read(key)
    if found is None:
        return None
    other = _holder(found)
    known = other.id if other else found.etag.strip('"')
    if known != identity:
        summary = f"the lock of {name} is not {identity}: it is {known}, of {other or 'nobody who can be read'}"
        raise PipelineError([Diagnostic("BF614", summary, hint="look whether that one still works, then give its id")])
    try:
        if not bucket.delete(key, found.etag):
            return None
    except ChangedError:
        summary = f"the lock of {name} has just changed hands"
        raise PipelineError([Diagnostic("BF614", summary, hint="look again who holds it")]) from None
    return other or Holder(known, "nobody", "nowhere", 0, "", 0.0)


def _end_own(bucket: Bucket, name: str, holder: Holder) -> None:
    """End a lock whose creation failed, for us: the request may have been carried out, and its answer lost."""
    found = bucket.read(key_of(name))
    if found is not None and (other := _holder(found)) is not None and other.id == holder.id:
        _end(bucket, key_of(name), found)


def _end(bucket: Bucket, key: str, found: Document) -> None:
    try:
        bucket.delete(key, found.etag)
    except ChangedError:
        return  # another process was quicker; the next try sees who


def _holder(found: Document) -> Holder | None:
    """Return who wrote a lock; None when it is damaged or of a later version."""
    try:
        data = json.loads(found.content)
        return Holder.from_data(data) if data["format"] == FORMAT else None
    except (ValueError, TypeError, KeyError):
        return None


def _held(name: str, other: Holder | None, age: float) -> Diagnostic:
    since = f"since {_duration(age)}"
    if other is None:
        summary = f"{name} is locked {since}, by a lock that cannot be read"
        return Diagnostic("BF610", summary, hint="a newer buzzflow may have written it; look before you force anything")
    summary = f"{name} is being deployed by {other}, {since}"
    hint = f"wait for it: --lock-timeout 10m; if it has ended: buzzflow force-unlock PATH {other.id}"
    return Diagnostic("BF610", summary, hint=hint)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
