"""What an earlier run has left of a step, and which steps of a run take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from buzzflow.backends.local.events import State, StepFinished
from buzzflow.backends.local.records.manifest import CacheRecord, LeftRecord, ManifestError, StepRecord, read_manifest
from buzzflow.backends.local.request.request import RunRequest
from buzzflow.backends.local.reuse.outputs import Listing, read_listing, write_listing
from buzzflow.backends.local.steps.results import Left
from buzzflow.backends.local.store import AddressError


@dataclass(frozen=True, slots=True)
class Results:
    """What *step* left in the run whose folder is *folder*, and what is written of it there."""

    step: str
    folder: Path
    record: StepRecord
    listing: Listing

    @property
    def run(self) -> str:
        """The run's id."""
        return self.folder.name

    def taken(self, step_folder: Path, reason: str, cache: CacheRecord) -> tuple[StepFinished, Left]:
        """Return the end of a step that takes these results, and what it leaves; their list goes to *step_folder*."""
        write_listing(self.listing, step_folder)
        record = self.record
        left = left_of(self.step, record.left, self.folder)
        event = StepFinished(
            self.step,
            State.CACHED,
            result=record.result,
            reason=reason,
            exit_code=record.exit_code,
            metrics=record.metrics,
            how=record.how,
        )
        return event, Left(left.addresses, left.reports, left.properties, self.listing.records(), cache)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a run does besides running everything.

    *kept* are earlier results by step, *omitted* why a step does not run; *forced* are the steps that look for no
    earlier result, None for all. *resumed* is the run that this one goes on with.
    """

    kept: Mapping[str, Results] = field(default_factory=dict)
    omitted: Mapping[str, str] = field(default_factory=dict)
    forced: frozenset[str] | None = frozenset()
    resumed: str | None = None

    def forces(self, step: str) -> bool:
        """Whether *step* runs whatever earlier runs have left."""
        return self.forced is None or step in self.forced


EVERYTHING = Selection()


def results_of(step: str, run: str, request: RunRequest) -> Results | None:
    """Return what *step* left in an earlier run, if it succeeded there and all that it left is still whole."""
    folder = request.state / "runs" / run
    try:
        record = read_manifest(folder).steps.get(step)
    except ManifestError:
        return None
    listing = read_listing(folder / "steps" / step)
    if record is None or listing is None or record.state not in (State.SUCCEEDED, State.CACHED):
        return None
    try:
        is_whole = listing.is_whole(request.store())
    except AddressError:
        return None
    return Results(step, folder, record, listing) if is_whole else None


def left_of(step: str, record: LeftRecord, folder: Path) -> Left:
    """Return what a record of the run in *folder* says that *step* left."""
    return Left(
        {(step, name): address for name, address in record.addresses.items()},
        {(step, name): folder / path for name, path in record.reports.items()},
        {(step, word): value for word, value in record.properties.items()},
    )


def record_of(left: Left, folder: Path) -> LeftRecord:
    """Return what the manifest of the run in *folder* says that a step left: the inverse of `left_of`."""

    def named(path: Path) -> str:
        if path.is_relative_to(folder):
            return str(path.relative_to(folder))
        runs = folder.parent  # of an earlier run: so they may be moved together
        return f"../{path.relative_to(runs)}" if path.is_relative_to(runs) else str(path)

    return LeftRecord(
        addresses={name: address for (_, name), address in left.addresses.items()},
        reports={name: named(path) for (_, name), path in left.reports.items()},
        properties={word: value for (_, word), value in left.properties.items()},
    )
