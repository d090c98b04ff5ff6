"""Carry out a deployment: lock, plan, journal, upload, create or update, tag, read back, unlock.

Any of these may be the last thing that a process does before it is killed, and the next deployment then comes to the
same end: what is uploaded stays, a pipeline is written by one request, and the journal says what was under way.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors
from buzzflow.backends.sagemaker.deploying import journal
from buzzflow.backends.sagemaker.deploying.bucket import Bucket
from buzzflow.backends.sagemaker.deploying.deployed import Deployed, read_deployed
from buzzflow.backends.sagemaker.deploying.deployment import COMMIT, PASSING, Deployment
from buzzflow.backends.sagemaker.deploying.holder import this_process
from buzzflow.backends.sagemaker.deploying.images import Images
from buzzflow.backends.sagemaker.deploying.lock import Lock, end_if_gone, locked
from buzzflow.backends.sagemaker.deploying.look import bucket_of, look
from buzzflow.backends.sagemaker.deploying.plan import Plan, plan
from buzzflow.backends.sagemaker.deploying.stored import Stored, StoredFile
from buzzflow.backends.sagemaker.deploying.upload import absent, upload
from buzzflow.backends.sagemaker.deploying.write import create_pipeline, update_pipeline, write_tags
from buzzflow.diagnostics import Diagnostic, PipelineError

_READ_BACK = (0.0, 0.5, 1.0, 2.0)  # seconds before each look at what was written


@dataclass(frozen=True, slots=True)
class Outside:
    """What a deployment needs beside the account.

    *contents* are the files of the repository by their SHA-256, *environ* the variables of this process. *tell* hears
    what is being done. *stop* is set by who wants the deployment to end early; it does so between two requests.
    """

    contents: Mapping[str, Path]
    environ: Mapping[str, str]
    tell: Callable[[str], None]
    stop: threading.Event = field(default_factory=threading.Event)
    images: Images | None = None
    lock_timeout: float = 0.0
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Applied:
    """What a deployment did; *uploaded* counts files."""

    plan: Plan
    arn: str
    uploaded: int
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def wrote(self) -> bool:
        """Whether anything in the account is another than before."""
        return self.plan.action != "none" or self.uploaded > 0


class StoppedError(Exception):
    """The deployment was told to stop, and did: the next one goes on."""


def apply(account: Account, wanted: Deployment, outside: Outside) -> Applied:
    """Make the account hold *wanted*; where it does already, nothing is written.

    PipelineError tells what stands in the way; StoppedError that it was told to stop. In both cases the lock is free,
    and the next deployment begins from what is there.
    """
    bucket = bucket_of(account, wanted)
    with aws_errors():
        missing = absent(bucket, wanted.stored)
    seen = look(bucket, wanted)
    images = _missing_images(wanted, outside)
    deployed = seen.plan.deployed
    is_done = seen.plan.action == "none" and not missing and not images and seen.past.pending is None
    if is_done and deployed is not None:
        with aws_errors():
            end_if_gone(bucket, wanted.name)
        return Applied(seen.plan, deployed.arn, 0, seen.warnings)
    return _Work(account, wanted, outside, bucket).done(missing, images)


def _missing_images(wanted: Deployment, outside: Outside) -> tuple[str, ...]:
    if not wanted.images:
        return ()
    assert outside.images is not None, "the driver gives what builds images"
    return tuple(uri for uri in wanted.images if not outside.images.exists(uri))


@dataclass(frozen=True, slots=True)
class _Work:
    """One deployment that has something to write."""

    account: Account
    wanted: Deployment
    outside: Outside
    bucket: Bucket

    def done(self, missing: tuple[Stored, ...], images: tuple[str, ...]) -> Applied:
        """Hold the lock and do all of it."""
        identity = secrets.token_hex(8)
        holder = this_process(identity, self.outside.environ, self.wanted.tags.get(COMMIT, ""))
        timeout, tell, sleep = self.outside.lock_timeout, self.outside.tell, self.outside.sleep
        with (
            aws_errors(),
            locked(self.bucket, self.wanted.name, holder, wait=timeout, tell=tell, sleep=sleep) as lock,
        ):
            seen = look(self.bucket, self.wanted)  # again: now nobody else writes
            entry = self._begin(seen.plan, seen.past, lock)
            self._upload(missing)
            self._build(images)
            arn = self._write(seen.plan, lock, entry)
            self._end(lock, entry)
        return Applied(seen.plan, arn, len(missing), seen.warnings)

    def _begin(self, planned: Plan, past: journal.Entry, lock: Lock) -> journal.Entry:
        """Write down what is to be done. One identity is kept over interruptions: what it has created, it has once."""
        self._go_on()
        before = "" if planned.deployed is None else planned.deployed.digest
        same = past.pending if past.pending is not None and past.pending.after == self.wanted.digest else None
        pending = journal.Pending(
            id=lock.holder.id if same is None else same.id,
            action="create" if planned.action == "create" else "update",
            who=str(lock.holder),
            commit=lock.holder.commit,
            before=before,
            after=self.wanted.digest,
        )
        managed = tuple(sorted({*past.managed, *self.wanted.tags}))
        return journal.write(self.bucket, self.wanted.name, replace(past, pending=pending, managed=managed))

    def _upload(self, missing: tuple[Stored, ...]) -> None:
        if not missing:
            return
        self._go_on()
        known = sum(thing.size for thing in missing if isinstance(thing, StoredFile))
        self.outside.tell(f"uploading {_files(len(missing))}, {known / 1024:,.0f} KiB")
        upload(self.bucket, missing, self.outside.contents, self.outside.stop)

    def _build(self, images: tuple[str, ...]) -> None:
        for uri in images:
            self._go_on()
            assert self.outside.images is not None, "see _missing_images"
            self.outside.tell(f"building {uri}")
            self.outside.images.publish(uri, self.wanted.images[uri])

    def _write(self, planned: Plan, lock: Lock, entry: journal.Entry) -> str:
        """Create or update the pipeline and its tags, read it back, and return its ARN."""
        set_tags = planned.set_tags
        arn = "" if planned.deployed is None else planned.deployed.arn
        if planned.changes_definition:
            self._go_on()
            lock.check()
            self.outside.tell("creating the pipeline" if planned.action == "create" else "updating the pipeline")
            arn, tagged = self._create_or_update(planned, entry)
            set_tags = {} if tagged else self.wanted.tags
        write_tags(self.account, arn, set_tags, planned.drop_tags)
        return self._read_back().arn

    def _create_or_update(self, planned: Plan, entry: journal.Entry) -> tuple[str, bool]:
        """Write it and return its ARN, and whether that wrote its tags.

        Somebody without our lock may have created or deleted it since it was looked for.
        """
        assert entry.pending is not None, "_begin has written it"
        identity = entry.pending.id
        if planned.action == "create" and (arn := create_pipeline(self.account, self.wanted, identity)):
            return arn, True
        if arn := update_pipeline(self.account, self.wanted):
            return arn, False
        if arn := create_pipeline(self.account, self.wanted, f"{identity}|again"):
            return arn, True
        summary = f"the pipeline {self.wanted.name} is created and deleted by somebody else all the time"
        raise PipelineError([Diagnostic("BF607", summary, hint="find out who, then run this again")])

    def _read_back(self) -> Deployed:
        """Return what is deployed now; PipelineError BF613 when it is not what was written."""
        found = None
        for pause in _READ_BACK:
            self.outside.sleep(pause)
            found = read_deployed(self.account, self.wanted.name)
            if found is not None and found.digest == self.wanted.digest and _has(found.tags, self.wanted.tags):
                return found
        raise PipelineError([_not_as_written(self.wanted, found)])

    def _end(self, lock: Lock, entry: journal.Entry) -> None:
        lock.check()
        managed = tuple(sorted(self.wanted.tags))
        journal.write(self.bucket, self.wanted.name, replace(entry, pending=None, managed=managed))

    def _go_on(self) -> None:
        if self.outside.stop.is_set():
            raise StoppedError


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _has(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(tags.get(key) == value for key, value in wanted.items() if key not in PASSING)


def _not_as_written(wanted: Deployment, found: Deployed | None) -> Diagnostic:
    if found is None:
        summary = f"the pipeline {wanted.name} was written, and is not there"
        return Diagnostic("BF613", summary, hint="somebody may have deleted it; run this again")
    planned = plan(wanted, found)
    where = [".".join(change.path) for change in planned.settings] + [f"step {step.name}" for step in planned.steps]
    where += [f"tag {key}" for key in planned.set_tags]
    summary = f"SageMaker holds another pipeline than it was given: {', '.join(where[:5])} differ"
    hint = "somebody may write it without buzzflow's lock; run buzzflow plan to see what"
    return Diagnostic("BF613", summary, hint=hint)
