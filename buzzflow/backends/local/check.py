"""What a local run cannot do, told before it starts."""

from __future__ import annotations

from collections.abc import Iterator

from buzzflow import ir
from buzzflow.diagnostics import Diagnostic


def check(pipeline: ir.Pipeline) -> Iterator[Diagnostic]:
    """Yield the references that only the service answers, and the data that a laptop cannot stream."""
    for step in pipeline.steps:
        for reference in ir.references(step.work):
            if isinstance(reference, ir.DescribeReference):
                told = ".".join(reference.path)
                hint = "use a word such as model, job_name or outputs.name, which has a meaning here too"
                summary = f"properties.{told} of step {reference.step!r} exists on the service only"
                yield Diagnostic("BF420", summary, ("steps", step.name), hint)
        job = ir.job_of(step)
        for item in job.inputs if job is not None else ():
            if item.mode == "pipe":
                path = ("steps", step.name, "inputs", item.name)
                hint = "use mode: file in pipeline.local.yaml"
                yield Diagnostic("BF421", f"input {item.name!r} is a pipe, which cannot be tried here", path, hint)
