"""Places for the nodes of a graph and ways for its edges: layers from top to bottom, after Sugiyama.

K. Sugiyama, S. Tagawa, M. Toda, "Methods for Visual Understanding of Hierarchical System Structures", 1981. Between two
layers lies one for the labels, so that nothing overlaps. The same graph always gets the same places.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from buzzflow.views.graph.spots import Spot, place_spots, sort_layers

_LEAST_GAP, _MOST_GAP = 13.0, 48.0  # pixels between two layers: more where edges go far to the side
_SLOPE = 0.12
_PORTS = 18.0  # pixels between two edges at a node
_ARRIVAL = 9.0  # pixels straight down before a node: room for the head of an arrow


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height of a node; *top* is how much of its upper side edges may arrive at."""

    width: float
    height: float
    top: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """An edge to be laid, with the size of its label."""

    source: str
    target: str
    label_width: float = 0.0
    label_height: float = 0.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Route:
    """The way of an edge: points from top to bottom, and where the middle of its label is."""

    points: tuple[tuple[float, float], ...]
    label: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of all nodes by name, and the ways of all edges in the order in which they were given."""

    width: float
    height: float
    boxes: Mapping[str, Box]
    routes: tuple[Route, ...]


def lay_out(nodes: Mapping[str, Size], lines: Sequence[Line]) -> Layout:
    """Return places for *nodes*. Every line goes downwards, but for one that would close a circle."""
    position = {name: i for i, name in enumerate(_sorted(nodes, lines))}
    turned = [line if position[line.source] < position[line.target] else _reversed(line) for line in lines]
    rank = _ranks(sorted(nodes, key=position.__getitem__), turned)
    spots = {n: Spot(2 * rank[n], size.width, size.height, is_node=True) for n, size in nodes.items()}
    chains = [_chain(line, spots) for line in turned]
    layers = _layers([*spots.values(), *(s for chain in chains for s in chain[1:-1])])
    sort_layers(layers)
    place_spots(layers)
    left = min((s.x - s.width / 2 for layer in layers for s in layer), default=0.0)
    for layer in layers:
        for spot in layer:
            spot.x -= left
    tops = _tops(layers)
    boxes = {n: _box(spot, tops[spot.rank]) for n, spot in spots.items()}
    ports = _ports(chains, {id(spots[n]): size for n, size in nodes.items()})
    routes = [_route(chain, tops, *ports[i]) for i, chain in enumerate(chains)]
    back = [
        Route(r.points if t is line else r.points[::-1], r.label)
        for r, t, line in zip(routes, turned, lines, strict=True)
    ]
    width = max((s.x + s.width / 2 for layer in layers for s in layer), default=0.0)
    height = sum(tops[-1]) if tops else 0.0
    return Layout(width, height, boxes, tuple(back))


def _reversed(line: Line) -> Line:
    return Line(line.target, line.source, line.label_width, line.label_height)


# ------------------------------------------------------------------ layers


def _sorted(nodes: Iterable[str], lines: Sequence[Line]) -> list[str]:
    """Return the nodes, each after those above it; of a circle, the first that was given comes first."""
    waits = {n: {line.source for line in lines if line.target == n} - {n} for n in nodes}
    found: list[str] = []
    while waits:
        chosen = next((n for n, above in waits.items() if not above), next(iter(waits)))
        found.append(chosen)
        del waits[chosen]
        for above in waits.values():
            above.discard(chosen)
    return found


def _ranks(names: Sequence[str], lines: Sequence[Line]) -> dict[str, int]:
    """Return each node's layer: the longest way from the top; of one that nothing leads to, just above the next."""
    above, below = defaultdict(list), defaultdict(list)
    for line in lines:
        if line.source != line.target:
            above[line.target].append(line.source)
            below[line.source].append(line.target)
    rank: dict[str, int] = {}
    for name in names:
        rank[name] = max((rank[a] + 1 for a in above[name]), default=0)
    for name in names:
        if not above[name] and below[name]:
            rank[name] = min(rank[b] for b in below[name]) - 1
    return rank


def _chain(line: Line, spots: Mapping[str, Spot]) -> list[Spot]:
    """Return the spots of an edge from node to node, each joined to the next; its label is at the first between."""
    first, last = spots[line.source], spots[line.target]
    chain = [first]
    for rank in range(first.rank + 1, last.rank):
        is_label = rank == first.rank + 1
        size = (line.label_width, line.label_height) if is_label else (0.0, 0.0)
        chain.append(Spot(rank, *size, is_node=False))
    chain.append(last)
    for upper, lower in pairwise(chain):
        upper.down.append(lower)
        lower.up.append(upper)
    return chain


def _layers(spots: Iterable[Spot]) -> list[list[Spot]]:
    layers: dict[int, list[Spot]] = defaultdict(list)
    for spot in spots:
        layers[spot.rank].append(spot)
    return [layers[rank] for rank in range(max(layers, default=-1) + 1)]


# ------------------------------------------------------------------ places


def _tops(layers: Sequence[Sequence[Spot]]) -> list[tuple[float, float]]:
    """Return the top and the height of each layer."""
    tops: list[tuple[float, float]] = []
    y = 0.0
    for layer in layers:
        height = max((s.height for s in layer), default=0.0)
        y += _ARRIVAL if any(s.is_node and s.up for s in layer) else 0.0
        tops.append((y, height))
        farthest = max((abs(s.x - below.x) for s in layer for below in s.down), default=0.0)
        y += height + min(_MOST_GAP, max(_LEAST_GAP, _SLOPE * farthest))
    return tops


def _box(spot: Spot, layer: tuple[float, float]) -> Box:
    top, height = layer
    return Box(spot.x - spot.width / 2, top + (height - spot.height) / 2, spot.width, spot.height)


def _ports(chains: Sequence[Sequence[Spot]], sizes: Mapping[int, Size]) -> list[tuple[float, float]]:
    """Return where each edge leaves its source and reaches its target: side by side, in the order of their ways."""
    leaving, arriving = defaultdict(list), defaultdict(list)
    for i, chain in enumerate(chains):
        leaving[id(chain[0])].append((chain[1].x, i))
        arriving[id(chain[-1])].append((chain[-2].x, i))
    found = [[chain[0].x, chain[-1].x] for chain in chains]
    for end, groups in ((0, leaving), (1, arriving)):
        for node, edges in groups.items():
            room = sizes[node].top if end else sizes[node].width * 0.6
            step = min(_PORTS, room / max(1, len(edges) - 1))
            for n, (_, i) in enumerate(sorted(edges)):
                found[i][end] += (n - (len(edges) - 1) / 2) * step
    return [(start, end) for start, end in found]


def _route(chain: Sequence[Spot], tops: Sequence[tuple[float, float]], start: float, end: float) -> Route:
    """Return the points of an edge: straight down through each layer, to the side only between layers."""
    points: list[tuple[float, float]] = []
    for spot in chain:
        top, height = tops[spot.rank]
        margin = (height - spot.height) / 2
        if spot is chain[0]:
            points += [(start, top + height - margin), (start, top + height)]
        elif spot is chain[-1]:
            points += [(end, top - _ARRIVAL), (end, top + margin)]
        else:
            points += [(spot.x, top - (_ARRIVAL if spot.rank % 2 == 0 else 0.0)), (spot.x, top + height)]
    label = chain[1]
    top, height = tops[label.rank]
    return Route(tuple(dict.fromkeys(points)), (label.x, top + height / 2))
