"""A plan as the comment of a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from buzzflow.backends.sagemaker.deploying.plan import Plan
from buzzflow.backends.sagemaker.meaning import Change
from buzzflow.views.cost import total
from buzzflow.views.plan.words import Plans, name, reruns, sides, summary

_MARKS = {"add": "+", "remove": "-", "change": "~", "keep": ""}


def markdown(plans: Plans) -> str:
    """Return the plan as the comment of a pull request."""
    lines = ["## buzzflow plan", "", summary(plans), ""]
    for shown in plans:
        if shown.plan.action != "none":
            lines += [*_pipeline_markdown(shown.plan), "", _escaped(total(shown.cost)), ""]
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
        yield f"| {_MARKS[step.action]} | step {_code(step.name)} ({step.type}) | | |"
        if plan.deployed is not None:
            yield from (_row(value) for value in step.changes)
        if step.reruns:
            yield f"| | {_escaped(reruns(step))} | | |"
    yield from (_row(value) for value in plan.settings)


def _row(change: Change) -> str:
    before, after = sides(change)
    return f"| ~ | {_code(name(change))} | {_code(before)} | {_code(after)} |"


def _escaped(text: str) -> str:
    """Return *text* as plain text in a cell."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&@])", r"\\\1", text)


def _code(text: str) -> str:
    """Return *text* as code in a table: between more backticks than it holds in a row, and no bar ends the cell."""
    plain = " ".join(text.split()).replace("|", "\\|")
    fence = "`" * (max(map(len, re.findall("`+", plain)), default=0) + 1)
    pad = " " if "`" in plain else ""
    return f"{fence}{pad}{plain}{pad}{fence}"
