"""What a deployment would change: for people, for a pull request, and as data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from buzzflow.backends.sagemaker.deploying.deployment import COMMIT
from buzzflow.backends.sagemaker.deploying.plan import Plan, StepChange
from buzzflow.backends.sagemaker.meaning import MISSING, Change

Plans = Sequence[tuple[str, Plan]]  # each with the pipeline's file
_MARKS = {"add": ("+", "green"), "remove": ("-", "red"), "change": ("~", "yellow")}
_LONG = 200  # characters of a value that are shown


def human(plans: Plans) -> RenderableType:
    """Return what people read: each pipeline, its steps, their values."""
    parts: list[RenderableType] = []
    for _, plan in plans:
        parts += [*_pipeline(plan), Text()]
    return Group(*parts, Text(summary(plans)))


def summary(plans: Plans) -> str:
    """Return one line about all of it."""
    steps = [change for _, plan in plans for change in plan.steps]
    counts = {action: sum(change.action == action for change in steps) for action in _MARKS}
    changed = sum(plan.action != "none" for _, plan in plans)
    if not changed:
        return f"{_pipelines(len(plans))}: what is deployed is what is here"
    what = f"{counts['add']} steps to add, {counts['change']} to change, {counts['remove']} to remove"
    return f"{changed} of {_pipelines(len(plans))} to deploy: {what}"


def _pipelines(count: int) -> str:
    return "1 pipeline" if count == 1 else f"{count} pipelines"


def _pipeline(plan: Plan) -> Iterator[RenderableType]:
    wanted = plan.deployment
    told = {"create": "to create", "update": "to update", "none": "nothing to do"}[plan.action]
    style = {"create": "bold green", "update": "bold yellow", "none": "bold"}[plan.action]
    yield Text.assemble((wanted.name, "bold"), f" in {wanted.region}: ", (told, style), _since(plan))
    if plan.edited:
        yield Text("  it was changed outside of buzzflow since its last deployment", "red")
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
        yield Text(f"      runs again: its cached results do not count for {', '.join(change.reruns)}", "dim")


def _value(change: Change, indent: str, mark: str, style: str) -> Text:
    head = f"{indent}{mark} " if mark else indent
    path = ".".join(change.path).removeprefix("Arguments.")
    return Text.assemble(
        (head, style), f"{path}: ", (spelled(change.before), "red"), " -> ", (spelled(change.after), "green")
    )


def _tags(plan: Plan) -> Iterator[RenderableType]:
    before = plan.deployed.tags if plan.deployed else {}
    if plan.deployed is None:
        return
    for key, value in sorted(plan.set_tags.items()):
        yield _value(Change(("tags", key), before.get(key, MISSING), value), "  ", "~", "yellow")
    for key in plan.drop_tags:
        yield _value(Change(("tags", key), before[key], MISSING), "  ", "~", "yellow")


# ------------------------------------------------------------------ values


def spelled(value: object) -> str:
    """Return a value of a definition as people write it: references in `${…}`, everything else as JSON."""
    if value is MISSING:
        return "(none)"
    reference = _reference(value)
    text = json.dumps(_readable(value), ensure_ascii=False) if reference is None else reference
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _readable(value: object) -> object:
    match value:
        case dict():
            known = _reference(value)
            return {key: _readable(part) for key, part in value.items()} if known is None else known
        case list():
            return [_readable(part) for part in value]
        case _:
            return value


def _reference(value: object) -> str | None:
    """Return `${param:date}` and the like; None for what is no reference."""
    match value:
        case {"Get": str() as path}:
            kind, _, rest = path.partition(".")
            return f"${{param:{rest}}}" if kind == "Parameters" else f"${{{path}}}"
        case {"Std:Join": {"Values": list() as parts}}:
            return "".join(part if isinstance(part, str) else _reference(part) or str(part) for part in parts)
        case {"Std:JsonGet": {"PropertyFile": {"Get": str() as file}, "Path": str() as path}}:
            return f"${{json:{file.removeprefix('Steps.').replace('.PropertyFiles.', '.')}.{path}}}"
        case _:
            return None


# ------------------------------------------------------------------ data


def as_data(plans: Plans) -> dict[str, Any]:
    """Return the plan as JSON can hold it."""
    return {
        "changes": any(plan.action != "none" for _, plan in plans),
        "pipelines": [_pipeline_data(file, plan) for file, plan in plans],
    }


def _pipeline_data(file: str, plan: Plan) -> dict[str, Any]:
    return {
        "name": plan.deployment.name,
        "file": file,
        "region": plan.deployment.region,
        "action": plan.action,
        "edited_outside": plan.edited,
        "digest": plan.deployment.digest,
        "steps": [
            {
                "name": change.name,
                "type": change.type,
                "action": change.action,
                "changes": [_change_data(value) for value in change.changes],
                "runs_again_for": [*change.reruns],
            }
            for change in plan.steps
        ],
        "settings": [_change_data(value) for value in plan.settings],
        "tags": {"set": dict(plan.set_tags), "remove": [*plan.drop_tags]},
    }


def _change_data(change: Change) -> dict[str, Any]:
    """Return the change; what is missing on a side has no member for it."""
    sides = {"before": change.before, "after": change.after}
    return {"path": [*change.path], **{side: value for side, value in sides.items() if value is not MISSING}}


# ------------------------------------------------------------------ Markdown


def markdown(plans: Plans) -> str:
    """Return the plan as the comment of a pull request."""
    lines = ["## buzzflow plan", "", summary(plans), ""]
    for _, plan in plans:
        if plan.action != "none":
            lines += [*_pipeline_markdown(plan), ""]
    return "\n".join(lines).rstrip() + "\n"


def _pipeline_markdown(plan: Plan) -> Iterator[str]:
    yield f"### {_code(plan.deployment.name)} in {plan.deployment.region}: {plan.action}"
    yield ""
    if plan.edited:
        yield "**It was changed outside of buzzflow since its last deployment.**"
        yield ""
    yield "| | what | from | to |"
    yield "| --- | --- | --- | --- |"
    for step in plan.steps:
        mark = _MARKS[step.action][0]
        yield f"| {mark} | step {_code(step.name)} ({step.type}) | | |"
        yield from (_row(value) for value in step.changes)
        if step.reruns:
            yield f"| | runs again: its cached results do not count for {_code(', '.join(step.reruns))} | | |"
    yield from (_row(value) for value in plan.settings)


def _row(change: Change) -> str:
    path = ".".join(change.path).removeprefix("Arguments.")
    return f"| ~ | {_code(path)} | {_code(spelled(change.before))} | {_code(spelled(change.after))} |"


def _code(text: str) -> str:
    """Return *text* as code in a table: between more backticks than it holds in a row, and no bar ends the cell."""
    plain = " ".join(text.split()).replace("|", "\\|")
    fence = "`" * (max(map(len, re.findall("`+", plain)), default=0) + 1)
    pad = " " if "`" in plain else ""
    return f"{fence}{pad}{plain}{pad}{fence}"
