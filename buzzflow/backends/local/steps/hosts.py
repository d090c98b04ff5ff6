"""Run a job on several machines: a container for each, one network, what they leave put together.

Sources: Amazon SageMaker AI Developer Guide, "How Amazon SageMaker AI Provides Training Information" (their names), and
"How Amazon SageMaker AI Processes Training Output" (what several machines write to /opt/ml/model is one archive, and
names may not clash).
"""

from __future__ import annotations

import filecmp
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from buzzflow.backends.local import evaluate, plan
from buzzflow.backends.local.events import Event, State, StepFinished, StepLine
from buzzflow.backends.local.executor import End, Executor, ExecutorError, Outcome, Setting, Task
from buzzflow.backends.local.hidden import Hidden, secret_values
from buzzflow.backends.local.records.manifest import write_json
from buzzflow.backends.local.steps.job import failed, task_of
from buzzflow.backends.local.steps.log import Sink, StepLog
from buzzflow.backends.local.steps.results import ContainerStep, Left, StepPlace, nothing_written, take
from buzzflow.backends.local.steps.staging import OPT_ML, StagingError
from buzzflow.backends.local.store import AddressError
from buzzflow.backends.local.walls import refuse_foreign_links
from buzzflow.metrics import Usage


class ClashError(OSError):
    """Two machines left different files of one name."""


@dataclass(frozen=True, slots=True)
class _Host:
    """One machine of the job, and how it ended."""

    place: StepPlace[ContainerStep]
    log: StepLog
    outcome: Outcome


def run_hosts(
    place: StepPlace[ContainerStep],
    count: int,
    setting: Setting,
    executor: Executor,
    emit: Callable[[Event], None],
    stop: threading.Event,
) -> tuple[StepFinished, Left]:
    """Run the job on *count* machines at once; when one fails, the others are ended and the step fails."""
    name, log_path = place.step.name, place.folder / "log.txt"
    hosts = tuple(f"algo-{number}" for number in range(1, count + 1))
    places = [replace(place, host=host, hosts=hosts) for host in hosts]
    how = f"{count} machines, each a container; the figures are those of the largest"
    try:
        place.folder.mkdir(parents=True)
        tasks = [task_of(one, setting) for one in places]
        with log_path.open("wb") as file:
            ended = _side_by_side(places, tasks, _Shared(file), executor, emit, stop)
    except (evaluate.EvaluationError, AddressError, StagingError, OSError) as e:
        return StepFinished(name, State.FAILED, reason=f"it cannot run: {e}", how=how), Left()
    except ExecutorError as e:
        reason = f"{e.summary}{f': {e.hint}' if e.hint else ''}"
        return StepFinished(name, State.FAILED, reason=reason, log=log_path, how=how), Left()
    usage = _largest(ended)
    if (bad := _first_bad(ended)) is not None:
        event = failed(bad.place, bad.outcome, bad.log, log_path)
        told = event.reason if event.state is State.STOPPED else f"{bad.place.host}: {event.reason}"
        return replace(event, reason=told, usage=usage, how=how), Left()
    metrics: dict[str, float] = {}
    for host in reversed(ended):
        metrics |= host.log.metrics
    try:
        _put_together(places)
        warnings = (*nothing_written(places[0]), *(w for host in ended for w in host.log.warnings))
        left = take(places[0], metrics, stop)
    except InterruptedError:
        return StepFinished(name, State.STOPPED, usage, reason="stopped", log=log_path, how=how), Left()
    except (evaluate.EvaluationError, AddressError, OSError) as e:
        reason = f"the outputs cannot be kept: {e}"
        return StepFinished(name, State.FAILED, usage, reason=reason, log=log_path, how=how), Left()
    result = " ".join(f"{metric}={value:.4g}" for metric, value in metrics.items()) or None
    done = StepFinished(
        name, State.SUCCEEDED, usage, result, warnings=warnings, log=log_path, exit_code=0, metrics=metrics, how=how
    )
    return done, left


# ------------------------------------------------------------------ side by side


