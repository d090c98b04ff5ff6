"""The Python API: what the command line does, as functions. `import buzzflow` and use its names, not this module's."""

from buzzflow.api.events import RunEvents, run_events
from buzzflow.api.pipelines import Artifact, Pipeline, compile, load, validate  # noqa: A004  # as Python's `re` has one
from buzzflow.api.runs import Report, StepReport, run_local
from buzzflow.backends.local.events import (
    Notice,
    RunFinished,
    RunStarted,
    State,
    StepFinished,
    StepLine,
    StepStarted,
)
from buzzflow.views.steps import Step

__all__ = [
    "Artifact",
    "Notice",
    "Pipeline",
    "Report",
    "RunEvents",
    "RunFinished",
    "RunStarted",
    "State",
    "Step",
    "StepFinished",
    "StepLine",
    "StepReport",
    "StepStarted",
    "compile",
    "load",
    "run_events",
    "run_local",
    "validate",
]
