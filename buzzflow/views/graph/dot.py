"""The graph in the language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from buzzflow.ir import Because
from buzzflow.views.graph.mermaid import identifiers
from buzzflow.views.graph.model import Edge, Graph, Node, Shape

_LOOKS: dict[Shape, str] = {
    Shape.DATA: "shape=box",
    Shape.TRAINING: 'shape=box, style="rounded,filled", fillcolor="#e3f4e8"',
    Shape.MODEL: 'shape=cylinder, style=filled, fillcolor="#efe6fb"',
    Shape.CALL: "shape=hexagon",
    Shape.CONDITION: 'shape=diamond, style=filled, fillcolor="#fdf3d7"',
    Shape.FAIL: 'shape=box, style="rounded,filled", color="#c53030", fillcolor="#fde2e2"',
    Shape.LOOP: "shape=box3d",
}


def dot(graph: Graph) -> str:
    """Return a directed graph; a foreach step is a cluster, with a point in it where its edges end."""
    ids = identifiers(graph)
    frames = {node.name for node in graph.nodes if graph.of(node.name)}
    lines = [
        f"digraph {_quoted(graph.name)} {{",
        f"  graph [compound=true, rankdir=TB, label={_quoted(graph.name)}, labelloc=t]",
        '  node [fontname="Helvetica", fontsize=11]',
        '  edge [fontname="Helvetica", fontsize=9]',
        *_nodes(graph, None, ids, "  "),
        *(_edge(edge, ids, frames) for edge in graph.edges),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _nodes(graph: Graph, inside: str | None, ids: Mapping[str, str], indent: str) -> Iterator[str]:
    for node in graph.of(inside):
        if graph.of(node.name):
            yield f"{indent}subgraph cluster_{ids[node.name]} {{"
            yield f"{indent}  label={_label(node)}; style=dashed"
            yield f'{indent}  {ids[node.name]} [shape=point, style=invis, label=""]'
            yield from _nodes(graph, node.name, ids, indent + "  ")
            yield f"{indent}}}"
        else:
            yield f"{indent}{ids[node.name]} [label={_label(node)}, {_LOOKS[node.shape]}]"


def _edge(edge: Edge, ids: Mapping[str, str], frames: set[str]) -> str:
    looks = [f"label={_quoted(edge.label)}"] if edge.label else []
    match edge.because:
        case Because.ORDER:
            looks.append("style=dotted")
        case Because.BRANCH:
            looks.append("style=bold")
        case Because.REFERENCE | Because.BODY:
            pass
        case _:
            assert_never(edge.because)
    looks += [f"ltail=cluster_{ids[edge.source]}"] if edge.source in frames else []
    looks += [f"lhead=cluster_{ids[edge.target]}"] if edge.target in frames else []
    attributes = f" [{', '.join(looks)}]" if looks else ""
    return f"  {ids[edge.source]} -> {ids[edge.target]}{attributes}"


def _label(node: Node) -> str:
    return _quoted(f"{node.name}\n{node.type}")


def _quoted(text: str) -> str:
    """Return *text* as a quoted string: a backslash and a quote stand for themselves, a new line is a new line."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "\\n".join(escaped.splitlines()) + '"'
