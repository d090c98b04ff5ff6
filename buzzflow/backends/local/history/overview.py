"""A run of this machine in a few figures, whether its manifest can be read or not."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

from buzzflow.backends.local.events import State
from buzzflow.backends.local.history.findings import Finding, findings
from buzzflow.backends.local.records.manifest import MANIFEST, Manifest, ManifestError, read_manifest

RunState = State | Literal["running", "killed", "unreadable"]
RUN_STATES = (*(state.value for state in State if state not in (State.CACHED, State.SKIPPED)), "running", "killed")


@dataclass(frozen=True)
class Overview:
    """A run in *folder*; *manifest* is None where it cannot be read, and *problem* says why."""

    folder: Path
    manifest: Manifest | None
    problem: str | None = None

    @property
    def id(self) -> str:
        """The run's id, which names its folder."""
        return self.folder.name

    @cached_property
    def state(self) -> RunState:
        """What became of it."""
        return "unreadable" if self.manifest is None else self.manifest.standing

    @cached_property
    def started(self) -> datetime:
        """When it began, in UTC; of one that cannot be read, when it was last written."""
        if self.manifest is not None:
            try:
                return datetime.fromisoformat(self.manifest.started).astimezone(UTC)
            except (ValueError, OverflowError):
                pass
        return datetime.fromtimestamp((self.folder / MANIFEST).stat().st_mtime, UTC)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The numbers that it found."""
        return () if self.manifest is None else tuple(findings(self.manifest, self.folder))

    @cached_property
    def size(self) -> int:
        """What its files take on the disk, in bytes."""
        return size_of(self.folder)

    def count(self, *states: str) -> int:
        """Return how many of its steps are in these states."""
        return 0 if self.manifest is None else sum(s.state in states for s in self.manifest.steps.values())


def overview(folder: Path) -> Overview:
    """Return the run in *folder*."""
    try:
        return Overview(folder, read_manifest(folder))
    except ManifestError as e:
        return Overview(folder, None, str(e))


def size_of(folder: Path) -> int:
    """Return what the files below *folder* take on the disk, each once; what goes meanwhile counts nothing."""
    seen: dict[tuple[int, int], int] = {}
    for here, _, names in os.walk(folder):
        for name in names:
            try:
                status = os.lstat(Path(here, name))
            except OSError:
                continue
            blocks = getattr(status, "st_blocks", None)  # of 512 bytes; Windows has none
            seen[status.st_dev, status.st_ino] = status.st_size if blocks is None else blocks * 512
    return sum(seen.values())
