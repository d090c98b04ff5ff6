"""The spots of a layered graph: sorted so that few edges cross, then moved so that edges run straight."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_BETWEEN = 26.0  # pixels between two nodes of a layer
_BETWEEN_EDGES = 14.0
_ORDER_SWEEPS, _PLACE_SWEEPS = 12, 60


@dataclass(slots=True, eq=False)
class Spot:
    """A node, or where an edge crosses a layer."""

    rank: int
    width: float
    height: float
    is_node: bool
    up: list[Spot] = field(default_factory=list)
    down: list[Spot] = field(default_factory=list)
    x: float = 0.0  # its middle
    place: int = 0  # among those of its layer


def sort_layers(layers: list[list[Spot]]) -> None:
    """Sort each layer by the mean place of its neighbours, down and up; of all tries the one with fewest crossings."""
    _number(layers)
    best, fewest = [[*layer] for layer in layers], _crossings(layers)
    for sweep in range(_ORDER_SWEEPS):
        downwards = sweep % 2 == 0
        for layer in layers if downwards else reversed(layers):
            mean = {id(s): _mean_place(s.up if downwards else s.down, s.place) for s in layer}
            layer.sort(key=lambda s: (mean[id(s)], s.place))
            _number([layer])
        if (crossings := _crossings(layers)) < fewest:
            best, fewest = [[*layer] for layer in layers], crossings
    layers[:] = best
    _number(layers)


def _number(layers: Iterable[Sequence[Spot]]) -> None:
    for layer in layers:
        for place, spot in enumerate(layer):
            spot.place = place


def _mean_place(neighbours: Sequence[Spot], otherwise: float) -> float:
    return sum(s.place for s in neighbours) / len(neighbours) if neighbours else otherwise


def _crossings(layers: Sequence[Sequence[Spot]]) -> int:
    total = 0
    for layer in layers:
        seen: list[int] = []
        for spot in layer:
            ends = sorted(s.place for s in spot.down)
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


# ------------------------------------------------------------------ places


def place_spots(layers: Sequence[Sequence[Spot]]) -> None:
    """Move every spot towards its neighbours as far as its layer allows; long edges pull hardest, to be straight."""
    for layer in layers:
        _put(layer, [0.0] * len(layer))
    for sweep in range(_PLACE_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            _put(layer, [_wanted(spot) for spot in layer])


def _wanted(spot: Spot) -> float:
    pulls = [(12.0 if not (spot.is_node or s.is_node) else 1.0, s.x) for s in (*spot.up, *spot.down)]
    total = sum(weight for weight, _ in pulls)
    return sum(weight * x for weight, x in pulls) / total if pulls else spot.x


def _put(layer: Sequence[Spot], wanted: Sequence[float]) -> None:
    """Set each x as near to *wanted* as distances allow: least squares, by pooling neighbours that would collide."""
    offsets = [0.0]
    for left, right in pairwise(layer):
        between = _BETWEEN if left.is_node and right.is_node else _BETWEEN_EDGES
        offsets.append(offsets[-1] + (left.width + right.width) / 2 + between)
    pools: list[tuple[float, int]] = []  # mean and number of those that move together
    for want, offset in zip(wanted, offsets, strict=False):
        mean, count = want - offset, 1
        while pools and pools[-1][0] > mean:
            other, more = pools.pop()
            mean, count = (other * more + mean * count) / (more + count), more + count
        pools.append((mean, count))
    means = [mean for mean, count in pools for _ in range(count)]
    for spot, mean, offset in zip(layer, means, offsets, strict=False):
        spot.x = mean + offset
