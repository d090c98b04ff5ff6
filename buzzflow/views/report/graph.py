"""The pipeline as a picture, its steps in the colours of their states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from buzzflow.ir import Because
from buzzflow.views.figures import duration
from buzzflow.views.graph.model import Edge, Graph, Node, Shape
from buzzflow.views.graph.svg import Mark, figure
from buzzflow.views.report.markup import Markup, tag
from buzzflow.views.report.shown import ShownRun, ShownStep
from buzzflow.views.report.words import sign

_SHAPES: Mapping[str, Shape] = {
    "training": Shape.TRAINING,
    "tuning": Shape.TRAINING,
    "automl": Shape.TRAINING,
    "model": Shape.MODEL,
    "register_model": Shape.MODEL,
    "lambda": Shape.CALL,
    "callback": Shape.CALL,
    "emr": Shape.CALL,
    "condition": Shape.CONDITION,
    "fail": Shape.FAIL,
}  # all else turns data into data


def graph(run: ShownRun) -> Markup:
    """Return the picture; every node leads to what the page says of its step."""
    marks = {step.name: Mark(f"is-{step.state}", f"#{step.anchor}") for step in run.steps}
    picture = figure(_graph(run), f"The steps of {run.manifest.pipeline}, and what flows between them", marks)
    return tag("div", Markup(picture), class_="card scroll dag", tabindex=0, role="region", aria_label="Graph of steps")


def _graph(run: ShownRun) -> Graph:
    nodes = tuple(Node(step.name, _about(step), _SHAPES.get(step.record.type, Shape.DATA)) for step in run.steps)
    planned = {step["name"]: step for step in run.plan.get("steps", ()) if isinstance(step, dict) and "name" in step}
    edges = tuple(edge for step in run.steps for edge in _edges(step, planned.get(step.name, {})))
    return Graph(run.manifest.pipeline, None, nodes, edges)


def _about(step: ShownStep) -> str:
    took = duration(step.seconds) if step.record.began is not None and step.seconds is not None else str(step.state)
    return f"{step.record.type} {sign(step.state)} {took}"


def _edges(step: ShownStep, planned: Mapping[str, Any]) -> Iterator[Edge]:
    """Yield an edge for each step that it needs; the plan says why, where it can be read."""
    needs = {need["step"]: need for need in planned.get("needs", ())}
    flows: dict[str, dict[str, None]] = {}
    for source, what in _references(planned):
        flows.setdefault(source, {})[what] = None
    for name in step.record.needs:
        need = needs.get(name, {})
        match need.get("because"):
            case "branch":
                taken = (planned.get("branch") or {}).get("taken")
                yield Edge(name, step.name, Because.BRANCH, ("yes" if taken else "no",))
            case "depends_on":
                when = need.get("when", "completed")
                yield Edge(name, step.name, Because.ORDER, () if when == "completed" else (when,))
            case _:
                yield Edge(name, step.name, Because.REFERENCE, tuple(flows.get(name, ())))


def _references(data: object) -> Iterator[tuple[str, str]]:
    """Yield what the step uses of others: the step, and the name of an output, a property or a report."""
    if isinstance(data, dict):
        if data.get("get") in ("output", "property", "report") and isinstance(data.get("step"), str):
            name = data.get("name") or data.get("word") or data.get("report")
            yield data["step"], ".".join(map(str, [name, *data.get("path", ())]))
        data = [*data.values()]
    if isinstance(data, list):
        for value in data:
            yield from _references(value)
