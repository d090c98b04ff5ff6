"""How far a run is: each step of its definition with what has become of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from buzzflow.backends.sagemaker.executions.definition import DefinedStep, Definition
from buzzflow.backends.sagemaker.executions.runs import Run, run_id
from buzzflow.backends.sagemaker.executions.steps import StepRun


class State(StrEnum):
    """What has become of a step, in words of people."""

    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    NOT_TAKEN = "not taken"
    NOT_SELECTED = "not selected"
    NOT_RUN = "not run"

    @property
    def begun(self) -> bool:
        """Whether the step has been started at all."""
        return self not in (State.WAITING, State.NOT_TAKEN, State.NOT_SELECTED, State.NOT_RUN)


_STATES = {
    "Starting": State.STARTING,
    "Executing": State.RUNNING,
    "Stopping": State.STOPPING,
    "Stopped": State.STOPPED,
    "Failed": State.FAILED,
    "Succeeded": State.SUCCEEDED,
}


@dataclass(frozen=True, slots=True)
class StepProgress:
    """One line of a run: a step, or one of the runs of a step in a foreach. *depth* counts the steps that it is in."""

    name: str
    type: str
    state: State
    depth: int = 0
    run: StepRun | None = None
    note: str = ""


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment."""

    run: Run
    steps: tuple[StepProgress, ...]


def snapshot(definition: Definition, run: Run, begun: Sequence[StepRun]) -> Snapshot:
    """Return every step of *definition*, in its order; steps that it does not know come last."""
    by_name: dict[str, list[StepRun]] = {}
    for step in begun:
        by_name.setdefault(step.name, []).append(step)
    found = [line for step in definition.steps for line in _lines(definition, step, by_name, run)]
    found += [_begun(s, "", 0) for s in begun if s.name not in definition.by_name]
    return Snapshot(run, tuple(found))


def _lines(
    definition: Definition, step: DefinedStep, by_name: Mapping[str, Sequence[StepRun]], run: Run
) -> Iterator[StepProgress]:
    if runs := by_name.get(step.name):
        yield from (_begun(one, step.type, step.depth) for one in sorted(runs, key=lambda one: one.index or 0))
        return
    state = _not_begun(definition, step, by_name, run)
    yield StepProgress(step.name, step.type, state, step.depth, note=_waits_for(step, by_name, state))


def _begun(step: StepRun, kind: str, depth: int) -> StepProgress:
    state = _STATES.get(step.state, State.RUNNING if step.ended is None else State.SUCCEEDED)
    return StepProgress(step.shown_name, kind, state, depth, step, _note(step))


def _note(step: StepRun) -> str:
    if step.cached_from is not None:
        return f"cached, from run {run_id(step.cached_from)}"
    if step.reused_from is not None:
        return f"from run {run_id(step.reused_from)}"
    if step.reason:
        return step.reason.strip().splitlines()[0]
    return "" if step.outcome is None else f"is {str(step.outcome).lower()}"


def _not_begun(definition: Definition, step: DefinedStep, by_name: Mapping[str, Sequence[StepRun]], run: Run) -> State:
    for holder, taken in _holders(definition, step):
        outcomes = {one.outcome for one in by_name.get(holder, ())}
        if taken is not None and outcomes == {not taken}:
            return State.NOT_TAKEN
    if run.selected and step.name not in run.selected and not definition.is_body(step):
        return State.NOT_SELECTED
    return State.NOT_RUN if run.summary.ended else State.WAITING


def _holders(definition: Definition, step: DefinedStep) -> Iterator[tuple[str, bool | None]]:
    while step.inside is not None:
        yield step.inside, step.taken
        step = definition.by_name[step.inside]


def _waits_for(step: DefinedStep, by_name: Mapping[str, Sequence[StepRun]], state: State) -> str:
    if state is not State.WAITING:
        return ""
    missing = sorted(n for n in step.needs if not any(one.state == "Succeeded" for one in by_name.get(n, ())))
    return f"for {', '.join(missing)}" if missing else ""
