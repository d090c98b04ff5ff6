"""Run one container step: lay out its folder, run it, keep its log, take its results."""

from __future__ import annotations

import os
import re
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from buzzflow import ir
from buzzflow.backends.local import evaluate, plan
from buzzflow.backends.local.events import Event, State, StepFinished
from buzzflow.backends.local.executor import End, Executor, ExecutorError, Mount, Outcome, Setting, Task
from buzzflow.backends.local.hidden import Hidden, secret_values
from buzzflow.backends.local.request.request import place_of
from buzzflow.backends.local.steps.limits import RefusedError, refuse, too_large
from buzzflow.backends.local.steps.log import StepLog
from buzzflow.backends.local.steps.results import ContainerStep, Left, StepPlace, nothing_written, take
from buzzflow.backends.local.steps.staging import StagingError, deal, lay_out
from buzzflow.backends.local.store import AddressError
from buzzflow.backends.local.walls import let_owner_read
from buzzflow.backends.printable import printable
from buzzflow.diagnostics import PipelineError
from buzzflow.loader.bundle import stage_bundle

_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([A-Za-z_]\w*)")


def run_step(
    place: StepPlace[ContainerStep],
    setting: Setting,
    executor: Executor,
    emit: Callable[[Event], None],
    stop: threading.Event,
) -> tuple[StepFinished, Left]:
    """Run a step to its end and return how it ended and what it left. It raises only for a bug."""
    name = place.step.name
    log_path = place.folder / "log.txt"
    try:
        refuse(place)
        place.folder.mkdir(parents=True, exist_ok=True)
        task = task_of(place, setting)
    except RefusedError as e:
        return StepFinished(name, State.FAILED, reason=f"SageMaker would refuse it: {e}"), Left()
    except (evaluate.EvaluationError, AddressError, StagingError, OSError) as e:
        return StepFinished(name, State.FAILED, reason=f"it cannot start: {e}"), Left()
    training = place.step.container.training
    try:
        with log_path.open("wb") as file:
            hidden = Hidden(secret_values(place.step.container))
            log = StepLog(name, file, emit, training.metrics if training else {}, hidden)
            outcome = executor.run(task, log.write, stop)
            log.close()
        for mount in task.mounts:
            if not mount.read_only:
                let_owner_read(mount.source)
    except ExecutorError as e:
        reason = f"{e.summary}{f': {e.hint}' if e.hint else ''}"
        return StepFinished(name, State.FAILED, reason=reason, log=log_path), Left()
    except OSError as e:
        return StepFinished(name, State.FAILED, reason=f"its log cannot be kept: {e}", log=log_path), Left()
    if outcome.end is not End.EXITED or outcome.exit_code != 0:
        return failed(place, outcome, log, log_path), Left()
    try:
        warnings = (*nothing_written(place), *too_large(place, task.mounts), *log.warnings)
        left = take(place, log.metrics, stop)
    except InterruptedError:
        return StepFinished(name, State.STOPPED, outcome.usage, reason="stopped", log=log_path), Left()
    except (evaluate.EvaluationError, AddressError, OSError) as e:
        reason = f"the outputs cannot be kept: {e}"
        return StepFinished(name, State.FAILED, outcome.usage, reason=reason, log=log_path), Left()
    result = " ".join(f"{metric}={value:.4g}" for metric, value in log.metrics.items()) or None
    done = StepFinished(
        name,
        State.SUCCEEDED,
        outcome.usage,
        result,
        warnings=warnings,
        log=log_path,
        exit_code=outcome.exit_code,
        metrics=dict(log.metrics),
    )
    return done, left


# ------------------------------------------------------------------ the task


def task_of(place: StepPlace[ContainerStep], setting: Setting) -> Task:
    """Lay out the folder of a step, and return what to run over it."""
    container, known = place.step.container, place.known
    isolation, timeout, several = container.isolation, container.timeout, len(place.hosts) > 1
    return Task(
        run=place.request.run,
        step=place.step.name,
        setting=setting,
        entrypoint=None if container.entrypoint is None else _texts(container.entrypoint, known),
        arguments=_texts(container.arguments, known),
        environment=_environment(place),
        mounts=_mounts(place),
        network=not (isolation if isinstance(isolation, bool) else evaluate.value(isolation, known)),
        timeout=None if timeout is None else float(evaluate.number(timeout, known)),
        host=place.host if several else None,
        group=f"{place.step.name}-{place.job}" if several and place.job else place.step.name if several else None,
    )


def _texts(expressions: list[plan.Expression], known: evaluate.Known) -> tuple[str, ...]:
    return tuple(evaluate.text(e, known) for e in expressions)


