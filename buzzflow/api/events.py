"""A run on this machine as a stream of what happens in it."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from buzzflow.api.pipelines import Settings, Target, checked_pipeline, readable
from buzzflow.api.runs import Report, as_text, report_of
from buzzflow.backends.local.events import Event

if TYPE_CHECKING:
    from buzzflow.driver.local import LocalOptions
    from buzzflow.driver.stages import Checked

_AHEAD = 10_000  # events that wait for the caller; with so many, steps wait too
_WAKE_SECONDS = 0.2


class RunEvents:
    """A run on its way: iterate over its events, once; afterwards `report` says how it ended.

    It runs while you iterate, and at most some thousand lines ahead of you. Leaving the loop or the `with` block early
    stops it.
    """

    def __init__(self, checked: Checked, options: LocalOptions) -> None:
        self._checked, self._options = checked, options
        self._events: queue.Queue[Event | None] = queue.Queue(_AHEAD)
        self._stop = threading.Event()
        self._left = threading.Event()  # nobody takes events any more
        self._report: Report | None = None
        self._error: BaseException | None = None
        self._stream = self._steps()

    @property
    def report(self) -> Report:
        """How the run ended; RuntimeError before its end."""
        if self._report is None:
            raise RuntimeError("the run has not ended: iterate over its events to the end first")
        return self._report

    def stop(self) -> None:
        """Ask running steps to end and start no other; go on iterating to see them end."""
        self._stop.set()

    def __iter__(self) -> Iterator[Event]:
        return self._stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def _steps(self) -> Generator[Event, None, None]:
        thread = threading.Thread(target=self._run, name="buzzflow-run")
        thread.start()
        try:
            while (event := self._events.get()) is not None:
                yield event
        finally:
            self._left.set()
            self._stop.set()  # after the end it changes nothing
            thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        from buzzflow.driver import local

        try:
            with readable():
                done = local.run_local(self._checked, self._options, self._put, self._stop)
            self._report = report_of(done)
        except BaseException as e:  # noqa: BLE001 - raised again where the caller iterates
            self._error = e
        finally:
            self._put(None)

    def _put(self, event: Event | None) -> None:
        while not self._left.is_set():
            with contextlib.suppress(queue.Full):
                self._events.put(event, timeout=_WAKE_SECONDS)
                return


def run_events(
    path: Target = ".",
    *,
    parameters: Mapping[str, object] | None = None,
    executor: Literal["auto", "docker", "process"] = "auto",
    set: Settings = (),  # noqa: A002  # as --set
    jobs: int | None = None,
) -> RunEvents:
    """Run a pipeline on this machine and tell what happens, as it happens. The arguments are those of `run_local`.

    Raises:
        PipelineError: something is wrong; what is only missing for the run is raised by the first iteration.

    >>> run = run_events("flights", parameters={"rows": 3}, executor="process")
    >>> [event.step for event in run if isinstance(event, StepStarted)]
    ['extract', 'train']
    >>> run.report.succeeded
    True
    """
    from buzzflow.driver.local import LocalOptions

    checked = checked_pipeline(path, set, local=True, backend="local")
    given = {name: as_text(value) for name, value in (parameters or {}).items()}
    return RunEvents(checked, LocalOptions(executor, given, jobs))
