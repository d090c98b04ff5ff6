"""What runs one container's worth of work on this machine: docker, or a process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from buzzflow.backends.local.events import Transfer
from buzzflow.metrics import Usage

Tell = Callable[[str | Transfer], None]  # takes what is worth a line, and how far something has come


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder or file of this machine at a path of the step."""

    source: Path
    target: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """What a step runs in: an image, and what is installed over it once.

    *requirements* are the contents of requirement files, in order; equal contents are installed once. *wheels* are
    pinned packages that make the image like the framework's that it stands in for. *context* is a folder with a
    Dockerfile, where the image is built from one.
    """

    image: str
    requirements: tuple[str, ...] = ()
    wheels: tuple[str, ...] = ()
    context: Path | None = None

    @property
    def over_image(self) -> tuple[str, ...]:
        """What to install over the image."""
        return (*(["\n".join(self.wheels) + "\n"] if self.wheels else []), *self.requirements)

    @property
    def on_this_machine(self) -> tuple[str, ...]:
        """What to install for this machine's Python: it may be too new for the versions that the image's has."""
        names = [wheel.partition("==")[0] for wheel in self.wheels]
        return (*(["\n".join(names) + "\n"] if names else []), *self.requirements)


@dataclass(frozen=True, slots=True)
class Serving:
    """A server in the container: *listening* is told where this machine reaches its *port*."""

    port: int
    listening: Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Task:
    """One container to run; everything is known.

    *entrypoint* None means the image's own. *network* False means none at all. *timeout* is in seconds. *host* is the
    task's name among those of its *group*, which reach one another by their names, and nobody else when *network* is
    False.
    """

    run: str
    step: str
    setting: Setting
    entrypoint: tuple[str, ...] | None
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    mounts: tuple[Mount, ...]
    network: bool = True
    timeout: float | None = None
    host: str | None = None
    group: str | None = None
    serving: Serving | None = None


class End(StrEnum):
    """How a container ended."""

    EXITED = "exited"
    OUT_OF_MEMORY = "out_of_memory"
    TIMED_OUT = "timed_out"
    STOPPED = "stopped"  # because the run was told to stop
    LOST = "lost"  # the engine went away and the end is not known


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one container; *detail* says more where the system did."""

    end: End
    exit_code: int | None
    usage: Usage
    detail: str | None = None


class ExecutorError(Exception):
    """The machine cannot do what is asked; *hint* is what to do. It is the user's to mend, no bug.

    *image* is the one that cannot be had. *others* are as bad and were found on the way.
    """

    def __init__(
        self, summary: str, hint: str | None = None, *, unreachable: bool = False, image: str | None = None
    ) -> None:
        super().__init__(summary)
        self.summary, self.hint, self.image = summary, hint, image
        self.unreachable = unreachable  # a registry or daemon that does not answer, not a wrong name
        self.others: tuple[ExecutorError, ...] = ()


class Executor(Protocol):
    """Runs tasks. Its functions may be called from several threads at once."""

    name: str
    notes: list[str]  # what a user should know about this executor on this machine, a line each
    memory_bytes: int | None  # what all steps may use together, None when nobody knows

    def prepare(self, settings: Sequence[Setting], tell: Tell) -> None:
        """Make images and requirements available; ExecutorError when that is impossible. *tell* takes progress."""
        ...

    def run(self, task: Task, log: Callable[[bytes], None], stop: threading.Event) -> Outcome:
        """Run *task* to its end. *log* takes its output as it comes; setting *stop* ends it soon."""
        ...

    def close(self) -> None:
        """Remove everything of this run from the machine: containers, networks, processes. May be called twice."""
        ...


@runtime_checkable
class Identifies(Executor, Protocol):
    """An executor that can tell what a step really runs in."""

    @property
    def engine(self) -> str | None:
        """The name and version of what runs the steps."""
        ...

    def identify(self, setting: Setting) -> tuple[str, str | None]:
        """Return what names the content of *setting* on this machine, and the registry's digest of its image."""
        ...
