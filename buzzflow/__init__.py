"""A declarative YAML pipeline compiler for Amazon SageMaker that also runs pipelines on your own machine.

Besides the command `buzzflow`, what this module lists is meant for others, and `buzzflow.testing` for a project's own
tests. `import buzzflow` loads nothing heavy.
"""

from typing import TYPE_CHECKING

from buzzflow.diagnostics import Diagnostic, PipelineError, Severity, Span

if TYPE_CHECKING:
    from buzzflow.api import (
        Artifact,
        Notice,
        Pipeline,
        Report,
        RunEvents,
        RunFinished,
        RunStarted,
        State,
        Step,
        StepFinished,
        StepLine,
        StepReport,
        StepStarted,
        compile,  # noqa: A004
        load,
        run_events,
        run_local,
        validate,
    )

__all__ = [
    "Artifact",
    "Diagnostic",
    "Notice",
    "Pipeline",
    "PipelineError",
    "Report",
    "RunEvents",
    "RunFinished",
    "RunStarted",
    "Severity",
    "Span",
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

if not TYPE_CHECKING:  # mypy sees the names above, and would take any other for one of these

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from buzzflow import api

        return getattr(api, name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
