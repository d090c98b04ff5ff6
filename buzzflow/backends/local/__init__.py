"""The local backend: compiles to a run plan, and runs it on this machine in Docker or in processes."""

from __future__ import annotations

from collections.abc import Iterable

from buzzflow import ir
from buzzflow.backends.backend import Artifact
from buzzflow.backends.local.compiling.check import check as check_pipeline
from buzzflow.backends.local.compiling.compile import compile_plan
from buzzflow.diagnostics import Diagnostic


class LocalBackend:
    """Pipelines on this machine."""

    name = "local"

    def check(self, pipeline: ir.Pipeline) -> Iterable[Diagnostic]:
        """Yield what a local run cannot do."""
        problems = [*check_pipeline(pipeline)]
        if not any(problem.is_error for problem in problems):
            compile_plan(pipeline)
        return problems

    def compile(self, pipeline: ir.Pipeline) -> Artifact:
        """Return the run plan."""
        plan = compile_plan(pipeline)
        return Artifact("run-plan.json", plan.model_dump_json().encode())


backend = LocalBackend()
