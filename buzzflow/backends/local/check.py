"""What a local run cannot do, told before it starts."""

from __future__ import annotations

from collections.abc import Iterator

from buzzflow import ir
from buzzflow.diagnostics import Diagnostic, Path, Severity

_LATER = "delete it for local runs in pipeline.local.yaml: steps: {name: null}, with those that need it"


def check(pipeline: ir.Pipeline) -> Iterator[Diagnostic]:
    """Yield the references that only the service answers, and the data that a laptop cannot stream."""
    for step in pipeline.steps:
        if not isinstance(step.work, ir.Processing | ir.Training | ir.Condition | ir.Fail):
            kind = step.work.type
            what = f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} step cannot be tried here"
            yield Diagnostic("BF422", what, ("steps", step.name, "type"), _LATER)
            continue
        if isinstance(step.work, ir.Training) and step.work.algorithm is not None:
            path: Path = ("steps", step.name, "algorithm")
            yield Diagnostic("BF422", "an algorithm resource exists on the service only", path, _LATER)
        if isinstance(step.work, ir.Condition) and step.work.test == ir.All(()):
            path = ("steps", step.name, "arguments_patch", "Conditions")
            yield Diagnostic("BF422", "Conditions in the service's words cannot be tried here", path, "write if:")
        for field, patch in (("arguments_patch", step.patch), ("step_patch", step.step_patch)):
            if patch is not None:
                what = f"{field} is in the service's words, and is not tried here"
                yield Diagnostic("BF423", what, ("steps", step.name, field), severity=Severity.WARNING)
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
