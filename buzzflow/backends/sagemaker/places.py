"""Where a pipeline's things lie in the environment's bucket, and what the pipeline is called there."""

from __future__ import annotations

from buzzflow import ir

CHECKPOINTS = "checkpoints"


def deployed_name(pipeline: ir.Pipeline) -> str:
    """Return the name that *pipeline* has in the account: two people's prefixes keep their copies apart."""
    prefix = pipeline.environment.name_prefix if pipeline.environment else ""
    return prefix + pipeline.name


def code_uri(pipeline: ir.Pipeline, bundle: ir.Bundle) -> str:
    """Return the folder of *bundle*: equal code has one address, whichever pipeline runs it."""
    return f"s3://{_bucket(pipeline)}/buzzflow/code/{bundle.digest}/"


def default_uri(pipeline: ir.Pipeline, step: str, folder: str) -> ir.Value:
    """Return a folder that belongs to one step of one run: `s3://<bucket>/<environment>/<pipeline>/<run>/<step>/…/`."""
    environment = pipeline.environment.name if pipeline.environment else ""
    start = f"s3://{_bucket(pipeline)}/{environment}/{deployed_name(pipeline)}/"
    return ir.Text((start, ir.RunReference("id"), f"/{step}/{folder}/"))


def _bucket(pipeline: ir.Pipeline) -> str:
    bucket = pipeline.environment.bucket if pipeline.environment else None
    assert bucket is not None, "`check` reports a missing bucket"
    return bucket
