"""Make the steps that a foreach runs: a copy of each for every item, called `<step>-<index>` as on the service."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter

from buzzflow.backends.local import evaluate, plan
from buzzflow.backends.local.events import State, StepFinished

MOST_ITEMS = 1_000
V = TypeVar("V")
_STEP: TypeAdapter[plan.Step] = TypeAdapter(plan.Step)


@dataclass(frozen=True, slots=True)
class Loop:
    """A foreach on its way: the names of its copies by item."""

    step: plan.ForeachStep
    rounds: tuple[tuple[str, ...], ...]

    @property
    def copies(self) -> tuple[str, ...]:
        """The names of all copies."""
        return tuple(name for names in self.rounds for name in names)

    def admits(self, copy: str, running: Collection[str], ended: Collection[str]) -> bool:
        """Whether *copy* may start: its item is under way, or fewer items than may be at once are."""
        under_way = 0
        for names in self.rounds:
            begun = any(name in running or name in ended for name in names)
            if copy in names and begun:
                return True
            under_way += begun and not all(name in ended for name in names)
        return under_way < self.step.max_concurrency

    def is_over(self, ended: Collection[str]) -> bool:
        """Whether every copy has ended."""
        return all(name in ended for name in self.copies)

    def finished(self, ended: Mapping[str, StepFinished]) -> tuple[StepFinished, dict[str, evaluate.Plain]]:
        """Return how the foreach ended, and what it gives by the language's words. One bad copy makes it fail."""
        states = [ended[name].state for name in self.copies]
        counts = {
            "succeeded": sum(state.is_good for state in states),
            "failed": states.count(State.FAILED),
            "stopped": states.count(State.STOPPED),
        }
        bad = [name for name in self.copies if not ended[name].state.is_good]
        steps = ", ".join(f"{n} {what}" for what, n in counts.items() if n) or "none"
        shown = f"{len(self.rounds)} items; of their steps, {steps}"
        words: dict[str, evaluate.Plain] = {"items": len(self.rounds), **counts}
        if not bad:
            return StepFinished(self.step.name, State.SUCCEEDED, result=shown), {**words, "status": "Succeeded"}
        reason = f"{bad[0]} {ended[bad[0]].state}" + (f", and {len(bad) - 1} more" if len(bad) > 1 else "")
        order = (State.FAILED, State.STOPPED, State.SKIPPED)
        state = next(state for state in order if state in states)
        words["status"] = "Stopped" if state is State.STOPPED else "Failed"
        return StepFinished(self.step.name, state, reason=reason, result=shown), words


def expand(step: plan.ForeachStep, known: evaluate.Known, taken: Collection[str]) -> tuple[Loop, list[plan.Step]]:
    """Return the copies for the items as the run knows them now; EvaluationError when they are no list.

    *taken* are the names of other steps.
    """
    items = evaluate.items(step.items, known)
    if len(items) > MOST_ITEMS:
        raise evaluate.EvaluationError(f"it has {len(items)} items, and a run here takes {MOST_ITEMS} at most")
    body = {inner.name for inner in step.body}
    rounds = []
    copies = []
    for index, item in enumerate(items):
        names = {name: f"{name}-{index}" for name in body}
        if clash := next((n for n in names.values() if n in taken), None):
            raise evaluate.EvaluationError(f"the copy for item {index} would be called {clash}, as another step is")
        copies += [_copy(inner, names, item) for inner in step.body]
        rounds.append(tuple(names[inner.name] for inner in step.body))
    return Loop(step, tuple(rounds)), copies


def put_after(name: str, new: Mapping[str, V], there: Mapping[str, V]) -> dict[str, V]:
    """Return *there* with *new* behind *name*: copies stand behind their foreach."""
    found: dict[str, V] = {}
    for key, value in there.items():
        found[key] = value
        if key == name:
            found |= new
    return found


def _copy(step: plan.Step, names: Mapping[str, str], item: Any) -> plan.Step:
    data = _filled(step.model_dump(mode="json"), names, item)
    needs = [{**need, "step": names.get(need["step"], need["step"])} for need in data["needs"]]
    return _STEP.validate_json(
        json.dumps({**data, "name": names[step.name], "copy_of": step.name, "needs": needs, "branch": None})
    )


def _filled(part: Any, names: Mapping[str, str], item: Any) -> Any:
    """Return *part* with the item's values in it, and siblings' names instead of those in the file."""
    match part:
        case {"get": "item", "path": path}:
            return {"get": "join", "parts": [evaluate.as_text(_field(item, path))]}
        case {"get": _, "step": str(step), **rest}:
            filled = {key: _filled(value, names, item) for key, value in rest.items()}
            return {**filled, "get": part["get"], "step": names.get(step, step)}
        case dict():
            return {key: _filled(value, names, item) for key, value in part.items()}
        case list():
            return [_filled(value, names, item) for value in part]
        case _:
            return part


def _field(item: Any, path: Sequence[str]) -> evaluate.Plain:
    for part in path:
        if not isinstance(item, dict) or part not in item:
            raise evaluate.EvaluationError(f"an item has no {part!r}")
        item = item[part]
    if isinstance(item, str | int | float | bool):
        return item
    return json.dumps(item)
