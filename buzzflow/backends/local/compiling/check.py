"""What a local run cannot do, told before it starts."""

from __future__ import annotations

from collections.abc import Iterator

from buzzflow import ir
from buzzflow.diagnostics import Diagnostic, Path, Severity


def check(pipeline: ir.Pipeline) -> Iterator[Diagnostic]:
    """Yield what no answer can stand in for: tests in the service's words, and data that a laptop cannot stream."""
    for step in pipeline.steps:
        if isinstance(step.work, ir.Condition) and step.work.test == ir.All(()):
            path: Path = ("steps", step.name, "arguments_patch", "Conditions")
            yield Diagnostic("BF422", "Conditions in the service's words cannot be tried here", path, "write if:")
        for field, patch in (("arguments_patch", step.patch), ("step_patch", step.step_patch)):
            if patch is not None:
                what = f"{field} is in the service's words, and is not tried here"
                yield Diagnostic("BF423", what, ("steps", step.name, field), severity=Severity.WARNING)
        job = ir.job_of(step)
        for item in job.inputs if job is not None else ():
            if item.mode == "pipe":
                path = ("steps", step.name, "inputs", item.name)
                hint = "use mode: file in pipeline.local.yaml"
                yield Diagnostic("BF421", f"input {item.name!r} is a pipe, which cannot be tried here", path, hint)
