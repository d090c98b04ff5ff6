"""Run a checked pipeline on this machine: choose the executor, prepare it, run, leave nothing behind."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from buzzflow.backends.local import plan
from buzzflow.backends.local.events import Event, Notice
from buzzflow.backends.local.executor import Executor, ExecutorError
from buzzflow.backends.local.request import Ready, RunRequest, prepare
from buzzflow.backends.local.run import Report, run
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.stages import Checked, compile_artifact, with_places

DEFAULT_JOBS = 4


def run_local(
    checked: Checked,
    *,
    executor: str,
    parameters: Mapping[str, str],
    jobs: int,
    emit: Callable[[Event], None],
    stop: threading.Event,
) -> Report:
    """Run *checked*, which was loaded with its local layer; *executor* is auto, docker or process.

    PipelineError tells what is missing before anything starts.
    """
    now = datetime.now(UTC)
    request = RunRequest(
        run=f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        plan=plan.RunPlan.model_validate_json(compile_artifact(checked).content),
        contents=checked.code.contents,
        state=checked.loaded.root / ".buzzflow",
        project=checked.loaded.file.resolve().parent,
        parameters=parameters,
        data=_data(checked),
        images=_images(checked),
        jobs=jobs,
    )
    try:
        ready = prepare(request, started=f"{now:%Y-%m-%dT%H:%M:%SZ}")
    except PipelineError as e:
        raise PipelineError(with_places(e.diagnostics, checked.loaded.source)) from None
    try:
        chosen = _choose(executor, request, ready, emit)
        try:
            return run(request, ready, chosen, emit, stop)
        finally:
            chosen.close()
    except OSError as e:
        hint = "look at the disk's free space, and at who may write there"
        raise PipelineError([Diagnostic("BF505", f"the run cannot keep its files: {e}", hint=hint)]) from None


def _data(checked: Checked) -> dict[str, Path]:
    """Return the sample data, each path from the file that names it."""
    found = {}
    problems = []
    for address, text in checked.config.local.data.items():
        path = ("local", "data", address)
        written = checked.loaded.source.file(path)
        folder = checked.loaded.file.parent if written is None or written.startswith("--") else Path(written).parent
        found[address] = (folder / text).resolve()
        here = found[address]
        if not address.startswith("s3://"):
            problems.append(Diagnostic("BF504", f"{address!r} is no address: s3://bucket/folder", path))
        elif not here.exists():
            hint = f"paths start at the folder of their file: {here} was looked for"
            problems.append(Diagnostic("BF504", f"there is no file or folder {text}", path, hint))
    if problems:
        raise PipelineError(with_places(problems, checked.loaded.source))
    return found


def _images(checked: Checked) -> dict[str, str]:
    given = checked.environment.images if checked.environment is not None else {}
    return {**given, **checked.config.local.images}


# ------------------------------------------------------------------ the executor


def _choose(name: str, request: RunRequest, ready: Ready, emit: Callable[[Event], None]) -> Executor:
    """Return a prepared executor; `auto` is docker when a daemon answers and has or gets the images, else process."""
    try:
        if name == "process":
            return _prepared(_process(request), ready, emit)
        try:
            return _docker(request, ready, emit, told=name == "auto")
        except ExecutorError as e:
            if name == "docker" or not e.unreachable:
                raise
            emit(Notice(f"{e.summary}; so steps run as processes of this machine"))
        return _prepared(_process(request), ready, emit)
    except ExecutorError as e:
        raise PipelineError([Diagnostic("BF502", e.summary, hint=e.hint)]) from None


def _docker(request: RunRequest, ready: Ready, emit: Callable[[Event], None], *, told: bool) -> Executor:
    from buzzflow.backends.local.containers.executor import DockerExecutor, docker_problem

    if (problem := docker_problem()) is not None:
        hint = "start Docker, or use --local=process"
        raise ExecutorError(f"no Docker here: {problem}", hint, unreachable=True)
    executor = DockerExecutor(request.run, request.state / "cache")
    if told:
        emit(Notice("a Docker daemon answers: steps run in containers"))
    return _prepared(executor, ready, emit)


def _process(request: RunRequest) -> Executor:
    from buzzflow.backends.local.processes.executor import ProcessExecutor

    return ProcessExecutor(request.run, request.state / "cache")


def _prepared(executor: Executor, ready: Ready, emit: Callable[[Event], None]) -> Executor:
    begun = time.monotonic()
    try:
        executor.prepare([*dict.fromkeys(ready.settings.values())], lambda text: emit(Notice(text)))
    except BaseException:
        executor.close()
        raise
    for note in executor.notes:
        emit(Notice(note))
    if (seconds := time.monotonic() - begun) > 2:
        emit(Notice(f"ready after {seconds:.0f} s; the next run starts at once"))
    return executor
