"""Run one container step: lay out its folder, run it, keep its log, take its results."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from buzzflow.backends.local import evaluate, plan
from buzzflow.backends.local.events import Event, State, StepFinished, StepLine
from buzzflow.backends.local.executor import End, Executor, ExecutorError, Outcome, Setting, Task
from buzzflow.backends.local.request import RunRequest
from buzzflow.backends.local.staging import Stage, StagingError, lay_out, pack
from buzzflow.backends.local.store import AddressError, Store

TAIL_LINES = 30
MAX_LINE = 2_000
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([A-Za-z_]\w*)")

ContainerStep = plan.ProcessingStep | plan.TrainingStep


@dataclass(frozen=True, slots=True)
class Left:
    """What a step left for those after it."""

    addresses: Mapping[tuple[str, str], str] = field(default_factory=dict)
    reports: Mapping[tuple[str, str], Path] = field(default_factory=dict)
    properties: Mapping[tuple[str, str], evaluate.Plain] = field(default_factory=dict)


def run_step(
    step: ContainerStep,
    request: RunRequest,
    setting: Setting,
    known: evaluate.Known,
    executor: Executor,
    emit: Callable[[Event], None],
    stop: threading.Event,
) -> tuple[StepFinished, Left]:
    """Run *step* to its end and return how it ended and what it left. It raises only for a bug."""
    folder = request.folder / "steps" / step.name
    folder.mkdir(parents=True)
    log_path = folder / "log.txt"
    stage = Stage(folder / "opt-ml")
    store = request.store()
    try:
        task = _task(step, request, setting, known, stage, store)
    except (evaluate.EvaluationError, AddressError, StagingError) as e:
        return StepFinished(step.name, State.FAILED, reason=str(e)), Left()
    training = step.container.training
    with log_path.open("wb") as file:
        log = _Log(step.name, file, emit, training.metrics if training else {})
        try:
            outcome = executor.run(task, log.write, stop)
        except ExecutorError as e:
            reason = f"{e.summary}{f': {e.hint}' if e.hint else ''}"
            return StepFinished(step.name, State.FAILED, reason=reason, log=log_path), Left()
        finally:
            log.close()
    if outcome.end is not End.EXITED or outcome.exit_code != 0:
        return _failed(step, outcome, log, stage, request, log_path), Left()
    try:
        left = _take(step, request, stage, store, known, log.metrics)
    except (evaluate.EvaluationError, AddressError, OSError) as e:
        reason = f"the outputs cannot be kept: {e}"
        return StepFinished(step.name, State.FAILED, outcome.usage, reason=reason, log=log_path), Left()
    result = " ".join(f"{k}={_figure(v)}" for k, v in log.metrics.items()) or None
    done = StepFinished(step.name, State.SUCCEEDED, outcome.usage, result, log=log_path, exit_code=0)
    return done, left


def _figure(value: float) -> str:
    return f"{value:.4g}"


def _task(
    step: ContainerStep, request: RunRequest, setting: Setting, known: evaluate.Known, stage: Stage, store: Store
) -> Task:
    container = step.container
    sources = {i.name: _source(i, known, store) for i in container.inputs}
    training = container.training
    hyperparameters = {k: evaluate.text(v, known) for k, v in training.hyperparameters.items()} if training else {}
    instance_type = evaluate.text(container.instance_type, known)
    mounts = lay_out(
        stage,
        container,
        hyperparameters=hyperparameters,
        sources=sources,
        contents=request.contents,
        instance_type=instance_type,
    )
    environment = {k: evaluate.text(v, known) for k, v in container.environment.items()}
    if training is not None:
        environment["TRAINING_JOB_NAME"] = _job_name(step, request)
    if container.code is not None and container.code.requirements is not None:
        environment["BUZZFLOW_REQUIREMENTS"] = "installed"
    isolated = (
        container.isolation if isinstance(container.isolation, bool) else evaluate.value(container.isolation, known)
    )
    entrypoint = container.entrypoint
    return Task(
        run=request.run,
        step=step.name,
        setting=setting,
        entrypoint=None if entrypoint is None else tuple(evaluate.text(e, known) for e in entrypoint),
        arguments=tuple(evaluate.text(a, known) for a in container.arguments),
        environment=environment,
        mounts=mounts,
        network=not isolated,
        timeout=None if container.timeout is None else float(evaluate.number(container.timeout, known)),
    )


def _source(item: plan.Input, known: evaluate.Known, store: Store) -> Path:
    address = evaluate.text(item.source, known)
    path = store.path(address)
    if not path.exists():
        raise StagingError(f"input {item.name!r}: there is nothing at {address}")
    return path


def _job_name(step: ContainerStep, request: RunRequest) -> str:
    return f"{request.run}-{step.name}"[:63]


# ------------------------------------------------------------------ results


def _take(
    step: ContainerStep,
    request: RunRequest,
    stage: Stage,
    store: Store,
    known: evaluate.Known,
    metrics: Mapping[str, float],
) -> Left:
    """Move what the step wrote to where it belongs, and say where that is."""
    if step.container.training is not None:
        return _take_model(step, request, stage, store, known, metrics)
    addresses: dict[tuple[str, str], str] = {}
    reports: dict[tuple[str, str], Path] = {}
    for output in step.container.outputs:
        address = _address(step, output, request, known)
        store.put(stage.inside(output.path), address)
        addresses[step.name, output.name] = address
        for report, file in output.reports.items():
            reports[step.name, report] = store.path(address) / file
    return Left(addresses, reports, {(step.name, "job_name"): _job_name(step, request)})


def _take_model(
    step: ContainerStep,
    request: RunRequest,
    stage: Stage,
    store: Store,
    known: evaluate.Known,
    metrics: Mapping[str, float],
) -> Left:
    """Pack the model folder where the service would: `<output>/<job>/output/model.tar.gz`."""
    name = _job_name(step, request)
    output = step.container.outputs[0]
    address = _address(step, output, request, known)
    model = f"{address}{name}/output/model.tar.gz"
    pack(stage.inside(output.path), store.path(model))
    data = stage.folder / "output" / "data"
    if any(data.iterdir()):
        pack(data, store.path(f"{address}{name}/output/output.tar.gz"))
    image = step.container.image
    properties: dict[tuple[str, str], evaluate.Plain] = {
        (step.name, "model"): model,
        (step.name, "output_uri"): address,
        (step.name, "job_name"): name,
        (step.name, "image"): f"{image.framework}:{image.version}"
        if isinstance(image, plan.Framework)
        else evaluate.text(image, known),
        **{(step.name, f"metrics.{k}"): v for k, v in metrics.items()},
    }
    return Left({}, {}, properties)


def _address(step: ContainerStep, output: plan.Output, request: RunRequest, known: evaluate.Known) -> str:
    if output.to is None:
        return f"{request.prefix}{step.name}/{output.name}/"
    address = evaluate.text(output.to, known)
    return address if address.endswith("/") else address + "/"


# ------------------------------------------------------------------ failures


def _failed(
    step: ContainerStep, outcome: Outcome, log: _Log, stage: Stage, request: RunRequest, log_path: Path
) -> StepFinished:
    state = State.STOPPED if outcome.end is End.STOPPED else State.FAILED
    reason = _reason(outcome)
    last = next((line.strip() for line in reversed(log.tail) if line.strip()), None)
    told = stage.message()
    if told and state is State.FAILED:
        reason = f"{reason}; it says: {printable(told.splitlines()[0])[:200]}"
    elif last is not None and outcome.end is End.EXITED and outcome.detail is None:
        reason = f"{reason}: {last[:200]}"
    if hint := _missing_module(log.tail, request.project):
        reason = f"{reason}; {hint}"
    return StepFinished(
        step.name,
        state,
        outcome.usage,
        reason=reason,
        tail=tuple(log.tail) if state is State.FAILED else (),
        log=log_path,
        exit_code=outcome.exit_code,
    )


def _reason(outcome: Outcome) -> str:
    detail = f" ({outcome.detail})" if outcome.detail else ""
    match outcome.end:
        case End.OUT_OF_MEMORY:
            return f"out of memory{detail}: it was killed, exit code {outcome.exit_code}"
        case End.TIMED_OUT:
            return f"timed out: it ran longer than its timeout{detail}"
        case End.STOPPED:
            return "stopped"
        case End.LOST:
            return f"lost: the engine went away while it ran{detail}"
        case End.EXITED:
            return f"exit code {outcome.exit_code}{detail}"


def _missing_module(tail: deque[str], project: Path) -> str | None:
    """Return a hint when a module that the log misses stands in the project."""
    for line in reversed(tail):
        if match := _NO_MODULE.search(line):
            name = match[1]
            for found in (project / f"{name}.py", project / name):
                if found.exists():
                    why = "nothing that the step imports names it: add it to code.include"
                    return f"{found.name} is in the project, but {why}"
    return None


class _Log:
    """Keeps what a step writes: all of it in a file, its last lines, its metrics; and tells each line."""

    def __init__(self, step: str, file: BinaryIO, emit: Callable[[Event], None], patterns: Mapping[str, str]) -> None:
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self.metrics: dict[str, float] = {}
        self._step, self._file, self._emit = step, file, emit
        self._patterns = {name: re.compile(pattern) for name, pattern in patterns.items()}
        self._rest = b""

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._rest) > 16 * MAX_LINE:
            self._line(self._rest)
            self._rest = b""

    def close(self) -> None:
        if self._rest:
            self._line(self._rest)
            self._rest = b""

    def _line(self, raw: bytes) -> None:
        line = raw.rstrip(b"\r").rsplit(b"\r", 1)[-1]  # a progress bar writes over itself
        text = printable(line.decode("utf-8", "replace"))
        shown = text if len(text) <= MAX_LINE else text[: MAX_LINE - 1] + "…"
        self.tail.append(shown)
        for name, pattern in self._patterns.items():
            if match := pattern.search(text):
                self._metric(name, match)
        self._emit(StepLine(self._step, shown))

    def _metric(self, name: str, match: re.Match[str]) -> None:
        try:
            self.metrics[name] = float(match[1] if match.re.groups else match[0])
        except ValueError:
            return  # the service ignores what is no number, too


_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
# control characters but the tab, other ends of lines, and what turns the direction of the text around
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return *text* without terminal control sequences: a step's log must not move the reader's cursor."""
    return _CONTROL.sub("", _ANSI.sub("", text))
