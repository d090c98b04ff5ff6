"""Whatever the graph: nothing overlaps, every edge goes down and around the nodes, twice gives the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from buzzflow.views.graph.layout import Box, Line, Route, Size, lay_out

Drawing = tuple[dict[str, Size], list[Line]]


@st.composite
def drawings(draw: st.DrawFn) -> Drawing:
    count = draw(st.integers(0, 14))
    sizes = st.sampled_from([Size(1, 1), Size(90, 48, 40), Size(300, 48, 200), Size(140, 84), Size(60, 200, 60)])
    nodes = {f"n{i}": draw(sizes) for i in range(count)}
    pairs = st.tuples(st.integers(0, max(0, count - 1)), st.integers(0, max(0, count - 1)))
    ends = [pair for pair in draw(st.lists(pairs, max_size=30)) if pair[0] != pair[1]]
    labels = st.sampled_from([(0.0, 0.0), (60.0, 17.0)])
    return nodes, [Line(f"n{min(e)}", f"n{max(e)}", *draw(labels)) for e in ends]


def _inside(box: Box, x: float, y: float) -> bool:
    return box.x < x < box.x + box.width and box.y < y < box.y + box.height


def _along(route: Route) -> Iterator[tuple[float, float]]:
    """Yield points of the way: a curve stays between the ends of its part, above and below."""
    for (x1, y1), (x2, y2) in pairwise(route.points):
        for step in range(1, 20):
            t = step / 20
            across = 3 * t**2 - 2 * t**3  # a curve that leaves and arrives straight down
            yield x1 + (x2 - x1) * across, y1 + (y2 - y1) * (1.5 * t * (1 - t) + t**3)


@given(drawings())
def test_nodes_and_labels_do_not_overlap_and_stay_on_the_page(drawing: Drawing) -> None:
    nodes, lines = drawing
    layout = lay_out(nodes, lines)
    labels = [
        Box(
            route.label[0] - line.label_width / 2,
            route.label[1] - line.label_height / 2,
            line.label_width,
            line.label_height,
        )
        for line, route in zip(lines, layout.routes, strict=True)
        if line.label_width
    ]
    boxes = [*layout.boxes.values(), *labels]
    assert set(layout.boxes) == set(nodes)
    for box in boxes:
        assert -0.01 <= box.x <= box.x + box.width <= layout.width + 0.01
        assert -0.01 <= box.y <= box.y + box.height <= layout.height + 0.01
    for a, b in combinations(boxes, 2):
        beside = a.x + a.width < b.x + 0.01 or b.x + b.width < a.x + 0.01
        assert beside or a.y + a.height < b.y + 0.01 or b.y + b.height < a.y + 0.01


@given(drawings())
def test_every_edge_goes_down_from_its_source_to_its_target(drawing: Drawing) -> None:
    nodes, lines = drawing
    layout = lay_out(nodes, lines)
    for line, route in zip(lines, layout.routes, strict=True):
        source, target = layout.boxes[line.source], layout.boxes[line.target]
        heights = [y for _, y in route.points]
        assert heights == sorted(heights)
        (x1, y1), (x2, y2) = route.points[0], route.points[-1]
        assert abs(y1 - (source.y + source.height)) < 0.01
        assert abs(y2 - target.y) < 0.01
        assert source.x <= x1 <= source.x + source.width
        assert target.x <= x2 <= target.x + target.width


@given(drawings())
def test_no_edge_runs_through_a_node(drawing: Drawing) -> None:
    nodes, lines = drawing
    layout = lay_out(nodes, lines)
    for route in layout.routes:
        for x, y in _along(route):
            assert not any(_inside(box, x, y) for box in layout.boxes.values())


@given(drawings())
def test_the_same_graph_gets_the_same_places(drawing: Drawing) -> None:
    nodes, lines = drawing
    assert lay_out(nodes, lines) == lay_out(dict(nodes), list(lines))


def test_of_a_circle_one_edge_goes_up() -> None:
    size = Size(40, 20)
    layout = lay_out({"a": size, "b": size}, [Line("a", "b"), Line("b", "a")])
    down, up = layout.routes
    assert down.points[0][1] < down.points[-1][1]
    assert up.points[0][1] > up.points[-1][1]


def test_a_chain_is_a_straight_line() -> None:
    names = "abcdef"
    nodes = {name: Size(40 + 10 * i, 20) for i, name in enumerate(names)}
    layout = lay_out(nodes, [Line(a, b) for a, b in pairwise(names)])
    middles = {round(box.x + box.width / 2, 3) for box in layout.boxes.values()}
    assert len(middles) == 1
