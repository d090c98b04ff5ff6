"""The picture of a pipeline before it has a format: nodes with a shape, edges with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from buzzflow import ir

LONGEST_LABEL = 24


class Shape(StrEnum):
    """What a node looks like, by what its step does."""

    DATA = "data"  # turns data into data, or looks at it
    TRAINING = "training"  # makes a model
    MODEL = "model"  # keeps or registers one
    CALL = "call"  # asks somebody else
    CONDITION = "condition"
    FAIL = "fail"
    LOOP = "foreach"  # a frame around its body


@dataclass(frozen=True, slots=True)
class Node:
    """A step; *inside* is the foreach step whose body it belongs to."""

    name: str
    type: str
    shape: Shape
    inside: str | None = None
    title: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """*target* comes after *source*; *labels* say what flows, which end is waited for, or which branch it is."""

    source: str
    target: str
    because: ir.Because
    labels: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The labels in a few characters: all, or the first and how many more."""
        whole = ", ".join(self.labels)
        if len(whole) <= LONGEST_LABEL:
            return whole
        more = f" +{len(self.labels) - 1}" if len(self.labels) > 1 else ""
        room = LONGEST_LABEL - len(more)
        first = self.labels[0]
        return f"{first if len(first) <= room else first[: room - 1] + '…'}{more}"


@dataclass(frozen=True, slots=True)
class Graph:
    """A pipeline's nodes, each after what it needs, and the edges between them."""

    name: str
    description: str | None
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def of(self, inside: str | None) -> tuple[Node, ...]:
        """Return the nodes directly in the body of a foreach step; None is outside of all."""
        return tuple(node for node in self.nodes if node.inside == inside)

    def between(self, nodes: Iterable[Node]) -> tuple[Edge, ...]:
        """Return the edges between *nodes*, of one body; an edge of a step in a foreach step of them is that one's."""
        names = {node.name for node in nodes}
        parents = {node.name: node.inside for node in self.nodes}

        def lifted(name: str | None) -> str | None:
            while name is not None and name not in names:
                name = parents[name]
            return name

        found: dict[Edge, None] = {}
        for edge in self.edges:
            source, target = lifted(edge.source), lifted(edge.target)
            if source is not None and target is not None and source != target:
                found[Edge(source, target, edge.because, edge.labels)] = None
        return tuple(found)


def graph_of(pipeline: ir.Pipeline) -> Graph:
    """Return the picture of *pipeline*: a node for each step, an edge for each need."""
    nodes = tuple(
        Node(s.name, s.work.type, shape_of(s.work), s.inside, s.display_name, s.description) for s in pipeline.steps
    )
    return Graph(pipeline.name, pipeline.description, nodes, tuple(e for s in pipeline.steps for e in _edges(s)))


def shape_of(work: ir.Work) -> Shape:
    """Return how a step that does *work* is drawn."""
    match work:
        case ir.Processing() | ir.Transform() | ir.Check() | ir.Notebook():
            return Shape.DATA
        case ir.Training() | ir.Tuning() | ir.AutoML():
            return Shape.TRAINING
        case ir.Model() | ir.RegisterModel():
            return Shape.MODEL
        case ir.Lambda() | ir.Callback() | ir.Service():
            return Shape.CALL
        case ir.Condition():
            return Shape.CONDITION
        case ir.Fail():
            return Shape.FAIL
        case ir.Foreach():
            return Shape.LOOP
        case _:
            assert_never(work)


def _edges(step: ir.Step) -> Iterator[Edge]:
    flows = _flows(step)
    for need in step.needs:
        match need.because:
            case ir.Because.REFERENCE:
                yield Edge(need.step, step.name, need.because, flows.get(need.step, ()))
            case ir.Because.ORDER:
                trigger = () if need.when is ir.When.COMPLETED else (need.when.value,)
                yield Edge(need.step, step.name, need.because, trigger)
            case ir.Because.BRANCH:
                taken = step.branch is not None and step.branch.taken
                yield Edge(need.step, step.name, need.because, ("yes" if taken else "no",))
            case ir.Because.BODY:
                continue  # the frame says it
            case _:
                assert_never(need.because)


def _flows(step: ir.Step) -> dict[str, tuple[str, ...]]:
    """Return what the step uses of each other step, in the words of its references."""
    found: dict[str, dict[str, None]] = {}
    for reference in (*ir.references(step.work), *ir.references(step.patch)):
        match reference:
            case ir.OutputReference(step=source, output=name) | ir.PropertyReference(step=source, word=name):
                found.setdefault(source, {})[name] = None
            case ir.JsonReference(step=source, file=name, path=path):
                found.setdefault(source, {})[".".join((name, *path))] = None
            case ir.DescribeReference(step=source, path=path):
                found.setdefault(source, {})[path[-1] if path else "properties"] = None
            case _:
                continue
    return {source: tuple(names) for source, names in found.items()}
