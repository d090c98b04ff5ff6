"""Take the result of an earlier run for a step of which nothing has changed that it depends on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from buzzflow.backends.local.evaluate import EvaluationError
from buzzflow.backends.local.events import Event, Notice, State, StepFinished
from buzzflow.backends.local.executor import Setting
from buzzflow.backends.local.records.manifest import CacheRecord, Why
from buzzflow.backends.local.request.request import RunRequest
from buzzflow.backends.local.reuse.digests import Digests
from buzzflow.backends.local.reuse.index import Entry, Index
from buzzflow.backends.local.reuse.keys import changed, fields_of, key_of, values_of
from buzzflow.backends.local.reuse.outputs import list_outputs, write_listing
from buzzflow.backends.local.reuse.results import Results, Selection, results_of
from buzzflow.backends.local.steps.results import ContainerStep, Left, StepPlace
from buzzflow.backends.local.store import AddressError

Ending = tuple[StepFinished, Left]


@dataclass(frozen=True, slots=True)
class Found:
    """What the cache says of a step: *results* when there are some that count, which are *age* seconds old."""

    record: CacheRecord
    results: Results | None = None
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class StepCache:
    """The results of earlier runs, as a run on *executor* sees them. Several steps may ask at once.

    *started* is when this run began: UTC, ISO 8601.
    """

    request: RunRequest
    executor: str
    started: str
    selection: Selection
    digests: Digests

    @property
    def index(self) -> Index:
        """The results of this pipeline."""
        return Index(self.request.state / "cache", self.request.plan.prefix)

    def take_or_run(
        self,
        place: StepPlace[ContainerStep],
        setting: Setting,
        run: Callable[[], Ending],
        emit: Callable[[Event], None],
        stop: threading.Event,
    ) -> Ending:
        """Return how a step ended: with an earlier result, or by *run*, whose result is kept for later runs."""
        found = self.look(place, setting)
        if found is not None and found.results is not None:
            taken = found.results.run
            return found.results.taken(place.folder, f"taken from run {taken}, {_ago(found.age)}", found.record)
        record = None if found is None else found.record
        event, left = run()
        if event.state is State.SUCCEEDED:
            left = self._kept(place, record, left, emit, stop)
        return event, replace(left, cache=record)

    def look(self, place: StepPlace[ContainerStep], setting: Setting) -> Found | None:
        """Return what a cached step depends on, and why there is a result or none; None is a step without cache."""
        step = place.step
        if step.cache is None:
            return None
        try:
            values = values_of(place, step.cache.fields, setting, self.executor, self.digests)
        except (EvaluationError, AddressError, OSError):  # the step itself will say what is missing
            return Found(CacheRecord(why="unreadable"))
        return self.judged(step.name, fields_of(values), step.cache.expire_after)

    def judged(self, step: str, fields: dict[str, str], expire_after: int | None) -> Found:
        """Return what there is for a step that depends on *fields*."""
        key = key_of(fields)

        def told(why: Why, run: str | None = None, differing: list[str] | None = None) -> CacheRecord:
            return CacheRecord(why=why, key=key, fields=fields, run=run, changed=differing or [])

        if self.selection.forces(step):
            return Found(told("forced"))
        entry = self.index.find(step, key)
        if entry is None:
            last = self.index.newest(step)
            if last is None:
                return Found(told("no earlier run"))
            return Found(told("changed", last.run, changed(last.fields, fields)))
        age = _seconds(entry.started, self.started)
        if expire_after is not None and age > expire_after:
            return Found(told("expired", entry.run), age=age)
        results = results_of(step, entry.run, self.request)
        if results is None:
            return Found(told("outputs are gone", entry.run), age=age)
        return Found(told("hit", entry.run), results, age)

    def _kept(
        self,
        place: StepPlace[ContainerStep],
        record: CacheRecord | None,
        left: Left,
        emit: Callable[[Event], None],
        stop: threading.Event,
    ) -> Left:
        """List what the step left, and make it known to later runs."""
        name = place.step.name
        try:
            listing = list_outputs(left, self.request.store(), stop)
            write_listing(listing, place.folder)
            if record is not None and record.key is not None:
                entry = Entry(run=self.request.run, started=self.started, fields=record.fields)
                self.index.keep(name, record.key, entry)
        except InterruptedError:
            return left
        except (AddressError, OSError) as e:
            emit(Notice(f"{name}: later runs will not find its results: {e}", warning=True))
            return left
        return replace(left, outputs=listing.records())


def _seconds(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def _ago(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