def _environment(place: StepPlace[ContainerStep]) -> dict[str, str]:
    container = place.step.container
    environment = {k: evaluate.text(v, place.known) for k, v in container.environment.items()}
    if container.training is not None:
        environment["TRAINING_JOB_NAME"] = place.job_name
    if container.code is not None and container.code.requirements is not None:
        environment["BUZZFLOW_REQUIREMENTS"] = "installed"
    if container.secrets:  # here they come from the shell: nothing is left to read
        environment.pop("BUZZFLOW_SECRETS", None)
        environment |= {variable: os.environ[variable] for variable in container.secrets}
    return environment


def _mounts(place: StepPlace[ContainerStep]) -> tuple[Mount, ...]:
    container, known = place.step.container, place.known
    training = container.training
    mounts = lay_out(
        place.stage,
        container,
        hyperparameters={k: evaluate.text(v, known) for k, v in training.hyperparameters.items()} if training else {},
        sources={i.name: _source(i, place) for i in container.inputs},
        contents=place.request.contents,
        instance_type=evaluate.text(container.instance_type, known),
        host=place.host,
        hosts=place.hosts,
    )
    if training is None or training.checkpoints is None:
        return mounts
    kept = place.checkpoints()  # not in the stage: the next attempt, or run, finds them as the service restores them
    kept.mkdir(parents=True, exist_ok=True)
    return (*mounts, Mount(kept, training.checkpoints, read_only=False))


def _source(item: plan.Input, place: StepPlace[ContainerStep]) -> Path:
    source = _whole_source(item, place)
    if item.distribution == "replicate" or len(place.hosts) == 1:
        return source
    folder = place.folder / "shards" / place.host / item.name
    deal(source, folder, place.hosts.index(place.host), len(place.hosts))
    return folder


def _whole_source(item: plan.Input, place: StepPlace[ContainerStep]) -> Path:
    if (named := place.request.data.get(place_of(place.step.written, item.name))) is not None:
        return named
    if isinstance(item.source, plan.Files):
        return _files(item.source, place)
    if item.source is None:
        raise StagingError(f"input {item.name!r} has no data on this machine")
    address = evaluate.text(item.source, place.known)
    path = place.request.store().path(address)
    if not path.exists():
        raise StagingError(f"input {item.name!r}: there is nothing at {address}")
    return path


def _files(files: plan.Files, place: StepPlace[ContainerStep]) -> Path:
    """Lay out files of the repository as they are on the service: one is a file in a folder, too."""
    folder = place.folder / "files" / files.digest
    if not folder.exists():
        listed = tuple(ir.BundleFile(f.path, f.sha256, f.size, f.executable) for f in files.files)
        try:
            stage_bundle(ir.Bundle(files.digest, listed), place.request.contents, folder)
        except PipelineError as e:
            raise StagingError(e.diagnostics[0].summary) from None
    return folder


# ------------------------------------------------------------------ failures


def failed(place: StepPlace[ContainerStep], outcome: Outcome, log: StepLog, log_path: Path) -> StepFinished:
    """Return the end of a step whose container did not end well, with what it says of that."""
    state = State.STOPPED if outcome.end is End.STOPPED else State.FAILED
    reason = ended(outcome)
    last = next((line.strip() for line in reversed(log.tail) if line.strip()), None)
    told = place.stage.message()
    if told is not None:
        told = Hidden(secret_values(place.step.container)).text(told)
    if told and state is State.FAILED:
        reason = f"{reason}; it says: {printable(told.splitlines()[0])[:200]}"
    elif last is not None and outcome.end is End.EXITED and outcome.detail is None:
        reason = f"{reason}: {last[:200]}"
    if hint := _missing_module(log.tail, place.request.project) or _packed_model(log.tail, place):
        reason = f"{reason}; {hint}"
    return StepFinished(
        place.step.name,
        state,
        outcome.usage,
        reason=reason,
        tail=tuple(log.tail) if state is State.FAILED else (),
        log=log_path,
        exit_code=outcome.exit_code,
        error="job_internal_error" if outcome.end is End.LOST else None,  # the machine went away under the job
    )


def ended(outcome: Outcome) -> str:
    """Return how a container ended, for people."""
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
            return f"if {name} is a package of an index, add it to requirements.txt beside the script"
    return None


def _packed_model(tail: deque[str], place: StepPlace[ContainerStep]) -> str | None:
    """Return a hint when a file is missed that is still in the archive of a model."""
    if not any("FileNotFoundError" in line for line in tail):
        return None
    for item in place.step.container.inputs:
        if (place.stage.inside(item.path) / "model.tar.gz").is_file():
            return f"a model arrives as {item.path}/model.tar.gz, as on the service: unpack it first"
    return None
