"""The graph of steps: what each needs, which branch it belongs to, and an order that respects both."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from buzzflow import ir
from buzzflow.config.steps import ConditionConfig, FailConfig, ForeachConfig, StepConfig
from buzzflow.diagnostics import MAX_PROBLEMS, Diagnostic, Path, PipelineError, did_you_mean


def branches(
    steps: Mapping[str, StepConfig], loops: Mapping[str, str]
) -> tuple[dict[str, ir.Branch], list[Diagnostic]]:
    """Return the branch of each step that stands in one, and what is wrong with the conditions' lists.

    *loops* tells which foreach runs a step.
    """
    found: dict[str, ir.Branch] = {}
    problems: list[Diagnostic] = []
    for condition, step in steps.items():
        if not isinstance(step, ConditionConfig):
            continue
        for side, taken, names in (("then", True, step.then), ("else", False, step.else_)):
            for i, name in enumerate(names):
                if len(problems) >= MAX_PROBLEMS:
                    break
                path = ("steps", condition, side, i)
                if name not in steps:
                    hint = did_you_mean(name, steps, label="steps")
                    problems.append(Diagnostic("BF301", f"there is no step {name!r}", path, hint))
                elif name == condition:
                    problems.append(Diagnostic("BF311", f"condition {name!r} chooses itself", path))
                elif loops.get(name) not in (None, loops.get(condition)):
                    problems.append(_inside(name, loops[name], path))
                elif name in found:
                    other = found[name]
                    where = f"{'then' if other.taken else 'else'} of {other.condition!r}"
                    hint = "a step belongs to one branch; let a condition choose a condition"
                    problems.append(Diagnostic("BF311", f"step {name!r} stands in {where} already", path, hint))
                else:
                    found[name] = ir.Branch(condition, taken)
    return found, problems


def _inside(name: str, loop: str, path: Path) -> Diagnostic:
    what = f"step {name!r} runs many times, inside of foreach {loop!r}"
    return Diagnostic("BF330", what, path, f"name {loop}: it stands for all of its runs")


def loops(steps: Mapping[str, StepConfig]) -> tuple[dict[str, str], list[Diagnostic]]:
    """Return the foreach step that runs each step of a body, and which steps have no place in one."""
    found = {name: loop for loop, step in steps.items() if isinstance(step, ForeachConfig) for name in step.steps}
    problems = []
    for name, loop in found.items():
        if isinstance(steps.get(name), ConditionConfig | FailConfig | ForeachConfig):
            what = f"{steps[name].type} step {name!r} stands in foreach {loop!r}: the service runs none there"
            hint = "put it after the foreach step"
            problems.append(Diagnostic("BF331", what, ("steps", name, "type"), hint))
    return found, problems


def needs(
    lowered: ir.Step, step: StepConfig, steps: Mapping[str, StepConfig], inside: Mapping[str, str]
) -> tuple[tuple[ir.Need, ...], list[Diagnostic]]:
    """Return what step *lowered* comes after: each other step once for each reason.

    *inside* tells which foreach runs a step.
    """
    name = lowered.name
    found: dict[ir.Need, None] = {}
    problems: list[Diagnostic] = []
    for reference in ir.references((lowered.work, lowered.patch, lowered.step_patch)):
        if isinstance(reference, ir.StepReference):
            if reference.step == name:
                problems.append(Diagnostic("BF307", f"step {name!r} refers to itself", ("steps", name)))
            else:
                found[ir.Need(reference.step, ir.Because.REFERENCE)] = None
    for i, dependency in enumerate(step.depends_on):
        if len(problems) >= MAX_PROBLEMS:
            break
        path = ("steps", name, "depends_on", i)
        if dependency.step not in steps:
            hint = did_you_mean(dependency.step, steps, label="steps")
            problems.append(Diagnostic("BF301", f"there is no step {dependency.step!r}", path, hint))
        elif inside.get(dependency.step) not in (None, lowered.inside):
            problems.append(_inside(dependency.step, inside[dependency.step], path))
        elif dependency.step == name:
            problems.append(Diagnostic("BF307", f"step {name!r} waits for itself", path))
        else:
            found[ir.Need(dependency.step, ir.Because.ORDER, ir.When(dependency.when))] = None
    if lowered.branch is not None:
        found[ir.Need(lowered.branch.condition, ir.Because.BRANCH)] = None
    if lowered.inside is not None:
        found[ir.Need(lowered.inside, ir.Because.BODY)] = None
    return tuple(sorted(found)), problems


def never_run(steps: Iterable[ir.Step]) -> Iterator[Diagnostic]:
    """Yield the steps that need something of both branches of a condition; *steps* are in order."""
    sides: dict[str, dict[ir.Branch, str]] = {}  # by step: the branches that must be taken, and which step says so
    for step in steps:
        wanted: dict[ir.Branch, str] = {} if step.branch is None else {step.branch: step.name}
        for need in step.needs:
            if need.when is ir.When.COMPLETED:
                wanted |= dict.fromkeys(sides.get(need.step, {}), need.step)
        sides[step.name] = wanted
        for branch, one in wanted.items():
            other = wanted.get(ir.Branch(branch.condition, not branch.taken))
            if branch.taken and other is not None:
                what = f"step {step.name!r} never runs: {one!r} and {other!r} are in different branches of "
                hint = "after both branches: depends_on: [{step: …, when: any}, …], and no references to them"
                yield Diagnostic("BF332", f"{what}{branch.condition!r}", ("steps", step.name), hint)


def in_order(steps: Mapping[str, ir.Step]) -> tuple[ir.Step, ...]:
    """Return the steps, each after what it needs, otherwise in the order of the YAML."""
    place = {name: i for i, name in enumerate(steps)}
    sorter = TopologicalSorter({name: {n.step for n in step.needs} for name, step in steps.items()})
    try:
        sorter.prepare()
    except CycleError as e:
        raise PipelineError([_cycle(e.args[1], steps)]) from None
    ordered: list[ir.Step] = []
    ready: list[tuple[int, str]] = []
    while sorter.is_active():
        for name in sorter.get_ready():
            heapq.heappush(ready, (place[name], name))
        _, name = heapq.heappop(ready)
        ordered.append(steps[name])
        sorter.done(name)
    return tuple(ordered)


def _cycle(found: list[str], steps: Mapping[str, ir.Step]) -> Diagnostic:
    """Tell a cycle whole: graphlib lists it so that each step needs the one before."""
    circle = found[:-1]
    start = circle.index(min(circle, key=list(steps).index))
    turned = [*circle[start:], *circle[:start]]
    reasons = [*_reasons(turned, steps)]
    shown = " -> ".join([*turned, turned[0]])
    return Diagnostic(
        "BF307",
        f"the steps wait for one another: {shown}",
        ("steps", turned[0]),
        f"break the circle: {'; '.join(reasons)}",
    )


def _reasons(circle: list[str], steps: Mapping[str, ir.Step]) -> Iterator[str]:
    for before, after in zip(circle, [*circle[1:], circle[0]], strict=True):
        need = next(n for n in steps[after].needs if n.step == before)
        match need.because:
            case ir.Because.REFERENCE:
                yield f"{after} uses something of {before}"
            case ir.Because.ORDER:
                yield f"{after} has depends_on {before}"
            case ir.Because.BRANCH:
                yield f"{after} is in a branch of {before}"
            case ir.Because.BODY:
                yield f"{after} runs inside of {before}"
