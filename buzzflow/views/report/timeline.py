"""The timeline: a bar for each step on the run's time, and below it what all steps together used."""

from __future__ import annotations

from buzzflow.views.figures import cores, duration, memory
from buzzflow.views.report.charts import ticks
from buzzflow.views.report.markup import Markup, join, tag
from buzzflow.views.report.shown import ShownRun, ShownStep
from buzzflow.views.report.words import asked, dot

_LEAST_WIDTH = 0.4  # percent: what took no time is seen, too


def timeline(run: ShownRun) -> Markup:
    """Return the chart, and a table with the same rows for who reads figures."""
    marks = ticks(run.seconds)
    rows = [_row(step, run.seconds, marks) for step in run.steps]
    chart = tag("ol", _axis(run.seconds, marks), *rows, class_="gantt")
    parts = [tag("div", chart, class_="card")]
    if any(step.curves for step in run.steps):
        parts.append(_total("cpu_cores", "CPU of all steps, in cores"))
        parts.append(_total("memory_bytes", "Memory of all steps"))
    return join([*parts, _table(run)])


def _axis(seconds: float, marks: list[float]) -> Markup:
    labels = [
        tag("text", _tick(tick), x=_percent(tick, seconds), y=12, class_="first" if tick == 0 else None)
        for tick in marks
        if tick == 0 or tick <= seconds * 0.96
    ]
    track = tag("svg", *labels, class_="track", height=16, aria_hidden="true")
    return tag("li", tag("span"), track, tag("span"), class_="axis", aria_hidden="true")


def _tick(seconds: float) -> str:
    """Return `0.5 s`, `10 s`, `1:30`, `2:00:00`."""
    if seconds < 60:
        return f"{seconds:g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _row(step: ShownStep, seconds: float, marks: list[float]) -> Markup:
    lines = [tag("line", x1=_percent(t, seconds), x2=_percent(t, seconds), y1=0, y2="100%") for t in marks]
    told = _told(step)
    track = tag("svg", *lines, *_bar(step, seconds), class_="track", height=30, aria_hidden="true")
    name = tag("span", dot(step.state), " ", tag("span", step.name, class_="text"), class_="name", title=step.name)
    label = f"{step.name}, {step.state}, {told}"
    link = tag("a", name, track, tag("span", told, class_="told"), href=f"#{step.anchor}", aria_label=label)
    return tag("li", link)


def _told(step: ShownStep) -> str:
    if step.seconds is None:
        return str(step.state)
    return duration(step.seconds) if step.record.began is not None else "at once"


def _bar(step: ShownStep, seconds: float) -> list[Markup]:
    if step.begin is None or step.end is None or seconds <= 0:
        return []
    width = max(_LEAST_WIDTH, 100 * (step.end - step.begin) / seconds)
    left = min(100 * step.begin / seconds, 100 - width)
    about = tag("title", f"{step.name}: {step.state}, {duration(step.begin)} to {duration(step.end)}")
    shape = tag("rect", about, x=f"{left:.3f}%", y=8, width=f"{width:.3f}%", height=14, rx=3, class_=f"is-{step.state}")
    return [shape]


def _percent(moment: float, seconds: float) -> str:
    return f"{100 * moment / seconds if seconds > 0 else 0:.3f}%"


def _total(figure: str, label: str) -> Markup:
    return tag("figure", tag("figcaption", label), class_="card chart", data_step="run", data_figure=figure)


# ------------------------------------------------------------------ figures


def _table(run: ShownRun) -> Markup:
    titles = ("step", "type", "state", "took", "CPU mean", "CPU peak", "memory peak", "asked on AWS")
    header = tag("tr", *(tag("th", t, scope="col", class_="n" if 3 <= i <= 6 else None) for i, t in enumerate(titles)))
    rows = [_figures(step) for step in run.steps]
    table = tag("table", tag("caption", "What each step used"), tag("thead", header), tag("tbody", *rows))
    return tag("div", table, class_="card scroll", tabindex=0, role="region", aria_label="What each step used")


def _figures(step: ShownStep) -> Markup:
    record, usage = step.record, step.record.usage
    used = ("", "", "")
    if usage is not None:
        used = (cores(usage.cpu_mean_cores), cores(usage.cpu_peak_cores), memory(usage.memory_peak_bytes))
    took = "" if step.seconds is None or record.began is None else duration(step.seconds)
    state = tag("td", dot(step.state), f" {step.state}", class_="state")
    machine = tag("td", "" if record.instance is None else asked(record.instance), class_="asked")
    name = tag("th", tag("a", step.name, href=f"#{step.anchor}"), scope="row")
    figures = [tag("td", figure, class_="n") for figure in (took, *used)]
    return tag("tr", name, tag("td", record.type), state, *figures, machine)
