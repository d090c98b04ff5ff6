"""A declarative YAML pipeline compiler for Amazon SageMaker that also runs pipelines on your own machine.

The command `buzzflow` is the interface; of Python, only what this module lists is meant for others.
"""

from buzzflow.diagnostics import Diagnostic, PipelineError, Severity, Span

__all__ = ["Diagnostic", "PipelineError", "Severity", "Span"]
