"""What the caches of local runs keep and nobody needs any more: virtual environments, and folders of image builds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from buzzflow.backends.local.history.overview import Overview

UNUSED_FOR = timedelta(days=30)
_BEING_MADE = timedelta(days=1)  # what is younger may belong to a run that is about to begin


def unused(state: Path, kept: Iterable[Overview], now: datetime) -> list[Path]:
    """Return the folders below *state* that may go: no run in *kept* is of them, or none has used them for 30 days."""
    return [*_environments(state / "cache" / "venvs", now), *_builds(state / "cache" / "builds", kept, now)]


def _environments(folder: Path, now: datetime) -> Iterator[Path]:
    """Yield the virtual environments that no run has used for long; each use leaves its time."""
    for environment in _folders(folder):
        with contextlib.suppress(OSError):
            used = max(file.stat().st_mtime for file in (environment, *environment.glob(".buzzflow-ready")))
            if now.timestamp() - used > UNUSED_FOR.total_seconds():
                yield environment


def _builds(folder: Path, kept: Iterable[Overview], now: datetime) -> Iterator[Path]:
    """Yield the folders that images were built from, for no run that is kept."""
    if not (found := _folders(folder)):
        return
    plans = [file.read_text("utf-8") for run in kept if (file := run.folder / "run-plan.json").is_file()]
    for build in found:
        is_old = now.timestamp() - build.stat().st_mtime > _BEING_MADE.total_seconds()
        if is_old and not any(build.name in plan for plan in plans):
            yield build


def _folders(folder: Path) -> list[Path]:
    return sorted(item for item in folder.iterdir() if item.is_dir()) if folder.is_dir() else []
