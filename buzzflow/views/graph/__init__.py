"""A pipeline as a picture: Mermaid, Graphviz's DOT, SVG, PNG, text for a terminal, and JSON."""

from __future__ import annotations

import json
from typing import Literal, assert_never, get_args

from buzzflow import ir
from buzzflow.views.graph.dot import dot
from buzzflow.views.graph.mermaid import mermaid
from buzzflow.views.graph.model import Graph, graph_of
from buzzflow.views.graph.text import text

__all__ = ["FORMATS", "TEXT_FORMATS", "Format", "Graph", "TextFormat", "as_data", "drawn", "graph_of", "png"]

TextFormat = Literal["mermaid", "dot", "svg", "json", "text"]
Format = Literal["mermaid", "dot", "svg", "png", "json", "text"]
TEXT_FORMATS: tuple[TextFormat, ...] = get_args(TextFormat)
FORMATS: tuple[Format, ...] = get_args(Format)


def drawn(pipeline: ir.Pipeline, form: TextFormat) -> str:
    """Return the graph of *pipeline* in a format that is text, with an end of line."""
    graph = graph_of(pipeline)
    match form:
        case "mermaid":
            return mermaid(graph)
        case "dot":
            return dot(graph)
        case "svg":
            from buzzflow.views.graph.svg import svg

            return svg(graph)
        case "json":
            return json.dumps(as_data(graph), indent=2, ensure_ascii=False) + "\n"
        case "text":
            return text(graph)
        case _:
            assert_never(form)


def png(pipeline: ir.Pipeline) -> bytes:
    """Return the graph of *pipeline* as an image; PipelineError BF170 says what is missing on this machine."""
    from buzzflow.views.graph.png import rendered
    from buzzflow.views.graph.svg import svg

    return rendered(svg(graph_of(pipeline), themed=False))


def as_data(graph: Graph) -> dict[str, object]:
    """Return the graph as JSON can hold it."""
    return {
        "pipeline": graph.name,
        "description": graph.description,
        "nodes": [
            {
                "name": node.name,
                "type": node.type,
                "display_name": node.title,
                "description": node.description,
                "inside": node.inside,
            }
            for node in graph.nodes
        ],
        "edges": [
            {"from": edge.source, "to": edge.target, "because": edge.because.value, "labels": list(edge.labels)}
            for edge in graph.edges
        ],
    }
