"""Compile to the pipeline definition JSON of Amazon SageMaker Pipelines: offline, without its SDK or boto3."""

from __future__ import annotations

from collections.abc import Iterable

from buzzflow import ir
from buzzflow.backends.backend import Artifact
from buzzflow.backends.sagemaker.check import check_pipeline
from buzzflow.backends.sagemaker.compile import artifact, define
from buzzflow.diagnostics import Diagnostic

__all__ = ["SageMaker", "backend"]


class SageMaker:
    """Amazon SageMaker Pipelines."""

    name = "sagemaker"

    def check(self, pipeline: ir.Pipeline) -> Iterable[Diagnostic]:
        """Yield what SageMaker cannot do, and the limits of the service that *pipeline* would break."""
        return check_pipeline(pipeline)

    def compile(self, pipeline: ir.Pipeline) -> Artifact:
        """Return the pipeline definition, version 2020-12-01."""
        return artifact(define(pipeline))


backend = SageMaker()
