"""Run a plan: ready steps side by side, a failed step stops only what depends on it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from buzzflow.backends.local import evaluate, plan
from buzzflow.backends.local.admission import Memory, last_peaks
from buzzflow.backends.local.events import Event, Notice, RunFinished, RunStarted, State, StepFinished, StepStarted
from buzzflow.backends.local.executor import Executor
from buzzflow.backends.local.hidden import Hidden, secret_values
from buzzflow.backends.local.loops import Loop, expand, put_after
from buzzflow.backends.local.records.manifest import (
    CacheRecord,
    Manifest,
    record_end,
    write_manifest,
)
from buzzflow.backends.local.records.opening import opened, opened_step
from buzzflow.backends.local.records.provenance import recorded_beside
from buzzflow.backends.local.records.recording import record_request
from buzzflow.backends.local.request.request import Ready, RunRequest
from buzzflow.backends.local.reuse.cache import StepCache
from buzzflow.backends.local.reuse.digests import Digests
from buzzflow.backends.local.reuse.results import EVERYTHING, Selection, record_of
from buzzflow.backends.local.steps.dispatch import Working
from buzzflow.backends.local.steps.means import Means
from buzzflow.backends.local.steps.results import Left, StepPlace
from buzzflow.backends.local.steps.work import work
from buzzflow.backends.printable import printable

_WAKE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Report:
    """How a run ended: each step's last event, in the order of the plan."""

    run: str
    folder: Path
    state: State
    seconds: float
    steps: Mapping[str, StepFinished] = field(default_factory=dict)


def run(
    request: RunRequest,
    ready: Ready,
    executor: Executor,
    emit: Callable[[Event], None],
    stop: threading.Event,
    selection: Selection = EVERYTHING,
) -> Report:
    """Run what *selection* lets run and can run, and return how it ended. Setting *stop* ends the run soon."""
    request.folder.mkdir(parents=True)
    (request.state / ".gitignore").write_text("*\n", "utf-8")  # runs are not for the repository
    request = record_request(request)
    manifest = opened(request, ready, executor.name)
    manifest.resumed = selection.resumed
    write_manifest(manifest, request.folder)
    begun = time.monotonic()
    steps = tuple((s.name, s.type) for s in request.plan.steps)
    emit(RunStarted(request.run, request.plan.pipeline, executor.name, request.folder, steps))
    for warning in ready.warnings:
        emit(Notice(warning, warning=True))
    if request.plan.not_tried:
        emit(Notice(f"not tried here: {', '.join(request.plan.not_tried)}"))
    digests = Digests(request.state / "cache")
    cache = StepCache(request, executor.name, manifest.started, selection, digests)
    with recorded_beside(request, ready, executor, digests, stop) as manifest.provenance:
        ended = _Run(request, ready, executor, emit, stop, manifest, cache).to_the_end()
    digests.save()
    seconds = time.monotonic() - begun
    state = _state(ended, stopped=stop.is_set())
    report = Report(request.run, request.folder, state, seconds, {n: ended[n] for n in manifest.steps})
    manifest.state, manifest.seconds = state, round(seconds, 3)
    write_manifest(manifest, request.folder)
    emit(RunFinished(state, seconds))
    return report


def _state(ended: Mapping[str, StepFinished], *, stopped: bool) -> State:
    if stopped:
        return State.STOPPED
    return State.FAILED if any(e.state is State.FAILED for e in ended.values()) else State.SUCCEEDED


