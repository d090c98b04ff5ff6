"""The Python API: what the command line does, as functions. `import buzzflow` and use its names, not this module's."""

from buzzflow.api.pipelines import Artifact, Pipeline, compile, load, validate  # noqa: A004  # as Python's `re` has one
from buzzflow.api.runs import Report, StepReport, run_local
from buzzflow.views.steps import Step

__all__ = ["Artifact", "Pipeline", "Report", "Step", "StepReport", "compile", "load", "run_local", "validate"]
