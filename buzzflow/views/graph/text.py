"""The graph for a terminal of 80 columns: the steps by levels, each below all that it waits for."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from buzzflow.ir import Because
from buzzflow.views.graph.model import Edge, Graph, Node, Shape

WIDTH = 80
_MARKS: dict[Shape, str] = {
    Shape.DATA: "□",
    Shape.TRAINING: "▣",
    Shape.MODEL: "◎",
    Shape.CALL: "⬡",
    Shape.CONDITION: "◇",
    Shape.FAIL: "✗",
    Shape.LOOP: "↻",
}
_LONGEST_COLUMN = 26


def text(graph: Graph) -> str:
    """Return one line for each step: its name, its type, and where what it waits for comes from."""
    count = f"{len(graph.nodes)} step{'' if len(graph.nodes) == 1 else 's'}"
    lines = [f"{graph.name}: {count}", *_body(graph, None, "")]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _body(graph: Graph, inside: str | None, indent: str) -> Iterator[str]:
    """Yield the levels of a body; the steps of one may run side by side."""
    nodes = graph.of(inside)
    levels = _levels(nodes, graph.between(nodes))
    name_width = min(_LONGEST_COLUMN, max((len(n.name) for n in nodes), default=0))
    type_width = min(_LONGEST_COLUMN, max((len(n.type) for n in nodes), default=0))
    for number, level in enumerate(levels, 1):
        last_level = number == len(levels)
        for i, node in enumerate(level):
            joint = ("┬" if len(level) > 1 else "─") if i == 0 else ("└" if i == len(level) - 1 else "├")
            head = f"{number:>2} {joint} " if i == 0 else f"   {joint} "
            told = f"{indent}{head}{_MARKS[node.shape]} {node.name:<{name_width}}  {node.type:<{type_width}}"
            below = f"{indent}   {'│' if i < len(level) - 1 else ' '}   "
            yield from _with_sources(told, below, [e for e in graph.edges if e.target == node.name])
            if graph.of(node.name):
                yield from _body(graph, node.name, f"{below}┊ ")
        if not last_level and not indent:
            yield ""


def _with_sources(told: str, below: str, edges: Sequence[Edge]) -> Iterator[str]:
    """Yield the line of a step with its sources, folded under one another where there is no room."""
    if not edges:
        yield told
        return
    sources = ", ".join(map(_source, edges)).replace(" ", "\0").replace(",\0", ", ")
    column = len(told) + 4
    if len(sources) <= WIDTH - column:
        lines = [f"{told}  ← {sources}"]
    else:
        room = textwrap.wrap(sources, WIDTH - len(below) - 4, break_long_words=False, break_on_hyphens=False)
        lines = [told, *(f"{below}{'← ' if i == 0 else '  '}{line}" for i, line in enumerate(room))]
    yield from (line.replace("\0", " ") for line in lines)


def _source(edge: Edge) -> str:
    if edge.because is Because.ORDER:
        return f"{edge.source} (after{f': {edge.label}' if edge.label else ''})"
    return f"{edge.source} ({edge.label})" if edge.label else edge.source


def _levels(nodes: Sequence[Node], edges: Sequence[Edge]) -> list[list[Node]]:
    """Return the nodes by how many others of them stand above, on the longest way."""
    above = {node.name: {e.source for e in edges if e.target == node.name} for node in nodes}
    levels: list[list[Node]] = []
    left = list(nodes)
    while left:
        ready = [node for node in left if not above[node.name] & {n.name for n in left}] or left[:1]
        levels.append(ready)
        left = [node for node in left if node not in ready]
    return levels
