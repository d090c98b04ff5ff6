"""Which steps SageMaker runs together when not all of them shall run (selective execution). Pure.

The rules, from the Amazon SageMaker AI Developer Guide, "Selective execution of pipeline steps", and the API's
SelectiveExecutionConfig:

- "you can choose to run any subset of steps as long as they are connected in the directed acyclic graph"
- "All step(s) in all path(s) between two selected steps should be included", at most 50
- what a selected step needs of one that is not selected comes from the run that it builds on: there it has succeeded

and one of ours: a step of a branch is selected with its condition, which decides whether it runs; the body of a
foreach step belongs to that step, and is not selected by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from buzzflow.backends.sagemaker.executions.definition import Definition

MAX_SELECTED = 50

_Graph = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Added:
    """A step that must be selected too, and why: *because* continues a sentence that begins with the step."""

    step: str
    because: str


def problems(definition: Definition, selected: Collection[str], succeeded: Collection[str]) -> tuple[Added, ...]:
    """Return what has to be added to *selected* for the service to take it; nothing when it is legal.

    *succeeded* are the steps that succeeded in the run whose results are used.
    """
    chosen, added = _without_bodies(definition, selected), dict[str, Added]()
    graph = _needs(definition)
    while found := [*_lacking(definition, graph, chosen, succeeded)] or [*_bridge(definition, graph, chosen)]:
        for one in found:
            added.setdefault(one.step, one)
        chosen |= added.keys()
    return tuple(added[name] for name in in_order(definition, added.keys()))


def legal(definition: Definition, selected: Collection[str], succeeded: Collection[str]) -> tuple[str, ...]:
    """Return *selected* and all that must run with it, in the order of the pipeline."""
    more = {found.step for found in problems(definition, selected, succeeded)}
    return in_order(definition, _without_bodies(definition, selected) | more)


def after(definition: Definition, steps: Iterable[str]) -> tuple[str, ...]:
    """Return *steps* and all that comes after them, in the order of the pipeline."""
    below = _turned(_needs(definition))
    found = set(_without_bodies(definition, [*steps]))
    todo = deque(found)
    while todo:
        new = below[todo.popleft()] - found
        found |= new
        todo += new
    return in_order(definition, found)


def selectable(definition: Definition, steps: Collection[str]) -> tuple[str, ...]:
    """Return *steps* in the order of the pipeline, a foreach step for those of its body."""
    return in_order(definition, _without_bodies(definition, steps))


def in_order(definition: Definition, steps: Collection[str]) -> tuple[str, ...]:
    """Return *steps* in the order of the pipeline."""
    return tuple(step.name for step in definition.steps if step.name in steps)


def _needs(definition: Definition) -> dict[str, frozenset[str]]:
    """Return what each selectable step needs; a foreach step needs what its body needs."""
    found: dict[str, set[str]] = {}
    for step in definition.steps:
        owner = _owner(definition, step.name)
        found.setdefault(owner, set()).update(_owner(definition, need) for need in step.needs)
    return {name: frozenset(needs - {name}) for name, needs in found.items()}


def _owner(definition: Definition, name: str) -> str:
    """Return the outermost foreach step whose body holds the step, else the step itself."""
    step, owner = definition.by_name[name], name
    while step.inside is not None:
        if step.taken is None:
            owner = step.inside
        step = definition.by_name[step.inside]
    return owner


def _without_bodies(definition: Definition, steps: Collection[str]) -> set[str]:
    return {_owner(definition, name) for name in steps}


def _lacking(
    definition: Definition, graph: _Graph, chosen: Collection[str], succeeded: Collection[str]
) -> Iterator[Added]:
    """Yield what every legal set that holds *chosen* holds too."""
    for name in in_order(definition, chosen):
        condition = definition.by_name[name].inside
        if condition is not None and condition not in chosen:
            yield Added(condition, f"decides whether {name} runs")
        for need in sorted(graph[name]):
            if need not in chosen and need not in succeeded:
                yield Added(need, f"has not succeeded in that run, and {name} needs it")
    for name in (_reached(graph, chosen) & _reached(_turned(graph), chosen)) - {*chosen}:
        yield Added(name, "lies on a path between two of them")


def _reached(graph: _Graph, start: Iterable[str]) -> set[str]:
    """Return all that *graph* leads to from *start*; a step of *start* itself only when another leads to it."""
    found: set[str] = set()
    todo = deque(start)
    while todo:
        new = graph[todo.popleft()] - found
        found |= new
        todo += new
    return found


def _turned(graph: _Graph) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {name: set() for name in graph}
    for name, needs in graph.items():
        for need in needs:
            found[need].add(name)
    return {name: frozenset(names) for name, names in found.items()}


def _bridge(definition: Definition, graph: _Graph, chosen: Collection[str]) -> Iterator[Added]:
    """Yield the steps of a shortest way from the part of the first chosen step to another part, if there is one."""
    near = _neighbours(graph)
    part = _part(definition, near, chosen)
    came: dict[str, str | None] = dict.fromkeys(part)
    todo = deque(part)
    while todo:
        here = todo.popleft()
        if here in chosen and here not in part:
            way = came[here]
            while way is not None and way not in part:
                yield Added(way, "connects the others, and SageMaker runs only steps that are connected")
                way = came[way]
            return
        for name in sorted(near[here] - came.keys()):
            came[name] = here
            todo.append(name)


def _neighbours(graph: _Graph) -> _Graph:
    below = _turned(graph)
    return {name: graph[name] | below[name] for name in graph}


def _part(definition: Definition, near: _Graph, chosen: Collection[str]) -> tuple[str, ...]:
    """Return the chosen steps that are connected, by chosen ones, with the first of them."""
    found = {*in_order(definition, chosen)[:1]}
    todo = deque(found)
    while todo:
        new = (near[todo.popleft()] & {*chosen}) - found
        found |= new
        todo += new
    return in_order(definition, found)


def connected(definition: Definition, selected: Collection[str]) -> bool:
    """Whether the steps of a set that `legal` returned hang together; else no legal set holds them all."""
    names = _without_bodies(definition, selected)
    return len(_part(definition, _neighbours(_needs(definition)), names)) == len(names)
