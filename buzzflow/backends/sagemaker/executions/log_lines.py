"""Read what steps print, from CloudWatch Logs: all of it in the order of time, its end, or as it comes."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from buzzflow.backends.printable import printable
from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.executions.log_places import LogPlace

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import GetLogEventsRequestTypeDef, OutputLogEventTypeDef

_PAGE = 10_000  # events, the most that GetLogEvents gives
_LEAST_PAGE = 200
_FIRST = "algo-1"
_MACHINE = re.compile(r"algo-\d+|i-[0-9a-f]+(?:/data-log)?")


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a step printed. *source* tells which of its jobs and machines; the first machine has no name."""

    at: datetime
    step: str
    source: str
    text: str
    stream: str


@dataclass(frozen=True, slots=True)
class _Stream:
    place: LogPlace
    name: str

    @property
    def source(self) -> str:
        """Its job, if the step has many, and `algo-2` of `job/algo-2-1700000000`; Lambda's streams tell nothing."""
        machine = _MACHINE.match(self.name.removeprefix(self.place.prefix))
        parts = (self.place.label, machine[0] if machine and machine[0] != _FIRST else "")
        return "/".join(part for part in parts if part)


def all_lines(account: Account, places: Sequence[LogPlace], *, since: datetime | None = None) -> Iterator[LogLine]:
    """Yield every line of *places* in the order of time; AWS's errors are raised."""
    streams = _streams(account, places)
    page = max(_LEAST_PAGE, _PAGE // max(1, len(streams)))  # of each stream, one page is held
    return heapq.merge(*(_lines(account, s, since, page) for s in streams), key=lambda line: line.at)


def last_lines(
    account: Account, places: Sequence[LogPlace], count: int, *, since: datetime | None = None
) -> list[LogLine]:
    """Return the last *count* lines of *places*, however long they are; AWS's errors are raised."""
    found = [line for stream in _streams(account, places) for line in _end(account, stream, count, since)]
    return sorted(found, key=lambda line: line.at)[-count:] if count else []


@dataclass
class Tail:
    """Reads what is new in logs each time that it is asked; streams may appear at any time.

    *last* is how many of the lines that are there already count; None is all of them.
    """

    account: Account
    since: datetime | None = None
    last: int | None = None
    _tokens: dict[_Stream, str] = field(default_factory=dict)
    _looked: bool = False

    def new_lines(self, places: Sequence[LogPlace]) -> list[LogLine]:
        """Return what *places* have got since the last time, in the order of time; AWS's errors are raised."""
        found = [line for stream in _streams(self.account, places) for line in self._read(stream)]
        found.sort(key=lambda line: line.at)
        first, self._looked = not self._looked, True
        return found if self.last is None or not first else found[-self.last :] if self.last else []

    def _read(self, stream: _Stream) -> Iterator[LogLine]:
        token = self._tokens.get(stream)
        if token is None and self.last is not None and not self._looked:
            events, token = _page(self.account, stream, self.since, max(1, self.last), from_head=False)
            yield from (line for event in events for line in _split(stream, event))
        while True:
            events, after = _page(self.account, stream, self.since, _PAGE, token)
            self._tokens[stream] = after
            yield from (line for event in events for line in _split(stream, event))
            if token == after:  # CloudWatch's own word for the end: "the same token you passed in"
                return
            token = after


def _streams(account: Account, places: Sequence[LogPlace]) -> list[_Stream]:
    return [stream for place in dict.fromkeys(places) for stream in _of_place(account, place)]


def _of_place(account: Account, place: LogPlace) -> Iterator[_Stream]:
    """Yield the streams of *place*; of a group that does not exist (yet), none."""
    paginator = account.logs.get_paginator("describe_log_streams")
    pages = (
        paginator.paginate(logGroupName=place.group, logStreamNamePrefix=place.prefix)
        if place.prefix
        else paginator.paginate(logGroupName=place.group, orderBy="LastEventTime", descending=True)
    )
    try:
        for page in pages:
            for found in page["logStreams"]:
                last = found.get("lastIngestionTime") or found.get("lastEventTimestamp")
                if place.since is not None and last is not None and last < _milliseconds(place.since):
                    return  # they come in the order of their last event, about which CloudWatch may be an hour late
                yield _Stream(place, found["logStreamName"])
    except account.logs.exceptions.ResourceNotFoundException:
        return


def _lines(account: Account, stream: _Stream, since: datetime | None, size: int) -> Iterator[LogLine]:
    token: str | None = None
    while True:
        events, after = _page(account, stream, since, size, token)
        yield from (line for event in events for line in _split(stream, event))
        if after == token:
            return
        token = after


def _end(account: Account, stream: _Stream, count: int, since: datetime | None) -> list[LogLine]:
    events, _ = _page(account, stream, since, min(max(count, 1), _PAGE), from_head=False)
    return [line for event in events for line in _split(stream, event)]


def _page(
    account: Account,
    stream: _Stream,
    since: datetime | None,
    size: int,
    token: str | None = None,
    *,
    from_head: bool = True,
) -> tuple[list[OutputLogEventTypeDef], str]:
    """Return the events of a page, and the token of the next, which is the same where there is none for now."""
    request = _request(stream, since, size)
    request["startFromHead"] = from_head
    if token is not None:
        request["nextToken"] = token
    try:
        found = account.logs.get_log_events(**request)
    except account.logs.exceptions.ResourceNotFoundException:  # gone: its time to be kept is over
        return [], token or ""
    return found["events"], found["nextForwardToken"]


def _request(stream: _Stream, since: datetime | None, size: int) -> GetLogEventsRequestTypeDef:
    place = stream.place
    request: GetLogEventsRequestTypeDef = {
        "logGroupName": place.group,
        "logStreamName": stream.name,
        "limit": size,
    }
    begins = [moment for moment in (since, place.since) if moment is not None]
    if begins:
        request["startTime"] = _milliseconds(max(begins))
    if place.until is not None:
        request["endTime"] = _milliseconds(place.until) + 1_000  # what is printed last may be a moment late
    return request


def _split(stream: _Stream, event: OutputLogEventTypeDef) -> Iterator[LogLine]:
    at = datetime.fromtimestamp(event.get("timestamp", 0) / 1000, UTC)
    for line in event.get("message", "").rstrip("\r\n").split("\n"):
        shown = line.rstrip("\r").rsplit("\r", 1)[-1]  # a progress bar writes over itself
        yield LogLine(at, stream.place.step, stream.source, printable(shown), stream.name)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
