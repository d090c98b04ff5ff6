"""Choose what runs the steps, Docker or processes, and make it ready."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from buzzflow.backends.local.events import Event, Notice
from buzzflow.backends.local.executor import Executor, ExecutorError, Tell
from buzzflow.backends.local.request.request import Ready
from buzzflow.diagnostics import Diagnostic, PipelineError


def choose_executor(
    name: str, run_id: str, cache: Path, ready: Ready, emit: Callable[[Event], None], *, pull: str = "missing"
) -> Executor:
    """Return a prepared executor; `auto` is docker when a daemon answers and has or gets the images, else process."""
    try:
        if name == "process":
            return _prepared(_process(run_id, cache), ready, emit)
        try:
            return _docker(run_id, cache, ready, emit, told=name == "auto", pull=pull)
        except ExecutorError as e:
            if name == "docker" or not e.unreachable or pull == "always":
                raise
            emit(Notice(f"{e.summary}; so steps run as processes of this machine"))
        return _prepared(_process(run_id, cache), ready, emit)
    except ExecutorError as e:
        raise PipelineError([_lacking(problem, ready) for problem in (e, *e.others)]) from None
    except OSError as e:
        raise cannot_keep(e) from None


def _lacking(problem: ExecutorError, ready: Ready) -> Diagnostic:
    steps = [name for name, setting in ready.settings.items() if problem.image and setting.image == problem.image]
    needed = f" (needed by {', '.join(steps)})" if steps else ""
    return Diagnostic("BF502", f"{problem.summary}{needed}", hint=problem.hint)


def _docker(
    run_id: str, cache: Path, ready: Ready, emit: Callable[[Event], None], *, told: bool, pull: str
) -> Executor:
    from buzzflow.backends.local.containers.executor import DockerExecutor, docker_problem
    from buzzflow.backends.local.containers.pull import PullPolicy

    if (problem := docker_problem()) is not None:
        hint = "start Docker, or use --local=process"
        raise ExecutorError(f"no Docker here: {problem}", hint, unreachable=True)
    executor = DockerExecutor(run_id, cache, pull=PullPolicy(pull))
    if told:
        emit(Notice("a Docker daemon answers: steps run in containers"))
    return _prepared(executor, ready, emit)


def _process(run_id: str, cache: Path) -> Executor:
    from buzzflow.backends.local.processes.executor import ProcessExecutor

    return ProcessExecutor(run_id, cache)


def _prepared(executor: Executor, ready: Ready, emit: Callable[[Event], None]) -> Executor:
    begun = time.monotonic()
    try:
        executor.prepare([*dict.fromkeys(ready.settings.values())], told_by(emit))
    except BaseException:
        executor.close()
        raise
    for note in executor.notes:
        emit(Notice(note))
    if (seconds := time.monotonic() - begun) > 2:
        emit(Notice(f"ready after {seconds:.0f} s; the next run starts at once"))
    return executor


def until(stop: threading.Event, emit: Callable[[Event], None]) -> Callable[[Event], None]:
    """Return *emit* that ends what tells of its progress, once *stop* is set: a pull may take an hour."""

    def told(event: Event) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        emit(event)

    return told


def told_by(emit: Callable[[Event], None]) -> Tell:
    """Return what takes progress: text becomes a notice, events stay as they are."""
    return lambda told: emit(Notice(told) if isinstance(told, str) else told)


def monitor(executor: Executor, replacements: Mapping[str, str], emit: Callable[[Event], None]) -> None:
    """Have the steps measured from beside, where the executor can."""
    from buzzflow.backends.local.containers.executor import DockerExecutor
    from buzzflow.backends.local.containers.monitoring import monitoring_images

    if isinstance(executor, DockerExecutor):
        images = monitoring_images(replacements)
        executor.monitor(images, lambda text: emit(Notice(text)), lambda text: emit(Notice(text, warning=True)))


def cannot_keep(error: OSError) -> PipelineError:
    """Return what to tell when files of a run cannot be written."""
    hint = "look at the disk's free space, and at who may write there"
    return PipelineError([Diagnostic("BF505", f"the run cannot keep its files: {error}", hint=hint)])
