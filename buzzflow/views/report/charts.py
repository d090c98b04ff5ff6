"""The curves of the page: thinned to what a screen can show, and summed over the steps of a run."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from buzzflow.views.report.shown import Columns, ShownRun, ShownStep

_POINTS = 100_000  # of all curves of a page
_MOST, _LEAST = 600, 40  # of one
_TOTAL_POINTS = 400
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)  # seconds
_MOST_TICKS = 7
_FIGURES = ("cpu_cores", "memory_bytes")


def chart_data(run: ShownRun) -> Mapping[str, Any]:
    """Return what the page's script draws: the curves of each step by its anchor, and those of the whole run."""
    drawn = [step for step in run.steps if step.curves]
    most = max(_LEAST, min(_MOST, _POINTS // max(1, len(drawn))))
    curves = {step.anchor: thinned(step.curves, most) for step in drawn}
    seconds = run.seconds
    return {"steps": curves, "run": total(drawn, seconds), "seconds": round(seconds, 3), "ticks": ticks(seconds)}


def thinned(columns: Columns, most: int) -> dict[str, list[float]]:
    """Return CPU and memory with at most *most* points: of neighbours, the highest stays, so that no peak is lost."""
    at = columns["at"]
    width = -(-len(at) // most)
    found = {"at": [round(part[-1], 3) for part in _parts(at, width)]}
    for name in _FIGURES:
        if name in columns:
            found[name] = [_short(max(part)) for part in _parts(columns[name], width)]
    return found


def _parts(values: Sequence[float], width: int) -> Iterator[Sequence[float]]:
    return (values[begin : begin + width] for begin in range(0, len(values), width))


def _short(value: float) -> float:
    return round(value) if value >= 1000 else round(value, 3)


def total(steps: Sequence[ShownStep], seconds: float) -> dict[str, list[float]]:
    """Return the sum over all steps that run at a moment; a step's value holds since the one before."""
    if not steps or seconds <= 0:
        return {}
    at = [seconds * i / _TOTAL_POINTS for i in range(_TOTAL_POINTS + 1)]
    found = {"at": [round(moment, 3) for moment in at]}
    for name in _FIGURES:
        sums = [0.0] * len(at)
        for step in steps:
            if name in step.curves:
                _add(sums, at, step, step.curves[name])
        if any(sums):
            found[name] = [_short(value) for value in sums]
    return found


def _add(sums: list[float], at: Sequence[float], step: ShownStep, values: Sequence[float]) -> None:
    begin, times = step.begin or 0.0, step.curves["at"]
    width = at[1] - at[0]
    first, last = bisect_left(at, begin), bisect_left(at, begin + times[-1])
    for i in range(first, min(last + 1, len(at))):
        low = bisect_left(times, at[i] - begin - width)
        high = bisect_left(times, at[i] - begin)
        sums[i] += max(values[low : high + 1], default=0.0)  # the highest since the point before: no peak is lost


def ticks(seconds: float) -> list[float]:
    """Return round moments from 0 to the end, few enough to be read."""
    width = next((step for step in _TICKS if seconds / step < _MOST_TICKS), 86400.0 * (1 + seconds // 604800))
    return [round(width * i, 1) for i in range(int(seconds / width + 1e-9) + 1)]
