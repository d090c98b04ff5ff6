"""The part of a manifest that says what a run was made of, besides its plan and its code."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Inventory(_Record):
    """What is installed for Python in an image or a virtual environment: versions by name."""

    python: str
    packages: dict[str, str] = {}


class GitRecord(_Record):
    """Where the pipeline's files come from. *diff* is a file of the run; *untracked* are digests by path."""

    commit: str
    branch: str | None = None
    repository: str | None = None
    changed: list[str] = []
    untracked: dict[str, str] = {}
    diff: str | None = None


class ImageRecord(_Record):
    """What a step ran in: *id* is the engine's for the image, or names a virtual environment; *digest* the registry's.

    *packages* is the key of what is installed in it.
    """

    asked: str
    id: str | None = None
    digest: str | None = None
    packages: str | None = None


class DataRecord(_Record):
    """Data that an input read from this machine; no *digest* where there is too much of it."""

    source: str
    bytes: int
    files: int
    digest: str | None = None


class PlatformRecord(_Record):
    """The machine of a run."""

    system: str
    python: str
    cpu: str | None = None
    cores: int | None = None
    memory_bytes: int | None = None
    engine: str | None = None


class ProvenanceRecord(_Record):
    """All of it: *images* by step, *packages* by their key, *data* by `step.input`. *resolved* is a file of the run."""

    platform: PlatformRecord
    resolved: str | None = None
    git: GitRecord | None = None
    images: dict[str, ImageRecord] = {}
    packages: dict[str, Inventory] = {}
    data: dict[str, DataRecord] = {}


class Origin(Protocol):
    """Knows where a pipeline's files come from."""

    def record(self, folder: Path) -> tuple[str | None, GitRecord | None]:
        """Write the resolved pipeline and what is not committed to *folder*; return the first's name, and Git's."""
        ...
