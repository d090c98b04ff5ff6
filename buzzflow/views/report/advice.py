"""Which instance type fits each step, as `buzzflow advise` tells it."""

from __future__ import annotations

from typing import assert_never

from buzzflow.instances.advice import Advice, RunAdvice, Verdict
from buzzflow.views.advice import OFFER_TITLES, notes, offer_rows, verdict
from buzzflow.views.report.markup import Markup, join, tag
from buzzflow.views.report.shown import ShownRun


def advice(run: ShownRun, fitting: RunAdvice | None) -> Markup:
    """Return a part for each step that was measured; nothing when none was."""
    if fitting is None or not fitting.steps:
        return Markup("")
    anchors = {step.name: step.anchor for step in run.steps}
    parts = [_part(name, one, anchors[name]) for name, one in fitting.steps.items() if name in anchors]
    without = [tag("li", f"{name}: {why}") for name, why in fitting.without.items()]
    rest = tag("article", tag("h3", "No advice"), tag("ul", *without, class_="notes")) if without else ""
    foot = tag("p", "; ".join(notes(fitting)), ".", class_="note")
    return join([tag("div", *parts, rest, class_="card advice"), foot])


def _part(name: str, one: Advice, anchor: str) -> Markup:
    mark = tag("span", one.verdict.value, class_=f"badge {_colour(one.verdict)}")
    title = tag("h3", tag("a", name, href=f"#{anchor}"), " ", mark)
    told = tag("p", f"{verdict(one)} ({one.confidence} confidence).")
    header = tag("tr", *(tag("th", label, scope="col", class_=_class(i)) for i, label in enumerate(OFFER_TITLES)))
    rows = [_row(cells, is_best=is_best) for cells, is_best in offer_rows(one)]
    table = tag("table", tag("thead", header), tag("tbody", *rows))
    box = tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=f"Instance types for {name}")
    caveats = tag("ul", *(tag("li", caveat) for caveat in one.caveats), class_="notes") if one.caveats else ""
    return tag("article", title, told, box, caveats)


def _colour(verdict: Verdict) -> str:
    match verdict:
        case Verdict.RIGHT:
            return "is-succeeded"
        case Verdict.CHEAPER | Verdict.SMALLER:
            return "is-running"
        case Verdict.SLOW | Verdict.TIGHT:
            return "is-stopped"
        case Verdict.TOO_SMALL:
            return "is-failed"
        case Verdict.UNKNOWN:
            return "is-skipped"
        case _:
            assert_never(verdict)


def _row(cells: tuple[str, ...], *, is_best: bool) -> Markup:
    named = tag("th", cells[0], scope="row")
    others = [tag("td", cell, class_=_class(i)) for i, cell in enumerate(cells[1:], 1)]
    return tag("tr", named, *others, class_="best" if is_best else None)


def _class(column: int) -> str | None:
    return "n" if 1 <= column <= 4 else None
