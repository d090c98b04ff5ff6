"""The graph as a Mermaid flowchart, which GitHub and many wikis draw."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import assert_never

from buzzflow.ir import Because
from buzzflow.views.graph.model import Edge, Graph, Node, Shape

_BRACKETS: dict[Shape, tuple[str, str]] = {
    Shape.DATA: ("[", "]"),
    Shape.TRAINING: ("(", ")"),
    Shape.MODEL: ("[(", ")]"),
    Shape.CALL: ("{{", "}}"),
    Shape.CONDITION: ("{", "}"),
    Shape.FAIL: ("([", "])"),
    Shape.LOOP: ("[[", "]]"),  # without a body
}
_STYLES = (
    "classDef condition fill:#fdf3d7,stroke:#b7791f,color:#5f370e",
    "classDef fail fill:#fde2e2,stroke:#c53030,color:#742a2a",
)
_SAFE = re.compile(r"[\w .,:/+()-]", re.ASCII)


def mermaid(graph: Graph) -> str:
    """Return a flowchart; every text of the user's is spelled so that Mermaid takes it for text."""
    ids = identifiers(graph)
    lines = ["---", f"title: {graph.name}", "---", "flowchart TD"]
    lines += _nodes(graph, None, ids, "  ")
    lines += [_edge(edge, ids) for edge in graph.edges]
    styled = {Shape.CONDITION, Shape.FAIL} & {node.shape for node in graph.nodes}
    for style in _STYLES:
        shape = Shape(style.split()[1])
        if shape in styled:
            members = ",".join(ids[n.name] for n in graph.nodes if n.shape is shape)
            lines += [f"  {style}", f"  class {members} {shape}"]
    return "\n".join(lines) + "\n"


def identifiers(graph: Graph) -> dict[str, str]:
    """Return an identifier for each step: its name, with what no word of Mermaid's or Graphviz's begins with."""
    found: dict[str, str] = {}
    for node in graph.nodes:
        wanted = "s_" + re.sub(r"[^A-Za-z0-9_]", "_", node.name)
        taken = set(found.values())
        found[node.name] = next(
            i for n in range(len(taken) + 1) if (i := f"{wanted}__{n}" if n else wanted) not in taken
        )
    return found


def _nodes(graph: Graph, inside: str | None, ids: Mapping[str, str], indent: str) -> Iterator[str]:
    for node in graph.of(inside):
        if graph.of(node.name):
            yield f'{indent}subgraph {ids[node.name]}["{escaped(node.name)} - {escaped(node.type)}"]'
            yield from _nodes(graph, node.name, ids, indent + "  ")
            yield f"{indent}end"
        else:
            yield f"{indent}{_node(node, ids)}"


def _node(node: Node, ids: Mapping[str, str]) -> str:
    before, after = _BRACKETS[node.shape]
    return f'{ids[node.name]}{before}"{escaped(node.name)}<br/>{escaped(node.type)}"{after}'


def _edge(edge: Edge, ids: Mapping[str, str]) -> str:
    match edge.because:
        case Because.ORDER:
            arrow = "-.->"
        case Because.BRANCH:
            arrow = "==>"
        case Because.REFERENCE | Because.BODY:
            arrow = "-->"
        case _:
            assert_never(edge.because)
    label = f'|"{escaped(edge.label)}"|' if edge.label else ""
    return f"  {ids[edge.source]} {arrow}{label} {ids[edge.target]}"


def escaped(text: str) -> str:
    """Return *text* with Mermaid's own entities for all that could mean something to it, or to HTML."""
    flat = " ".join(text.split())
    return "".join(c if _SAFE.match(c) or (ord(c) > 127 and c.isalnum()) else f"#{ord(c)};" for c in flat)
