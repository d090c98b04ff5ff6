"""What a step is run with: the executor, who is told, and how many containers may run at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from buzzflow.backends.local import plan
from buzzflow.backends.local.events import Event
from buzzflow.backends.local.executor import Executor, Setting
from buzzflow.backends.local.request.request import Ready

_WAKE_SECONDS = 0.2


@dataclass(frozen=True)
class Means:
    """What the steps of a run share. *slots* has as many places as jobs may run at once."""

    ready: Ready
    executor: Executor
    emit: Callable[[Event], None]
    stop: threading.Event
    slots: threading.Semaphore

    def setting(self, step: plan.Step) -> Setting:
        """Return what *step* runs in."""
        return self.ready.settings[step.written]

    def telling(self, emit: Callable[[Event], None]) -> Means:
        """Return the same, with somebody else who is told."""
        return replace(self, emit=emit)

    @contextlib.contextmanager
    def slot(self) -> Iterator[bool]:
        """Wait for a place to run a job in; False when the run is stopped meanwhile."""
        while not self.slots.acquire(timeout=_WAKE_SECONDS):
            if self.stop.is_set():
                yield False
                return
        try:
            yield True
        finally:
            self.slots.release()
