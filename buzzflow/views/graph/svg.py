"""The graph as an SVG of its own: no script, no font, no address; readable on a light and on a dark page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never
from xml.sax.saxutils import escape, quoteattr

from buzzflow.ir import Because
from buzzflow.views.graph.layout import Box, Layout, Line, Route, Size, lay_out
from buzzflow.views.graph.model import Edge, Graph, Node, Shape

_MARGIN = 20.0
_TITLE = 34.0  # pixels for a frame's title
_PADDING = 16.0  # pixels between a frame and its body
_NAME, _TYPE, _LABEL = 14.0, 11.5, 11.0  # sizes of text in pixels
_COLOURS: dict[str, tuple[str, str, str, str]] = {  # fill and line on a light page, on a dark one
    "data": ("#eaf1fb", "#4a6fa5", "#1d2a3d", "#7da2d6"),
    "training": ("#e3f4e8", "#3d8b5a", "#1a3325", "#6fc08f"),
    "model": ("#efe6fb", "#7b54b5", "#2b2140", "#b094e0"),
    "call": ("#e0f3f5", "#2f8590", "#15333a", "#69bcc7"),
    "condition": ("#fdf3d7", "#b7791f", "#3b2f12", "#e0b04f"),
    "fail": ("#fde2e2", "#c53030", "#451d1d", "#f08a8a"),
    "foreach": ("#f6f7f9", "#8a94a6", "#1a2029", "#7b8698"),
}
_TEXT, _SOFT, _EDGE, _PAGE = (
    ("#1a202c", "#e8ecf1"),
    ("#4a5568", "#a9b4c2"),
    ("#64748b", "#94a3b8"),
    ("#ffffff", "#0f141b"),
)
FONTS = (
    "ui-sans-serif, system-ui, 'Segoe UI', Roboto, Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', 'Noto Sans', "
    "Ubuntu, Cantarell, sans-serif"
)
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")  # XML 1.0 has none of these
_NARROW, _WIDE = frozenset("fijlrt.,:;|!'()[]-"), frozenset("mwMW@%")


def svg(graph: Graph, *, themed: bool = True) -> str:
    """Return the picture; with *themed*, it follows the reader's choice of a light or a dark page."""
    told = graph.name if graph.description is None else f"{graph.name}: {graph.description}"
    about = [f"<title>{_escaped(told)}</title>", f"<style>{_style(themed=themed)}</style>"]
    return "\n".join(_picture(graph, told, about, {})) + "\n"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a page says of a node: its classes there, and the place on the page that is about it."""

    classes: str
    href: str


def figure(graph: Graph, told: str, marks: Mapping[str, Mark]) -> str:
    """Return the picture without its style, for a page that has one of its own; *marks* are by the nodes' names."""
    return "\n".join(_picture(graph, told, [], marks))


def _picture(graph: Graph, told: str, about: Sequence[str], marks: Mapping[str, Mark]) -> Iterator[str]:
    frame = _framed(graph, None)
    width, height = frame.layout.width + 2 * _MARGIN, frame.layout.height + 2 * _MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" '
        f'height="{_n(height)}" role="{"group" if marks else "img"}" aria-label={quoteattr(_readable(told))}>'
    )
    yield from about
    yield (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7.4" refY="4" markerWidth="9" markerHeight="9" '
        'markerUnits="userSpaceOnUse" orient="auto">'
        '<path class="tip" d="M0,0.6 L8,4 L0,7.4 z"/></marker></defs>'
    )
    yield '<rect class="page" width="100%" height="100%"/>'
    yield from _drawn(frame, _MARGIN, _MARGIN, marks)
    yield "</svg>"


# ------------------------------------------------------------------ frames: a foreach step is a picture in the picture


