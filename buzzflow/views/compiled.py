"""What a dry run shows: each step, what it runs and where, and what would be deployed."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from buzzflow import ir
from buzzflow.backends.backend import Artifact


def compiled(pipeline: ir.Pipeline, artifact: Artifact, backend: str) -> RenderableType:
    """Return the steps of *pipeline* in their order, and the size of the artifact."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    for title in ("step", "type", "after", "instance", "code"):
        grid.add_column(title, overflow="fold")
    for step in pipeline.steps:
        after = ", ".join(dict.fromkeys(n.step for n in step.needs))
        job = ir.job_of(step)
        instance = code = ""
        if job is not None:
            count = "" if job.instance.count == 1 else f" x {_plain(job.instance.count)}"
            instance = f"{_plain(job.instance.type)}{count}"
            code = "" if job.code is None else f"{job.code.entry_point} {job.code.bundle.digest[:12]}"
        grid.add_row(escape(step.name), step.work.type, after, instance, code)
    name = f"{pipeline.environment.name_prefix if pipeline.environment else ''}{pipeline.name}"
    told = f"{name}: {len(pipeline.steps)} steps, {artifact.name} of {len(artifact.content):,} bytes for {backend}"
    return Group(grid, Text(), Text(told))


def _plain(value: ir.Value | ir.Number) -> str:
    match value:
        case str() | int():
            return str(value)
        case ir.ParameterReference(parameter=name):
            return f"${{param:{name}}}"
        case _:
            return "${…}"