def _side_by_side(
    places: Sequence[StepPlace[ContainerStep]],
    tasks: Sequence[Task],
    shared: _Shared,
    executor: Executor,
    emit: Callable[[Event], None],
    stop: threading.Event,
) -> list[_Host]:
    together = _Together(stop)

    def run_one(place: StepPlace[ContainerStep], task: Task) -> _Host:
        training = place.step.container.training
        hidden = Hidden(secret_values(place.step.container))
        sink = _HostLog(shared, place.host)
        log = StepLog(place.step.name, sink, _named(place.host, emit), training.metrics if training else {}, hidden)
        try:
            outcome = executor.run(task, log.write, together)
        except BaseException:
            together.set()
            raise
        log.close()
        sink.close()
        if outcome.end is not End.EXITED or outcome.exit_code != 0:
            together.set()
        write_json(place.stage.folder.parent / f"usage-{place.host}.json", asdict(outcome.usage))
        return _Host(place, log, outcome)

    with ThreadPoolExecutor(max_workers=len(tasks), thread_name_prefix="host") as pool:
        return [*pool.map(run_one, places, tasks)]


class _Together(threading.Event):
    """A sign to stop for the machines of one job, which the sign for the whole run is, too."""

    def __init__(self, whole: threading.Event) -> None:
        super().__init__()
        self._whole = whole

    def is_set(self) -> bool:
        return super().is_set() or self._whole.is_set()


def _named(host: str, emit: Callable[[Event], None]) -> Callable[[Event], None]:
    def told(event: Event) -> None:
        emit(replace(event, line=f"{host} | {event.line}") if isinstance(event, StepLine) else event)

    return told


class _Shared:
    """A log file to which several machines write."""

    def __init__(self, file: Sink) -> None:
        self._file = file
        self._lock = threading.Lock()

    def line(self, host: str, line: bytes) -> None:
        with self._lock:
            self._file.write(host.encode() + b" | " + line + b"\n")
            self._file.flush()


class _HostLog:
    """One machine's part of the log: whole lines, each with its name before it."""

    def __init__(self, shared: _Shared, host: str) -> None:
        self._shared, self._host = shared, host
        self._rest = b""

    def write(self, data: bytes, /) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._shared.line(self._host, line)

    def flush(self) -> None:
        """Nothing to do: a line is on disk when it is whole."""

    def close(self) -> None:
        if self._rest:
            self._shared.line(self._host, self._rest)
            self._rest = b""


# ------------------------------------------------------------------ the end


def _first_bad(ended: Sequence[_Host]) -> _Host | None:
    """Return the machine that failed, not those that were ended because of it."""
    bad = [host for host in ended if host.outcome.end is not End.EXITED or host.outcome.exit_code != 0]
    by_itself = [host for host in bad if host.outcome.end is not End.STOPPED]
    return next(iter([*by_itself, *bad]), None)


def _largest(ended: Sequence[_Host]) -> Usage:
    return max((host.outcome.usage for host in ended), key=lambda usage: usage.memory_peak_bytes or 0)


def _put_together(places: Sequence[StepPlace[ContainerStep]]) -> None:
    """Move what the other machines wrote to the first one's folders; ClashError tells a name that two used."""
    first = places[0]
    container = first.step.container
    folders = [output.path for output in container.outputs]
    if container.training is not None:
        folders.append(f"{OPT_ML}/output/data")
    for other in places[1:]:
        for folder in folders:
            source = other.stage.written(folder)
            if source.is_dir():
                refuse_foreign_links(source)
                _merge(source, first.stage.written(folder), f"{first.host} and {other.host}")


def _merge(source: Path, target: Path, who: str) -> None:
    for file in sorted(path for path in source.rglob("*") if not path.is_dir() or path.is_symlink()):
        place = target / file.relative_to(source)
        if place.is_symlink() or place.exists():
            same = place.is_file() and file.is_file() and filecmp.cmp(place, file, shallow=False)
            if not same:
                what = f"{who} both wrote {file.relative_to(source)}, and on the service one would be lost"
                raise ClashError(f"{what}: let one machine write it, or put the machine's name into the file's")
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(file, place)


def count_of(container: plan.Container, known: evaluate.Known) -> int:
    """Return how many machines a job has; EvaluationError when that is no number."""
    return max(1, evaluate.number(container.instance_count, known))
