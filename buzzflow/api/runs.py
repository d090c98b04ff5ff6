"""Runs on this machine as Python objects."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from buzzflow.api.pipelines import Settings, Target, checked_pipeline, readable
from buzzflow.views.steps import Named

if TYPE_CHECKING:
    from buzzflow.backends.local.events import Event, StepFinished
    from buzzflow.driver.local import LocalRun


@dataclass(frozen=True, slots=True)
class StepReport:
    """How a step ended, and what it left.

    *state* is succeeded, cached, failed, skipped or stopped, *reason* says why it is not the first. *outputs* are
    folders by the output's name, *model* is a training's model.tar.gz, *seconds* the time that it ran.
    """

    name: str
    state: str
    reason: str | None = None
    result: str | None = None
    exit_code: int | None = None
    seconds: float | None = None
    log: Path | None = None
    warnings: tuple[str, ...] = ()
    outputs: Mapping[str, Path] = field(default_factory=dict)
    model: Path | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended: *state* is succeeded, failed or stopped; *folder* keeps its logs and outputs.

    *page* is its report, one HTML file; None when that could not be written.
    """

    run: str
    state: str
    seconds: float
    folder: Path
    steps: Mapping[str, StepReport]
    page: Path | None = None

    @property
    def succeeded(self) -> bool:
        """Whether no step failed and nobody stopped the run."""
        return self.state == "succeeded"


def run_local(
    path: Target = ".",
    *,
    parameters: Mapping[str, object] | None = None,
    executor: Literal["auto", "docker", "process"] = "auto",
    set: Settings = (),  # noqa: A002  # as --set
    jobs: int | None = None,
    on_event: Callable[[Event], None] | None = None,
    show: bool | None = None,
) -> Report:
    """Run a pipeline on this machine and wait for its end.

    A step that fails raises nothing: the report says so.

    Args:
        path: the pipeline.yaml, or its folder.
        parameters: values of this run's parameters.
        executor: docker, process, or auto: Docker when a daemon answers.
        set: values that lie over the file's, as with `--set`.
        jobs: how many steps may run side by side; None is as many as cores, 4 at least.
        on_event: gets everything that happens, as it happens; `run_events` gives the same as an iterator.
        show: whether progress is shown as the command line does; None is in a notebook, when there is no *on_event*.

    Raises:
        PipelineError: something is missing or wrong before anything starts.

    >>> report = run_local("flights", parameters={"rows": 3}, executor="process")
    >>> report.succeeded, report.steps["train"].metrics
    (True, {'rows': 3.0})
    """
    from buzzflow.driver import local

    checked = checked_pipeline(path, set, local=True, backend="local")
    given = {name: as_text(value) for name, value in (parameters or {}).items()}
    options = local.LocalOptions(executor, given, jobs)
    with readable(), _audience(on_event, show=show) as emit:
        done = local.run_local(checked, options, emit, threading.Event())
    return report_of(done)


@contextmanager
def _audience(on_event: Callable[[Event], None] | None, *, show: bool | None) -> Iterator[Callable[[Event], None]]:
    from buzzflow.views.progress import progress
    from buzzflow.views.summary import console

    screen = console(stderr=True)
    if not (screen.is_jupyter and on_event is None if show is None else show):
        yield on_event or (lambda _event: None)
        return
    with progress(screen) as emit:

        def both(event: Event) -> None:
            emit(event)
            if on_event is not None:
                on_event(event)

        yield both


def report_of(done: LocalRun) -> Report:
    """Return how a run ended."""
    report = done.report
    steps = Named("step", {name: step_report(event, done) for name, event in report.steps.items()})
    return Report(report.run, report.state.value, report.seconds, report.folder, steps, _written(report.folder))


def _written(folder: Path) -> Path | None:
    from buzzflow.backends.local.records.manifest import ManifestError
    from buzzflow.driver.advice import advise_run
    from buzzflow.views.report import write_report

    try:
        return write_report(folder, fitting=advise_run(folder))
    except (OSError, ManifestError):
        return None  # the run is as good without it, and the answer says that there is none


def step_report(event: StepFinished, done: LocalRun) -> StepReport:
    """Return how a step of a run ended."""
    name = event.step
    metrics = {w.removeprefix("metrics."): v for (s, w), v in done.properties.items() if s == name and "metrics." in w}
    return StepReport(
        name=name,
        state=event.state.value,
        reason=event.reason,
        result=event.result,
        exit_code=event.exit_code,
        seconds=None if event.usage is None else event.usage.wall_seconds,
        log=event.log,
        warnings=event.warnings,
        outputs=Named("output", {output: path for (step, output), path in done.outputs.items() if step == name}),
        model=done.models.get(name),
        metrics={metric: float(value) for metric, value in metrics.items()},
    )


def as_text(value: object) -> str:
    """Return a parameter's value as `--param` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
