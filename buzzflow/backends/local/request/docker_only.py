"""What processes cannot do: found before a run without Docker starts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from buzzflow.backends.local import plan
from buzzflow.backends.local.evaluate import EvaluationError, number
from buzzflow.backends.local.request.kinds import is_answered
from buzzflow.backends.local.request.request import Ready, RunRequest
from buzzflow.diagnostics import Diagnostic


def without_docker(request: RunRequest, ready: Ready) -> Iterator[Diagnostic]:
    """Yield the steps that run in containers only: transforms, and jobs on several machines."""
    for step in plan.every_step(request.plan.steps):
        if is_answered(step, request.here):
            continue
        if isinstance(step, plan.TransformStep):
            hint = f"start Docker, or say its predictions: local: {{steps: {{{step.name}: {{result: …}}}}}}"
            what = f"transform {step.name!r} runs in Docker only: it starts the model's container"
            yield Diagnostic("BF535", what, ("steps", step.name), hint)
        if isinstance(step, plan.ContainerStep):
            with contextlib.suppress(EvaluationError):  # what only a finished step knows
                if (count := number(step.container.instance_count, ready.known)) > 1:
                    what = f"step {step.name!r} wants {count} machines, which are containers, and there is no Docker"
                    hint = "start Docker, or write in pipeline.local.yaml: instance: {count: 1}"
                    yield Diagnostic("BF535", what, ("steps", step.name, "instance", "count"), hint)
