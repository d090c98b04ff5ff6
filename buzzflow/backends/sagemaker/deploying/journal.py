"""What is being deployed: written before anything changes, so that the next deployment knows of one that was killed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from buzzflow.backends.sagemaker.deploying.bucket import Bucket, ChangedError
from buzzflow.diagnostics import Diagnostic, PipelineError, Severity

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Pending:
    """A deployment that has begun: its id, what it does, and from which content to which."""

    id: str
    action: str
    who: str
    commit: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Entry:
    """The journal of one pipeline; *managed* are the tags that buzzflow has set, *etag* is empty where none is kept."""

    pending: Pending | None = None
    managed: tuple[str, ...] = ()
    etag: str = ""
    problem: Diagnostic | None = field(default=None, compare=False)


def key_of(name: str) -> str:
    """Return where the journal of the pipeline called *name* lies."""
    return f"buzzflow/deploys/{name}.json"


def read(bucket: Bucket, name: str) -> Entry:
    """Return the journal of a pipeline; a damaged one is an empty one with a *problem*, a warning."""
    if (found := bucket.read(key_of(name))) is None:
        return Entry()
    try:
        data = json.loads(found.content)
        if data["format"] != FORMAT:
            raise _newer(name, data["format"])
        pending = None if data["pending"] is None else Pending(**_texts(data["pending"]))
        return Entry(pending, tuple(map(str, data["managed"])), found.etag)
    except (ValueError, TypeError, KeyError):
        summary = f"the journal s3://{bucket.name}/{key_of(name)} cannot be read, so it starts anew"
        return Entry(etag=found.etag, problem=Diagnostic("BF612", summary, severity=Severity.WARNING))


def write(bucket: Bucket, name: str, entry: Entry) -> Entry:
    """Write the journal and return it with its new version; PipelineError BF611 when it is no longer what was read."""
    data = {
        "format": FORMAT,
        "pending": None if entry.pending is None else asdict(entry.pending),
        "managed": [*entry.managed],
    }
    content = json.dumps(data, indent=1).encode()
    key = key_of(name)
    try:
        etag = bucket.replace(key, content, entry.etag) if entry.etag else bucket.create(key, content)
    except ChangedError:
        found = bucket.read(key)  # ours, when only the answer was lost
        if found is None or found.content != content:
            summary = f"the journal of {name} was written by somebody else during this deployment"
            raise PipelineError([Diagnostic("BF611", summary, hint="run the same command again")]) from None
        etag = found.etag
    return Entry(entry.pending, entry.managed, etag)


def interrupted(pending: Pending) -> Diagnostic:
    """Return what to tell of a deployment that did not come to its end."""
    commit = f" of {pending.commit[:12]}" if pending.commit else ""
    summary = f"the last deployment{commit} by {pending.who} ended while it was to {pending.action} the pipeline"
    hint = "this one begins from what is there"
    return Diagnostic("BF612", summary, hint=hint, severity=Severity.WARNING)


def _texts(data: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in data.items()}


def _newer(name: str, form: object) -> PipelineError:
    summary = f"the journal of {name} has format {form}, and this buzzflow knows {FORMAT}"
    return PipelineError([Diagnostic("BF612", summary, hint="update buzzflow")])
