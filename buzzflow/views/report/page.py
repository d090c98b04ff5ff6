"""Assemble the page: sections from the run, style and scripts from files, and a policy that lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from string import Template

from buzzflow.instances.advice import RunAdvice
from buzzflow.views.report import graph, head, steps, timeline, values
from buzzflow.views.report.advice import advice
from buzzflow.views.report.charts import chart_data
from buzzflow.views.report.markup import Markup, data_block, join, tag, text
from buzzflow.views.report.shown import ShownRun, read_run

REPORT = "report.html"
_STYLES = ("vendor/uPlot.min.css", "style.css", "sections.css")
_SCRIPTS = ("vendor/uPlot.iife.min.js", "charts.js", "page.js")


def write_report(folder: Path, output: Path | None = None, fitting: RunAdvice | None = None) -> Path:
    """Write the report of the run in *folder*, with the advice about it, there or to *output*; return its path.

    Raises:
        ManifestError: there is no run that can be read.
        OSError: the file cannot be written.
    """
    target = output or folder / REPORT
    page = report_page(folder, datetime.now(UTC), fitting)
    partial = target.with_name(target.name + ".partial")
    partial.write_text(page, "utf-8")
    partial.replace(target)
    return target


def report_page(folder: Path, now: datetime, fitting: RunAdvice | None = None) -> str:
    """Return the page about the run in *folder*; *now* is how far a run that has not ended is shown."""
    run = read_run(folder, now)
    styles, scripts = [_file(name) for name in _STYLES], [_file(name) for name in _SCRIPTS]
    sections = _sections(run, fitting)
    return Template(_file("page.html")).substitute(
        policy=_policy(styles, scripts),
        title=text(f"{run.manifest.pipeline} {run.state} - {run.manifest.run}"),
        styles=join(Markup(f"<style>{content}</style>") for content in styles),
        head=head.head(run),
        links=join(tag("a", label, href=f"#{identity}") for identity, label, _ in sections),
        sections=join(_section(identity, label, content) for identity, label, content in sections),
        foot=text(f"Run by buzzflow {run.manifest.buzzflow}; written {now:%Y-%m-%d %H:%M:%S} UTC."),
        data=data_block("data", chart_data(run)),
        scripts=join(Markup(f"<script>{content}</script>") for content in scripts),
    )


def _sections(run: ShownRun, fitting: RunAdvice | None) -> list[tuple[str, str, Markup]]:
    """Return the sections that have something to show: identity, title, content."""
    every = [
        ("timeline", "Timeline", timeline.timeline(run)),
        ("steps", "Steps", steps.steps(run)),
        ("graph", "Graph", graph.graph(run)),
        ("values", "Values", values.values(run)),
        ("advice", "Advice", advice(run, fitting)),
    ]
    return [section for section in every if section[2]]


def _section(identity: str, label: str, content: Markup) -> Markup:
    return tag("section", tag("h2", label), content, id=identity, class_="panel")


def _file(name: str) -> str:
    return (files("buzzflow.views.report") / "assets" / name).read_text("utf-8")


def _policy(styles: list[str], scripts: list[str]) -> str:
    """Return the Content-Security-Policy: our own inline text by its hash, no address at all."""
    allowed = {"style-src": styles, "script-src": scripts}
    hashes = [f"{kind} {' '.join(map(_hash, contents))}" for kind, contents in allowed.items()]
    return "; ".join(["default-src 'none'", *hashes, "img-src data:", "base-uri 'none'", "form-action 'none'"])


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
