"""The top of the page: which run it is, how it ended, and first of all what failed."""

from __future__ import annotations

from buzzflow.backends.local.events import State
from buzzflow.views.figures import duration, memory
from buzzflow.views.report.markup import Markup, join, tag
from buzzflow.views.report.shown import ShownRun, ShownStep
from buzzflow.views.report.words import badge, dot, fact, plural

_TAIL_LINES = 12
_FAILURES = 3  # in full; of a hundred, the others are named


def head(run: ShownRun) -> Markup:
    """Return the header, with the failures and the notices below."""
    button = tag("button", "Theme", type="button", id="theme", hidden=True, title="light or dark")
    name = tag("h1", run.manifest.pipeline, " ", badge(run.state))
    top = tag("div", tag("div", tag("p", "buzzflow · local run", class_="kind"), name), button, class_="title")
    parts = [top, _facts(run), _bar(run), *_failures(run), *_notices(run)]
    return tag("header", *parts)


def _facts(run: ShownRun) -> Markup:
    manifest = run.manifest
    took = {"running": "running for", "killed": "last seen after"}.get(run.state, "took")
    started = tag("time", f"{run.started:%Y-%m-%d %H:%M:%S} UTC", datetime=run.started.isoformat())
    facts = [
        fact("run", tag("code", manifest.run)),
        fact("started", started),
        fact(took, duration(run.seconds)),
        fact("executor", manifest.executor),
        *_used(run),
        *([fact("file", tag("code", manifest.file))] if manifest.file else []),
    ]
    return tag("dl", *facts, class_="facts")


def _used(run: ShownRun) -> list[Markup]:
    used = [step.record.usage for step in run.steps if step.record.usage is not None]
    seconds = [usage.cpu_seconds for usage in used if usage.cpu_seconds is not None]
    peaks = [usage.memory_peak_bytes for usage in used if usage.memory_peak_bytes is not None]
    facts = [fact("CPU time", duration(sum(seconds)))] if seconds else []
    return facts + ([fact("largest step", memory(max(peaks)))] if peaks else [])


def _bar(run: ShownRun) -> Markup:
    """Return how many steps are in which state."""
    states = [State.FAILED, "killed", State.STOPPED, "running", State.SUCCEEDED, State.CACHED, State.SKIPPED, "waiting"]
    counts = [(state, len(run.of(state))) for state in states]  # type: ignore[arg-type]
    told = [tag("li", dot(state), f" {count} {state}") for state, count in counts if count]  # type: ignore[arg-type]
    return tag("ul", tag("li", plural(len(run.steps), "step"), class_="all"), *told, class_="counts")


# ------------------------------------------------------------------ what to read first


def _failures(run: ShownRun) -> list[Markup]:
    failed = run.of(State.FAILED)
    parts = [_failure(step, run) for step in failed[:_FAILURES]]
    if others := failed[_FAILURES:]:
        links = join((tag("a", step.name, href=f"#{step.anchor}") for step in others), ", ")
        parts.append(tag("p", f"{plural(len(others), 'step')} more failed: ", links))
    if run.state == "killed":
        parts.insert(0, tag("div", _killed(run), class_="failure"))
    return [tag("section", *parts, class_="failures", aria_label="What failed")] if parts else []


def _failure(step: ShownStep, run: ShownRun) -> Markup:
    title = tag("h2", dot(step.state), " ", tag("a", step.name, href=f"#{step.anchor}"), " failed")
    parts = [title, tag("p", step.record.reason or "it gave no reason", class_="reason")]
    if step.log is not None and step.log.lines:
        parts.append(tag("pre", "\n".join(step.log.lines[-_TAIL_LINES:]), tabindex=0, aria_label="the last lines"))
    waiting = [other.name for other in run.steps if other.state == State.SKIPPED and step.name in other.record.needs]
    held = [f"Not run because of it: {', '.join(waiting)}."] if waiting else []
    log = [] if step.log is None else ["Whole log: ", tag("code", run.path(step.log.place))]
    return tag("article", *parts, tag("p", " ".join(held), " " if held else "", *log, class_="hint"), class_="failure")


def _killed(run: ShownRun) -> Markup:
    running = ", ".join(step.name for step in run.of("killed")) or "no step"
    told = f"The process that ran it ended without a word; {running} was running. What ended before is kept."
    return join([tag("h2", dot("killed"), " The run was killed"), tag("p", told, class_="hint")])


def _notices(run: ShownRun) -> list[Markup]:
    if not run.manifest.notices:
        return []
    return [tag("ul", *(tag("li", notice) for notice in run.manifest.notices), class_="notices", aria_label="Notices")]
