"""All about each step: why it ended so, its curves and figures, what it found, its log."""

from __future__ import annotations

from collections.abc import Iterator

from buzzflow.backends.local.events import State
from buzzflow.backends.local.records.manifest import UsageRecord
from buzzflow.views.figures import cores, duration, memory, size
from buzzflow.views.report.logs import LogText
from buzzflow.views.report.markup import Markup, join, tag
from buzzflow.views.report.shown import ShownRun, ShownStep
from buzzflow.views.report.words import asked, badge, fact, number

_FEW = 1  # of so many steps, all are open


def steps(run: ShownRun) -> Markup:
    """Return a part for each step, those that failed first, and open."""
    urgent = run.of(State.FAILED, "killed", State.STOPPED)
    others = [step for step in run.steps if step not in urgent]
    return join(_step(step, run, is_open=step in urgent[:3] or len(run.steps) <= _FEW) for step in [*urgent, *others])


def _step(step: ShownStep, run: ShownRun, *, is_open: bool) -> Markup:
    took = duration(step.seconds) if step.record.began is not None and step.seconds is not None else ""
    about = [tag("span", step.record.type, class_="type"), badge(step.state), tag("span", took, class_="took")]
    title = tag("summary", tag("span", step.name, class_="name"), *about)
    body = tag("div", *_parts(step, run), class_="body")
    return tag("details", title, body, class_="card step", id=step.anchor, open=is_open)


def _parts(step: ShownStep, run: ShownRun) -> Iterator[Markup]:
    record = step.record
    if record.reason:
        yield tag("p", record.reason, class_=f"reason is-{step.state}")
    if record.how:
        yield tag("p", record.how, class_="how")
    yield from (tag("p", f"warning: {warning}", class_="warning") for warning in record.warnings)
    yield tag("dl", *_facts(step, run), class_="facts")
    if step.curves:
        labels = {"cpu_cores": "CPU, in cores", "memory_bytes": "Memory"}
        figures = [
            tag("figure", tag("figcaption", label), class_="chart", data_step=step.anchor, data_figure=figure)
            for figure, label in labels.items()
            if figure in step.curves
        ]
        yield tag("div", *figures, class_="charts")
    yield from (_report(name, content) for name, content in step.reports.items())
    if step.log is not None:
        yield _log(step.log, run, step.name)


def _facts(step: ShownStep, run: ShownRun) -> Iterator[Markup]:
    record = step.record
    if record.needs:
        yield fact("after", ", ".join(record.needs))
    if record.began is not None:
        yield fact("began", f"{duration(record.began)} into the run")
    if record.exit_code is not None:
        yield fact("exit code", str(record.exit_code))
    if record.instance is not None:
        yield fact("asked on AWS", asked(record.instance))
    if record.result and not record.metrics:
        yield fact("result", record.result)
    yield from (fact(found.name, number(found.value)) for found in run.findings if found.step == step.name)
    if record.usage is not None:
        yield from _usage(record.usage)
    if (digest := run.manifest.code.get(step.name)) is not None:
        yield fact("code", tag("code", digest[:12], title=digest))


def _usage(usage: UsageRecord) -> Iterator[Markup]:
    if usage.cpu_seconds is not None:
        yield fact("CPU time", duration(usage.cpu_seconds))
    yield fact("CPU mean / peak", f"{cores(usage.cpu_mean_cores)} / {cores(usage.cpu_peak_cores)}")
    yield fact("memory peak", memory(usage.memory_peak_bytes))
    if usage.working_set_peak_bytes is not None:
        yield fact("working set peak", memory(usage.working_set_peak_bytes))
    pairs = {
        "disk read / written": (usage.disk_read_bytes, usage.disk_written_bytes),
        "network in / out": (usage.network_received_bytes, usage.network_sent_bytes),
    }
    for label, (there, back) in pairs.items():
        if there is not None or back is not None:
            yield fact(label, f"{memory(there)} / {memory(back)}")
    if usage.gpu is not None:
        yield fact("GPU", ", ".join(f"{name} {value}" for name, value in usage.gpu.items()))
    yield fact("figures from", f"{usage.source}, {usage.samples} samples")


def _report(name: str, content: str) -> Markup:
    pre = tag("pre", content, tabindex=0, aria_label=f"report {name}")
    return tag("details", tag("summary", f"report {name}"), pre, class_="part")


def _log(log: LogText, run: ShownRun, step: str) -> Markup:
    place = tag("code", run.path(log.place))
    if not log.lines and not log.cut:
        return tag("p", "It printed nothing.", class_="note")
    if log.cut:
        cut = tag("p", f"The first {size(log.cut)} are left out. The whole log: ", place, class_="note")
    else:
        cut = tag("p", "Also in ", place, class_="note")
    lines = tag("pre", "\n".join(log.lines), tabindex=0, class_="log", aria_label=f"log of {step}")
    return tag("div", tag("h3", "Log"), cut, lines)
