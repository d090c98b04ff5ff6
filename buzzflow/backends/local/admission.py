"""Which steps fit into the memory beside those that run: what each used at most in its last run says so.

A container's limit cannot shrink safely while it runs, so steps share no memory by shares; they wait for one another. A
step that never ran is unknown, and starts at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from buzzflow.backends.local.records.manifest import ManifestError, read_manifest

_RUNS_LOOKED_AT = 20
_GIB = 2**30


class Memory:
    """*total* bytes for all steps together, None for nobody knows; *peaks* are those of earlier runs."""

    def __init__(self, total: int | None, peaks: Mapping[str, int]) -> None:
        self._total, self._peaks = total, peaks
        self._told: set[str] = set()

    def admits(self, step: str, running: Iterable[str]) -> bool:
        """Whether *step* may start beside those that are *running*; one alone always may, and an unknown one."""
        others = sum(self._peaks.get(name, 0) for name in running)
        if self._total is None or not others or step not in self._peaks:
            return True
        return self._peaks[step] + others <= self._total

    def why_not(self, step: str, running: Iterable[str]) -> str | None:
        """Return what to tell of a step that is not admitted, the first time."""
        if step in self._told or self._total is None:
            return None
        self._told.add(step)
        names = sorted(name for name in running if name in self._peaks)
        others = sum(self._peaks[name] for name in names)
        needs = f"last time it used {_text(self._peaks[step])}"
        return f"{step} waits for memory: {needs}, and {', '.join(names)} {_text(others)}, of {_text(self._total)}"


def last_peaks(runs: Path, pipeline: str) -> dict[str, int]:
    """Return the memory that each step of *pipeline* used at most in the last run that measured it, in bytes."""
    found: dict[str, int] = {}
    folders = sorted((folder for folder in runs.glob("*") if folder.is_dir()), reverse=True)
    for folder in folders[:_RUNS_LOOKED_AT]:
        try:
            manifest = read_manifest(folder)
        except ManifestError:
            continue  # a run of another version, or one that was removed by half
        if manifest.pipeline == pipeline:
            for name, step in manifest.steps.items():
                if step.usage is not None and step.usage.memory_peak_bytes is not None:
                    found.setdefault(name, step.usage.memory_peak_bytes)
    return found


def _text(count: int) -> str:
    return f"{count / _GIB:.1f} GiB"
