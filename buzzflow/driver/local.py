"""Run a checked pipeline on this machine: choose the executor, prepare it, run, leave nothing behind."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from buzzflow import ir
from buzzflow.backends.local import plan
from buzzflow.backends.local.evaluate import Plain
from buzzflow.backends.local.events import Event
from buzzflow.backends.local.executor import Executor
from buzzflow.backends.local.records.origins import Origin
from buzzflow.backends.local.request.docker_only import without_docker
from buzzflow.backends.local.request.downloads import fetched
from buzzflow.backends.local.request.request import Ready, RunRequest, place_of, prepare
from buzzflow.backends.local.reuse.results import EVERYTHING, Selection
from buzzflow.backends.local.run import Report, run
from buzzflow.diagnostics import Diagnostic, PipelineError, did_you_mean
from buzzflow.driver.executors import cannot_keep, choose_executor, monitor, told_by, until
from buzzflow.driver.local_steps import steps_here
from buzzflow.driver.origins import origin_of
from buzzflow.driver.runs import STATE, all_runs
from buzzflow.driver.selecting import ALL_STEPS, Part, select_part
from buzzflow.driver.stages import Checked, compile_artifact, with_places
from buzzflow.loader.nodes import SourceMap

if TYPE_CHECKING:
    from buzzflow.driver.download import Download

DEFAULT_JOBS = 4


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """What a caller may say about a run besides the pipeline; *parameters* are given as text.

    *executor* is auto, docker or process; *jobs* is how many steps may run side by side, None as many as cores.
    *monitoring* False leaves out cAdvisor and Prometheus, as the pipeline's own `local.monitoring` does.
    *pull* says when images are fetched: missing, never or always. *fail* and *interrupt* let steps go wrong, as on the
    command line; *real_time* waits before retries as long as the service does. *download* is how many bytes may be
    fetched from S3, None for no connection to it. *part* are the steps that are asked for, and *force* takes no cached
    result.
    """

    executor: str = "auto"
    parameters: Mapping[str, str] = field(default_factory=dict)
    jobs: int | None = None
    monitoring: bool = True
    pull: str = "missing"
    fail: Sequence[str] = ()
    interrupt: Sequence[str] = ()
    real_time: bool = False
    download: int | None = None
    part: Part = ALL_STEPS
    force: bool = False

    @property
    def most_jobs(self) -> int:
        """How many steps may run side by side: by default as many as cores, at least 4."""
        return self.jobs or max(DEFAULT_JOBS, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class LocalRun:
    """How a run ended, and what its steps left: outputs by step and name, what they give by step and word.

    A step's model is its property `model`; *opt_ml* is what each container step saw as `/opt/ml`.
    """

    report: Report
    outputs: Mapping[tuple[str, str], Path]
    models: Mapping[str, Path]
    properties: Mapping[tuple[str, str], Plain]
    opt_ml: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that lacks nothing but an executor."""

    request: RunRequest
    ready: Ready
    selection: Selection = EVERYTHING
    source: SourceMap | None = None  # None when its files of then are not looked at


def run_local(
    checked: Checked, options: LocalOptions, emit: Callable[[Event], None], stop: threading.Event
) -> LocalRun:
    """Run *checked*, loaded with its local layer; PipelineError tells what is missing before anything starts."""
    state = checked.loaded.root / STATE
    emit = _one_at_a_time(emit)

    def select(request: RunRequest) -> Selection:
        return select_part(request, options.part, all_runs(state), force=options.force)

    download = _download(checked, options, emit, stop)
    prepared = prepared_request(checked, options, state, select=select, origin=origin_of(checked), download=download)
    options = replace(options, monitoring=options.monitoring and checked.config.local.monitoring)
    return run_chosen(prepared, options, emit, stop)


def run_chosen(
    prepared: Prepared, options: LocalOptions, emit: Callable[[Event], None], stop: threading.Event
) -> LocalRun:
    """Run with the executor that *options* name, or that this machine can run, and leave nothing behind."""
    request = prepared.request
    told = until(stop, emit)
    cache = request.state / "cache"
    chosen = choose_executor(options.executor, request.run, cache, prepared.ready, told, pull=options.pull)
    if options.monitoring:
        monitor(chosen, request.images, emit)
    return run_prepared(prepared, chosen, emit, stop)


def _one_at_a_time(emit: Callable[[Event], None]) -> Callable[[Event], None]:
    """Return *emit* for several threads: what starts beside the steps has something to tell, too."""
    lock = threading.Lock()

    def locked(event: Event) -> None:
        with lock:
            emit(event)

    return locked


