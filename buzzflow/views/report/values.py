"""What the run was given, and the numbers that it found."""

from __future__ import annotations

from collections.abc import Sequence

from buzzflow.views.report.markup import Markup, join, tag
from buzzflow.views.report.shown import ShownRun
from buzzflow.views.report.words import number


def values(run: ShownRun) -> Markup:
    """Return the tables of parameters and metrics, and of what made the run."""
    anchors = {step.name: step.anchor for step in run.steps}
    given = [(tag("code", name), tag("code", str(value))) for name, value in run.manifest.parameters.items()]
    found = [
        (tag("a", one.step, href=f"#{anchors[one.step]}"), tag("code", one.name), number(one.value))
        for one in run.findings
    ]
    code = [(step, tag("code", digest)) for step, digest in run.manifest.code.items()]
    tables = [
        _table("Parameters", ("name", "value"), given),
        _table("Metrics, from logs and reports", ("step", "name", "value"), found),
        _table("Code of the steps", ("step", "digest"), code),
    ]
    return join(tables)


def _table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str | Markup, ...]]) -> Markup:
    if not rows:
        return Markup("")
    header = tag("tr", *(tag("th", column, scope="col") for column in columns))
    body = [tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows]
    table = tag("table", tag("caption", title), tag("thead", header), tag("tbody", *body))
    return tag("div", table, class_="card scroll", tabindex=0, role="region", aria_label=title)
