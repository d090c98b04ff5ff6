"""A plan as people read it on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from buzzflow.backends.sagemaker.deploying.deployment import COMMIT, PASSING
from buzzflow.backends.sagemaker.deploying.plan import Plan, StepChange
from buzzflow.backends.sagemaker.meaning import MISSING, Change
from buzzflow.views.cost import details, total
from buzzflow.views.plan.words import Plans, name, reruns, sides, summary

_MARKS = {"add": ("+", "green"), "remove": ("-", "red"), "change": ("~", "yellow"), "keep": (" ", "")}


def human(plans: Plans, *, costs: bool = False) -> RenderableType:
    """Return what people read: each pipeline, its steps, their values; with *costs*, what each step costs at most."""
    parts: list[RenderableType] = []
    for shown in plans:
        parts += _pipeline(shown.plan)
        if costs:
            parts += [Padding(details(shown.cost), (1, 0, 1, 2))]
        elif shown.plan.action != "none":
            parts += [Text(f"  {total(shown.cost)}", "dim"), Text()]
    return Group(*parts, Text(summary(plans)))


def _pipeline(plan: Plan) -> Iterator[RenderableType]:
    wanted = plan.deployment
    told = {"create": "to create", "update": "to update", "none": "nothing to do"}[plan.action]
    style = {"create": "bold green", "update": "bold yellow", "none": "bold"}[plan.action]
    yield Text.assemble((wanted.name, "bold"), f" in {wanted.region}: ", (told, style), _since(plan))
    if plan.edited:
        yield Text("  it was changed outside of buzzflow since its last deployment", "red")
    if plan.deployed is None:
        names = [f"{change.name} ({change.type})" for change in plan.steps]
        yield from (Text.assemble(("  + ", "green"), f"step {name}") for name in names)
        return
    for change in plan.steps:
        yield from _step(change)
    for setting in plan.settings:
        yield _value(setting, "  ", "~", "yellow")
    yield from _tags(plan)


def _since(plan: Plan) -> str:
    if plan.deployed is None:
        return ""
    commit = plan.deployed.tags.get(COMMIT, "")
    return f"  (deployed {plan.deployed.modified:%Y-%m-%d %H:%M}{f' from {commit[:12]}' if commit else ''})"


def _step(change: StepChange) -> Iterator[RenderableType]:
    mark, style = _MARKS[change.action]
    yield Text.assemble((f"  {mark} ", style), f"step {change.name} ({change.type})")
    for value in change.changes:
        yield _value(value, "      ", "", "")
    if change.reruns:
        yield Text(f"      {reruns(change)}", "dim")


def _value(change: Change, indent: str, mark: str, style: str) -> Text:
    head = f"{indent}{mark} " if mark else indent
    before, after = sides(change)
    return Text.assemble((head, style), f"{name(change)}: ", (before, "red"), " -> ", (after, "green"))


def _tags(plan: Plan) -> Iterator[RenderableType]:
    before = plan.deployed.tags if plan.deployed else {}
    for key, value in sorted(plan.set_tags.items()):
        if key not in PASSING:
            yield _value(Change(("tags", key), before.get(key, MISSING), value), "  ", "~", "yellow")
    for key in plan.drop_tags:
        yield _value(Change(("tags", key), before[key], MISSING), "  ", "~", "yellow")