def prepared_request(
    checked: Checked,
    options: LocalOptions,
    state: Path,
    *,
    data: Mapping[str, Path] | None = None,
    change: Callable[[plan.RunPlan], plan.RunPlan] = lambda whole: whole,
    select: Callable[[RunRequest], Selection] = lambda _: EVERYTHING,
    origin: Origin | None = None,
    download: Download | None = None,
) -> Prepared:
    """Return the run of *checked* that *state* will keep; PipelineError tells what it lacks.

    *data* counts before what the pipeline itself names, *change* is laid over the compiled plan, and *select* tells
    which steps take earlier results. With an *origin*, the run records what it was made of. *download* fetches data,
    once nothing else is missing.
    """
    request = RunRequest(
        run="",
        plan=change(plan.RunPlan.model_validate_json(compile_artifact(checked).content)),
        contents=checked.code.contents,
        state=state,
        project=checked.loaded.file.resolve().parent,
        file=_from_the_top(checked),
        parameters=options.parameters,
        data={**fetched(state), **_data(checked), **(data or {})},
        images=_images(checked),
        here=steps_here(checked),
        jobs=options.most_jobs,
        fail=options.fail,
        interrupt=options.interrupt,
        real_time=options.real_time,
        origin=origin,
    )
    try:
        return replace(prepared_now(request, select, download), source=checked.loaded.source)
    except PipelineError as e:
        raise PipelineError(with_places(e.diagnostics, checked.loaded.source)) from None


def prepared_now(
    request: RunRequest, select: Callable[[RunRequest], Selection], download: Download | None = None
) -> Prepared:
    """Return *request* as a new run that begins now, with what *download* fetches once nothing else is missing."""
    now = datetime.now(UTC)
    started = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    request = replace(request, run=f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}")
    selection = select(request)
    without = {*selection.kept, *selection.omitted}
    if download is not None and not _lacks_more_than_data(request.without(without), started):
        request = replace(request, data=download.into(request.without(without), started).data)
    ready = prepare(request, started=started, without=without)
    if selection.forced is not None and ready.trials:  # what is to go wrong has to run
        selection = replace(selection, forced=selection.forced | {*ready.trials})
    return Prepared(request, ready, selection)


def _lacks_more_than_data(request: RunRequest, started: str) -> bool:
    try:
        prepare(request, started=started)
    except PipelineError as e:
        return any(d.code != "BF501" for d in e.diagnostics)
    return False


def _download(
    checked: Checked, options: LocalOptions, emit: Callable[[Event], None], stop: threading.Event
) -> Download | None:
    if options.download is None:
        return None
    from buzzflow.driver.download import Download

    region = checked.environment.region if checked.environment is not None else None
    return Download(options.download, region, told_by(emit), stop)


def _from_the_top(checked: Checked) -> str:
    file, root = checked.loaded.file.resolve(), checked.loaded.root.resolve()
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def run_prepared(
    prepared: Prepared, executor: Executor, emit: Callable[[Event], None], stop: threading.Event
) -> LocalRun:
    """Run to the end and close *executor*."""
    request, ready = prepared.request, prepared.ready
    try:
        try:
            if executor.name == "process" and (problems := [*without_docker(request, ready)]):
                raise PipelineError(with_places(problems, prepared.source) if prepared.source else problems)
            report = run(request, ready, executor, emit, stop, prepared.selection)
        finally:
            executor.close()
    except OSError as e:
        raise cannot_keep(e) from None
    store, known = request.store(), ready.known
    models = {s: store.path(str(v)) for (s, word), v in known.properties.items() if word == "model"}
    folders = {name: request.folder / "steps" / name / "opt-ml" for name in ready.settings}
    outputs = {key: store.path(address) for key, address in known.addresses.items()}
    return LocalRun(report, outputs, models, dict(known.properties), folders)


def _data(checked: Checked) -> dict[str, Path]:
    """Return the sample data, each path from the file that names it."""
    found = {}
    problems = []
    jobs = ((step.name, ir.job_of(step)) for step in checked.pipeline.steps)
    inputs = [place_of(name, item.name) for name, job in jobs if job is not None for item in job.inputs]
    for address, text in checked.config.local.data.items():
        path = ("local", "data", address)
        written = checked.loaded.source.file(path)
        folder = checked.loaded.file.parent if written is None or written.startswith("--") else Path(written).parent
        found[address] = (folder / text).resolve()
        here = found[address]
        if not address.startswith("s3://") and address not in inputs:
            hint = did_you_mean(address, inputs) if address.startswith("steps.") else "write s3://bucket/folder"
            what = f"{address!r} is neither an address nor an input of a step, steps.name.inputs.name"
            problems.append(Diagnostic("BF504", what, path, hint))
        elif not here.exists():
            hint = f"paths start at the folder of their file: {here} was looked for"
            problems.append(Diagnostic("BF504", f"there is no file or folder {text}", path, hint))
    if problems:
        raise PipelineError(with_places(problems, checked.loaded.source))
    return found


def _images(checked: Checked) -> dict[str, str]:
    given = checked.environment.images if checked.environment is not None else {}
    return {**given, **checked.config.local.images}
