"""The place for advice: what would fit a step better than what its pipeline asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from buzzflow.views.report.markup import Markup, tag
from buzzflow.views.report.shown import ShownRun


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What is to be said of the machines of *step*: *told* in a line, *notes* on what that rests on."""

    step: str
    told: str
    notes: Sequence[str] = ()


def advice(run: ShownRun, suggestions: Sequence[Suggestion]) -> Markup:
    """Return a part for each suggestion; nothing when there is none."""
    if not suggestions:
        return Markup("")
    anchors = {step.name: step.anchor for step in run.steps}
    parts = [_part(one, anchors[one.step]) for one in suggestions if one.step in anchors]
    return tag("div", *parts, class_="card advice")


def _part(one: Suggestion, anchor: str) -> Markup:
    title = tag("h3", tag("a", one.step, href=f"#{anchor}"))
    notes = [tag("ul", *(tag("li", note) for note in one.notes), class_="notes")] if one.notes else []
    return tag("article", title, tag("p", one.told), *notes)