@dataclass(frozen=True, slots=True)
class _Frame:
    """The nodes of one body with their places, and the pictures in those that are frames themselves."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    layout: Layout
    inner: dict[str, _Frame]


def _framed(graph: Graph, inside: str | None) -> _Frame:
    nodes = graph.of(inside)
    inner = {n.name: _framed(graph, n.name) for n in nodes if graph.of(n.name)}
    edges = graph.between(nodes)
    lines = [Line(e.source, e.target, *_label_size(e.label)) for e in edges]
    return _Frame(nodes, edges, lay_out({n.name: _size(n, inner.get(n.name)) for n in nodes}, lines), inner)


def _size(node: Node, inner: _Frame | None) -> Size:
    if inner is not None:
        width = max(inner.layout.width, _width(f"{node.name}  {node.type}", _NAME)) + 2 * _PADDING
        return Size(width, inner.layout.height + _TITLE + _PADDING, width * 0.6)
    text = max(_width(node.name, _NAME), _width(node.type, _TYPE))
    match node.shape:
        case Shape.CONDITION:
            return Size(text / 0.56 + 8, 84)
        case Shape.CALL:
            return Size(text + 56, 48, text * 0.6)
        case Shape.MODEL:
            return Size(text + 32, 60)
        case Shape.DATA | Shape.TRAINING | Shape.FAIL | Shape.LOOP:
            return Size(text + 32, 48, text * 0.6)
        case _:
            assert_never(node.shape)


def _label_size(label: str) -> tuple[float, float]:
    return (_width(label, _LABEL) + 8, _LABEL + 6) if label else (0.0, 0.0)


def _width(text: str, size: float) -> float:
    """Return how wide *text* is at most: no font is at hand to measure it with."""
    wide = sum(1.05 if unicodedata.east_asian_width(c) in "WF" else _letter(c) for c in text)
    return wide * size


def _letter(c: str) -> float:
    return 0.38 if c in _NARROW else 0.95 if c in _WIDE else 0.74 if c.isupper() else 0.62


# ------------------------------------------------------------------ drawing


def _drawn(frame: _Frame, x: float, y: float, marks: Mapping[str, Mark]) -> Iterator[str]:
    """Yield edges, then nodes over them, then the labels of edges."""
    yield f'<g transform="translate({_n(x)},{_n(y)})">'
    for edge, route in zip(frame.edges, frame.layout.routes, strict=True):
        source = frame.layout.boxes[edge.source]
        kind = {Because.ORDER: "edge order", Because.BRANCH: "edge branch"}.get(edge.because, "edge")
        yield f'<path class="{kind}" d="{_path(route, source)}" marker-end="url(#arrow)"/>'
    for node in frame.nodes:
        yield from _node(node, frame.layout.boxes[node.name], frame.inner.get(node.name), marks)
    for edge, route in zip(frame.edges, frame.layout.routes, strict=True):
        if edge.label:
            x, y = route.label
            width, height = _label_size(edge.label)
            yield _rect("under", Box(x - width / 2 + 2, y - height / 2, width - 4, height), 3.0)
            yield _text("label", x, y + _LABEL * 0.36, edge.label)
    yield "</g>"


def _path(route: Route, source: Box) -> str:
    """Return the way of an edge: straight where it goes down, a curve where it goes to the side as well."""
    (x, y), *others = route.points
    middle = source.y + source.height / 2  # from under the node: not every shape fills its box
    parts = [f"M{_n(x)},{_n(middle)} L{_n(x)},{_n(y)}"]
    for x2, y2 in others:
        half, end = _n((y + y2) / 2), f"{_n(x2)},{_n(y2)}"
        parts.append(f"L{end}" if abs(x2 - x) < 0.5 else f"C{_n(x)},{half} {_n(x2)},{half} {end}")
        x, y = x2, y2
    return " ".join(parts)


def _node(node: Node, box: Box, inner: _Frame | None, marks: Mapping[str, Mark]) -> Iterator[str]:
    middle, centre = box.x + box.width / 2, box.y + box.height / 2
    mark = marks.get(node.name)
    if mark is not None:
        yield f"<a href={quoteattr(mark.href)}>"
    yield f'<g class="node {node.shape}{f" {mark.classes}" if mark is not None else ""}">'
    if about := " - ".join(filter(None, (node.title, node.description))):
        yield f"<title>{_escaped(about)}</title>"
    yield _outline(node.shape, box, is_frame=inner is not None)
    if inner is not None:
        yield _text("name", middle, box.y + 21, node.name, f' <tspan class="type">{_escaped(node.type)}</tspan>')
        yield from _drawn(inner, middle - inner.layout.width / 2, box.y + _TITLE, marks)
    else:
        down = 4 if node.shape is Shape.MODEL else 0
        yield _text("name", middle, centre - 2 + down, node.name)
        yield _text("type", middle, centre + 14 + down, node.type)
    yield "</g>" if mark is None else "</g></a>"


def _outline(shape: Shape, box: Box, *, is_frame: bool) -> str:
    x, y, w, h = box.x, box.y, box.width, box.height
    corners: tuple[tuple[float, float], ...]
    match shape:
        case Shape.DATA | Shape.TRAINING | Shape.FAIL | Shape.LOOP:
            radius = {Shape.DATA: 4.0, Shape.TRAINING: 13.0, Shape.FAIL: h / 2, Shape.LOOP: 8.0}[shape]
            return _rect("shape frame" if is_frame else "shape", box, radius)
        case Shape.CONDITION:
            corners = ((x + w / 2, y), (x + w, y + h / 2), (x + w / 2, y + h), (x, y + h / 2))
        case Shape.CALL:
            left, right = x + 14, x + w - 14
            corners = ((left, y), (right, y), (x + w, y + h / 2), (right, y + h), (left, y + h), (x, y + h / 2))
        case Shape.MODEL:
            return _cylinder(box)
        case _:
            assert_never(shape)
    return f'<polygon class="shape" points="{" ".join(f"{_n(a)},{_n(b)}" for a, b in corners)}"/>'


def _cylinder(box: Box) -> str:
    left, right, top, bottom = (_n(c) for c in (box.x, box.x + box.width, box.y + 7, box.y + box.height - 7))
    arc = f"A{_n(box.width / 2)},7 0 0"
    side = f"M{left},{top} {arc} 1 {right},{top} V{bottom} {arc} 1 {left},{bottom} z"
    return f'<path class="shape" d="{side}"/><path class="shape lid" d="M{left},{top} {arc} 0 {right},{top}"/>'


def _rect(kind: str, box: Box, radius: float) -> str:
    place = f'x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}"'
    return f'<rect class="{kind}" {place} rx="{_n(radius)}"/>'


def _text(kind: str, x: float, y: float, text: str, more: str = "") -> str:
    return f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}">{_escaped(text)}{more}</text>'


def _style(*, themed: bool) -> str:
    fixed = (
        f"text{{font-family:{FONTS};text-anchor:middle}}.name{{font-size:{_NAME}px;font-weight:600}}"
        f".type{{font-size:{_TYPE}px;font-weight:400}}.label{{font-size:{_LABEL}px}}"
        ".edge{fill:none;stroke-width:1.4px}"
        ".order{stroke-dasharray:2 4}.branch{stroke-width:2.2px}.shape{stroke-width:1.5px}"
        ".frame{stroke-dasharray:6 4}.node>.lid{fill:none}"
    )
    dark = f"@media (prefers-color-scheme: dark){{{_colours(dark=True)}}}" if themed else ""
    return f"{_colours(dark=False)}{dark}{fixed}"


def _colours(*, dark: bool) -> str:
    text, soft, edge, page = (pair[dark] for pair in (_TEXT, _SOFT, _EDGE, _PAGE))
    nodes = "".join(
        f".{name}>.shape{{fill:{four[2 * dark]};stroke:{four[2 * dark + 1]}}}" for name, four in _COLOURS.items()
    )
    frame = _COLOURS["foreach"][2 * dark]
    return (
        f".page,.under{{fill:{page}}}.foreach .under{{fill:{frame}}}.name{{fill:{text}}}.type,.label{{fill:{soft}}}"
        f".edge{{stroke:{edge}}}.tip{{fill:{edge}}}{nodes}"
    )


def _escaped(text: str) -> str:
    return escape(_readable(text))


def _readable(text: str) -> str:
    return " ".join(_UNREADABLE.sub("\ufffd", text).split())


def _n(number: float) -> str:
    """Return a coordinate in tenths of a pixel, without needless zeros."""
    return (
        f"{number:.1f}".removesuffix(".0").replace("-0", "0")
        if abs(number) < 0.05
        else f"{number:.1f}".removesuffix(".0")
    )
