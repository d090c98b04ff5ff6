"""Remove runs: which may go, which must stay and why, and how they go so that nothing half is left in their place."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from buzzflow.backends.local.history.overview import Overview, size_of
from buzzflow.diagnostics import Diagnostic, PipelineError

_TRASH = "trash"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may be kept: the *keep* newest runs, none begun before *oldest*, at most *size* bytes; None is no bound.

    Of a size that not even the newest run fits into, that run stays alone.
    """

    keep: int | None = None
    oldest: datetime | None = None
    size: int | None = None


@dataclass(frozen=True)
class Removal:
    """Which runs go, and of those that were to go, why each of the others stays. *caches* are folders that go, too."""

    goes: Sequence[Overview]
    stays: Mapping[str, str] = field(default_factory=dict)
    caches: Sequence[Path] = ()

    @cached_property
    def size(self) -> int:
        """How many bytes become free."""
        return sum(run.size for run in self.goes) + sum(map(size_of, self.caches))

    @property
    def folders(self) -> list[Path]:
        """All that goes."""
        return [*(run.folder for run in self.goes), *self.caches]


def beyond(bounds: Bounds, runs: Sequence[Overview]) -> list[Overview]:
    """Return those of *runs*, the newest first, that lie beyond the bounds."""
    found, size, is_full = [], 0, False
    for number, run in enumerate(runs):
        is_old = bounds.oldest is not None and run.started < bounds.oldest
        is_many = bounds.keep is not None and number >= bounds.keep
        size += 0 if bounds.size is None else run.size
        is_full = bounds.size is not None and number > 0 and (is_full or size > bounds.size)
        if is_old or is_many or is_full:
            found.append(run)
    return found


def removal(wanted: Iterable[Overview], runs: Sequence[Overview]) -> Removal:
    """Return which of the *wanted* can go: none that is running, and none with results that a run which stays uses."""
    goes = {run.id: run for run in wanted}
    stays = {run.id: "it is running" for run in goes.values() if run.state == "running"}
    uses = {run.id: set(_used_by(run, {other.id for other in runs})) for run in runs}
    todo = [run.id for run in runs if run.id not in goes or run.id in stays]
    while todo:
        user = todo.pop()
        for used in uses[user]:
            if used in goes and used not in stays:
                stays[used] = f"run {user} uses its results"
                todo.append(used)
    return Removal([run for run in goes.values() if run.id not in stays], stays)


def _used_by(run: Overview, ids: Collection[str]) -> Iterator[str]:
    """Yield the other runs in whose folders lie results that *run* has taken instead of making them."""
    for step in () if run.manifest is None else run.manifest.steps.values():
        for place in (*step.left.addresses.values(), *step.left.reports.values(), *step.left.properties.values()):
            if isinstance(place, str) and "/" in place:
                yield from (part for part in place.split("/") if part in ids and part != run.id)


def remove(state: Path, folders: Iterable[Path]) -> None:
    """Remove *folders* of the folder *state*; PipelineError BF522 when one cannot go.

    Each leaves its place in one step, so nobody finds half of it; what an interrupt has left goes at the next time.
    """
    trash = state / _TRASH
    _empty(trash)
    for folder in folders:
        try:
            trash.mkdir(exist_ok=True)
            folder.rename(trash / folder.name)
        except OSError as e:
            raise _cannot(folder, e) from None
        _empty(trash)


def _empty(trash: Path) -> None:
    try:
        if trash.exists():
            shutil.rmtree(trash)
    except OSError as e:
        raise _cannot(trash, e) from None


def _cannot(folder: Path, error: OSError) -> PipelineError:
    hint = "look at who owns its files: a container may have written some as another user"
    return PipelineError([Diagnostic("BF522", f"{folder} cannot be removed: {error}", hint=hint)])