class _Run:
    """One run on its way. Only the thread that calls `to_the_end` touches its state."""

    def __init__(
        self,
        request: RunRequest,
        ready: Ready,
        executor: Executor,
        emit: Callable[[Event], None],
        stop: threading.Event,
        manifest: Manifest,
        cache: StepCache,
    ) -> None:
        self.request, self.ready, self.executor, self.stop = request, ready, executor, stop
        self.manifest = manifest
        self.cache, self.selection = cache, cache.selection
        self.known = ready.known
        self.ended: dict[str, StepFinished] = {}
        self.outcomes: dict[str, bool] = {}
        self.not_taken: set[str] = set()  # steps of branches that were not taken, and what needs them
        self.running: set[str] = set()
        self.memory = Memory(executor.memory_bytes, last_peaks(request.folder.parent, request.plan.pipeline))
        self.waiting = {s.name: s for s in request.plan.steps}
        self.loops: dict[str, Loop] = {}  # by foreach, and by each of its copies
        self._begun = time.monotonic()
        self._emit = emit
        self.means = Means(ready, executor, self.emit, stop, threading.BoundedSemaphore(request.jobs))
        self._lock = threading.Lock()
        self._done: queue.SimpleQueue[tuple[StepFinished, Left] | BaseException] = queue.SimpleQueue()

    def emit(self, event: Event) -> None:
        with self._lock:  # steps tell from their own threads
            self._emit(event)

    def to_the_end(self) -> dict[str, StepFinished]:
        most = min(self.request.jobs, self.request.plan.parallelism or self.request.jobs)
        pool = ThreadPoolExecutor(max_workers=most, thread_name_prefix="step")
        try:
            while self.waiting or self.running:
                self._advance(pool, most)
                self._collect()
        except BaseException as end:
            self.stop.set()  # a bug, or a second interrupt, which waits for nobody: no step may go on without us
            pool.shutdown(wait=not isinstance(end, KeyboardInterrupt), cancel_futures=True)
            raise
        pool.shutdown()
        return self.ended

    # ---- what can start, and what never will

    def _advance(self, pool: ThreadPoolExecutor, most: int) -> None:
        """Start or settle whatever the steps that ended allow; a settled one may settle others."""
        moved = True
        while moved:
            moved = False
            for step in list(self.waiting.values()):
                if (why := self._never(step)) is not None:
                    self._settle(StepFinished(step.name, State.SKIPPED, reason=why))
                    moved = True
                elif self._may_start(step):
                    moved |= self._start(step, pool, most)

    def _never(self, step: plan.Step) -> str | None:
        """Return why *step* will not run, once that is sure."""
        if self.stop.is_set():
            return "the run was stopped"
        for need in step.needs:
            other = self.ended.get(need.step)
            if other is None:
                continue
            if other.state is State.SKIPPED:
                if need.when == "any" and need.step in self.not_taken:
                    continue  # a branch not taken is an end, too: so steps go on after both
                if need.step in self.not_taken:
                    self.not_taken.add(step.name)
                return f"{need.step} was skipped, as {(other.reason or '').rpartition(', as ')[2]}"
            if need.because == "branch" and other.state.is_good:
                if step.branch is not None and self.outcomes[need.step] is not step.branch.taken:
                    self.not_taken.add(step.name)
                    return f"{need.step} chose the other branch"
            elif not _met(need, other.state):
                return (
                    f"{need.step} {other.state}"
                    if need.when == "completed"
                    else f"{need.step} did not end as {need.when}"
                )
        return self.selection.omitted.get(step.name) if self._may_start(step) else None

    def _may_start(self, step: plan.Step) -> bool:
        if any(n.step not in self.ended for n in step.needs):
            return False
        loop = self.loops.get(step.name)
        return loop is None or loop.admits(step.name, self.running, self.ended)

    def _start(self, step: plan.Step, pool: ThreadPoolExecutor, most: int) -> bool:
        if (kept := self.selection.kept.get(step.name)) is not None:
            record = CacheRecord(why="kept", run=kept.run)
            folder = self.request.folder / "steps" / step.name
            self._finish(*kept.taken(folder, f"kept from run {kept.run}", record))
            return True
        match step:
            case plan.ConditionStep():
                self._settle(*self._condition(step))
            case plan.FailStep():
                self._settle(self._fail(step))
            case plan.ForeachStep():
                self._begin(step)
                self.running.discard(step.name)  # only its copies take a place
                self._expand(step)
            case _:
                if len(self.running) >= most or not self._fits(step.name):
                    return False
                self._begin(step)
                pool.submit(self._work, step)
        return True

    def _fits(self, step: str) -> bool:
        if self.memory.admits(step, self.running):
            return True
        if (why := self.memory.why_not(step, self.running)) is not None:
            self.emit(Notice(why))
        return False

    def _begin(self, step: plan.Step) -> None:
        del self.waiting[step.name]
        self.running.add(step.name)
        self._record_start(step.name)
        self.emit(StepStarted(step.name))

    def _work(self, step: Working) -> None:
        try:
            self._done.put(work(StepPlace(step, self.request, self.known), self.means, self.cache))
        except BaseException as bug:  # noqa: BLE001  # handed to the thread that waits, which raises it
            self._done.put(bug)

    def _condition(self, step: plan.ConditionStep) -> tuple[StepFinished, Left]:
        try:
            outcome = evaluate.holds(step.test, self.known)
            told = evaluate.shown(step.test, self.known)
        except evaluate.EvaluationError as e:
            return StepFinished(step.name, State.FAILED, reason=str(e)), Left()
        self.outcomes[step.name] = outcome
        left = Left(properties={(step.name, "outcome"): "True" if outcome else "False"})
        self.known.properties.update(left.properties)
        result = printable(f"{told}: {'yes' if outcome else 'no'}")
        return StepFinished(step.name, State.SUCCEEDED, result=result), left

    def _expand(self, step: plan.ForeachStep) -> None:
        """Put the copies of a foreach's steps among those that wait."""
        try:
            loop, copies = expand(step, self.known, self.manifest.steps)
        except evaluate.EvaluationError as e:
            self._settle(StepFinished(step.name, State.FAILED, reason=f"it cannot start: {e}"))
            return
        self.loops |= dict.fromkeys((step.name, *loop.copies), loop)
        self.waiting |= {copy.name: copy for copy in copies}
        records = {copy.name: opened_step(copy, self.request, self.ready) for copy in copies}
        self.manifest.steps = put_after(step.name, records, self.manifest.steps)
        self._end_loop(loop)

    def _end_loop(self, loop: Loop) -> None:
        """Settle a foreach whose copies have all ended."""
        if loop.step.name not in self.ended and loop.is_over(self.ended):
            event, words = loop.finished(self.ended)
            left = Left(properties={(loop.step.name, word): value for word, value in words.items()})
            self.known.properties.update(left.properties)
            self._settle(event, left)

    def _fail(self, step: plan.FailStep) -> StepFinished:
        try:
            message = evaluate.text(step.message, self.known)
        except evaluate.EvaluationError as e:
            message = str(e)
        jobs = [s for s in plan.every_step(self.request.plan.steps) if isinstance(s, plan.ContainerStep)]
        secrets = [secret for job in jobs for secret in secret_values(job.container)]
        return StepFinished(step.name, State.FAILED, reason=Hidden(secrets).text(printable(message)))

    def _settle(self, event: StepFinished, left: Left | None = None) -> None:
        self.waiting.pop(event.step, None)
        self.running.discard(event.step)
        self.ended[event.step] = event
        self._record_end(event, left or Left())
        self.emit(event)
        if (loop := self.loops.get(event.step)) is not None and loop.step.name != event.step:
            self._end_loop(loop)

    def _collect(self) -> None:
        """Wait for a step to end, or a moment, so that a stop is noticed."""
        if not self.running:
            return
        try:
            done = self._done.get(timeout=_WAKE_SECONDS)
        except queue.Empty:
            return
        if isinstance(done, BaseException):
            raise done
        self._finish(*done)

    def _finish(self, event: StepFinished, left: Left) -> None:
        self.known.learn(left)
        self._settle(event, left)

    # ---- what is on disk at any moment, so that nothing is lost when this process is

    def _record_start(self, step: str) -> None:
        record = self.manifest.steps[step]
        record.state, record.began = "running", round(time.monotonic() - self._begun, 3)
        write_manifest(self.manifest, self.request.folder)

    def _record_end(self, event: StepFinished, left: Left) -> None:
        record = self.manifest.steps[event.step]
        record_end(record, event, self.request.folder)
        if record.began is not None:
            record.seconds = round(time.monotonic() - self._begun - record.began, 3)
        record.left = record_of(left, self.request.folder)
        record.outputs, record.cache = dict(left.outputs), left.cache
        write_manifest(self.manifest, self.request.folder)


def _met(need: plan.Need, state: State) -> bool:
    match need.when:
        case "completed":
            return state.is_good
        case "failed":
            return state is State.FAILED
        case "stopped":
            return state is State.STOPPED
        case "any":
            return True
