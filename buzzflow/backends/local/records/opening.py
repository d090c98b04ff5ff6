"""The manifest that a run begins with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.metadata import version

from buzzflow.backends.local import evaluate, plan
from buzzflow.backends.local.owner import machine, owner
from buzzflow.backends.local.records.manifest import AskedInstance, Manifest, StepRecord
from buzzflow.backends.local.request.request import Ready, RunRequest
from buzzflow.backends.local.request.samples import sample_data


def opened(request: RunRequest, ready: Ready, executor: str) -> Manifest:
    """Return the manifest of a run of which no step has begun; *executor* is the name of what runs them."""
    return Manifest(
        run=request.run,
        pipeline=request.plan.pipeline,
        file=request.file,
        buzzflow=version("buzzflow"),
        executor=executor,
        machine=machine(),
        owner=owner(),
        started=ready.known.run["start_time"],
        parameters=dict(ready.known.parameters),
        jobs=request.jobs,
        code=dict(_digests(request.plan)),
        steps={step.name: opened_step(step, request, ready) for step in request.plan.steps},
    )


def opened_step(step: plan.Step, request: RunRequest, ready: Ready) -> StepRecord:
    """Return the record of a step that has not begun."""
    record = StepRecord(type=step.type, needs=[*dict.fromkeys(need.step for need in step.needs)])
    if isinstance(step, plan.ContainerStep):
        record.sample_data = sample_data(step.written, step.container, request, ready.known)
        with contextlib.suppress(evaluate.EvaluationError):  # what only a finished step knows
            kind = evaluate.text(step.container.instance_type, ready.known)
            count = evaluate.number(step.container.instance_count, ready.known)
            record.instance = AskedInstance(type=kind, count=count)
    return record


def _digests(pipeline: plan.RunPlan) -> Iterator[tuple[str, str]]:
    for step in plan.every_step(pipeline.steps):
        if isinstance(step, plan.ContainerStep) and step.container.code is not None:
            yield step.name, step.container.code.digest
