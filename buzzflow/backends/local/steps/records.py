"""Cut files into records and requests, and put the answers together, the way batch transform does.

Sources: Amazon SageMaker API Reference, TransformInput, TransformOutput, DataProcessing and CreateTransformJob;
Developer Guide, "Associate Prediction Results with Input Records".
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from buzzflow.backends.local.steps.filters import Filter, FilterError, select

MEGABYTE = 1024 * 1024


class RecordError(Exception):
    """Data or an answer cannot be read as records; the text says why."""


@dataclass(frozen=True, slots=True)
class Form:
    """How records travel; without filters and join, records and answers are passed on as bytes."""

    split: str = "none"
    assemble: str = "none"
    single: bool = False
    most_bytes: int = 6 * MEGABYTE
    content_type: str | None = None
    accept: str | None = None
    input_filter: Filter = ()
    output_filter: Filter = ()
    join: bool = False

    @property
    def looks_inside(self) -> bool:
        """Whether answers are read, and not only stored."""
        return self.join or bool(self.output_filter)


@dataclass(frozen=True, slots=True)
class Batch:
    """The records of one request, as they stood in the file, and its body."""

    records: tuple[bytes, ...]
    body: bytes


def unpacked(data: bytes, compression: str) -> bytes:
    """Return the content of a file of that compression."""
    if compression == "none":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as e:
        raise RecordError(f"it is not compressed with gzip: {e}") from None


def batches(data: bytes, form: Form) -> Iterator[Batch]:
    """Yield the requests for one file."""
    if form.split == "none":
        yield _batch([data], form)
        return
    waiting: list[bytes] = []
    size = 0
    for record in (line for line in data.splitlines() if line):
        body = _sent(record, form)
        if waiting and (form.single or size + len(body) + 1 > form.most_bytes):
            yield _batch(waiting, form)
            waiting, size = [], 0
        waiting.append(record)
        size += len(body) + 1
    if waiting:
        yield _batch(waiting, form)


def _batch(records: list[bytes], form: Form) -> Batch:
    bodies = [_sent(record, form) for record in records]
    body = bodies[0] if form.split == "none" else b"\n".join(bodies)
    if len(body) > form.most_bytes:
        what = f"a request has {len(body):,} bytes, and max_payload_mb allows {form.most_bytes:,}"
        raise RecordError(f"{what}: {'raise it' if form.split != 'none' else 'use split: line, or raise it'}")
    return Batch(tuple(records), body)


def _sent(record: bytes, form: Form) -> bytes:
    if not form.input_filter:
        return record
    return _written(_select(_read(record, form.content_type), form.input_filter), form.content_type)


def assembled(batch: Batch, answer: bytes, form: Form) -> bytes:
    """Return what is stored of an answer."""
    if not form.looks_inside:
        return answer if form.assemble == "none" or answer.endswith(b"\n") else answer + b"\n"
    kind = form.accept or form.content_type
    answers = [answer] if form.split == "none" else _one_for_each(batch, answer)
    lines = []
    for record, one in zip(batch.records, answers, strict=True):
        found = _read(one, kind)
        if form.join:
            found = _joined(_read(record, form.content_type), found)
        lines.append(_written(_select(found, form.output_filter), kind))
    return b"".join(line + b"\n" for line in lines) if form.assemble == "line" else b"\n".join(lines)


def _one_for_each(batch: Batch, answer: bytes) -> Sequence[bytes]:
    lines = [line for line in answer.splitlines() if line]
    if len(lines) != len(batch.records):
        what = f"the model answered {len(lines)} lines to {len(batch.records)} records"
        raise RecordError(f"{what}: filter and join need one for each")
    return lines


def _joined(record: Any, answer: Any) -> Any:
    if isinstance(record, list) and isinstance(answer, list):
        return [*record, *answer]
    if isinstance(record, dict):
        return {**record, "SageMakerOutput": answer}
    return {"SageMakerInput": record, "SageMakerOutput": answer}


def _select(record: Any, wanted: Filter) -> Any:
    try:
        return select(record, wanted)
    except FilterError as e:
        raise RecordError(str(e)) from None


# ------------------------------------------------------------------ CSV and JSON


def _is_csv(content_type: str | None) -> bool:
    return (content_type or "").partition(";")[0].strip() == "text/csv"


def _read(record: bytes, content_type: str | None) -> Any:
    try:
        text = record.decode("utf-8")
        if _is_csv(content_type):
            return [value for row in csv.reader(io.StringIO(text)) for value in row]
        return json.loads(text)
    except (ValueError, RecursionError, csv.Error) as e:
        kind = "CSV" if _is_csv(content_type) else "JSON"
        raise RecordError(f"{record[:60]!r} is no {kind}: {e}") from None


def _written(record: Any, content_type: str | None) -> bytes:
    if not _is_csv(content_type):
        return json.dumps(record).encode()
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(record if isinstance(record, list) else [record])
    return out.getvalue().encode()
