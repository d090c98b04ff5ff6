"""Where a pipeline's things lie in the environment's bucket, and what the pipeline is called there."""

from __future__ import annotations

import hashlib

from buzzflow import ir
from buzzflow.backends.sagemaker.images import dns_suffix

CHECKPOINTS = "checkpoints"
IMAGE_REPOSITORY = "buzzflow"


def deployed_name(pipeline: ir.Pipeline) -> str:
    """Return the name that *pipeline* has in the account: two people's prefixes keep their copies apart."""
    prefix = pipeline.environment.name_prefix if pipeline.environment else ""
    return prefix + pipeline.name


def code_uri(pipeline: ir.Pipeline, bundle: ir.Bundle) -> str:
    """Return the folder of *bundle*: equal code has one address, whichever pipeline runs it."""
    return f"s3://{_bucket(pipeline)}/buzzflow/code/{bundle.digest}/"


def toolkit_uri(pipeline: ir.Pipeline, bundle: ir.Bundle) -> str:
    """Return the archive of *bundle* that the toolkit in a framework image unpacks; made when deployed."""
    return f"{code_uri(pipeline, bundle)}sourcedir.tar.gz"


def files_uri(pipeline: ir.Pipeline, files: ir.Bundle) -> str:
    """Return the folder of files of the repository that a step reads as data."""
    return f"s3://{_bucket(pipeline)}/buzzflow/files/{files.digest}/"


def analysis_uri(pipeline: ir.Pipeline, content: bytes) -> str:
    """Return the address of an analysis configuration: equal contents have one."""
    return f"s3://{_bucket(pipeline)}/buzzflow/files/{hashlib.sha256(content).hexdigest()}/analysis_config.json"


def built_image_uri(pipeline: ir.Pipeline, context: ir.Bundle) -> str:
    """Return the address of an image that is built from files: pushed there when deployed."""
    environment = pipeline.environment
    account = environment.account if environment else None
    region = environment.region if environment else None
    assert account is not None, "`check` reports a missing account"
    assert region is not None, "`check` reports a missing region"
    return f"{account}.dkr.ecr.{region}.{dns_suffix(region)}/{IMAGE_REPOSITORY}:{context.digest[:32]}"


def function_arn(pipeline: ir.Pipeline, function: ir.Value, said: object) -> object:
    """Return the ARN of a function that may be given by its name in the environment's account."""
    if not isinstance(function, str) or function.startswith("arn:"):
        return said
    environment = pipeline.environment
    account = environment.account if environment else None
    region = environment.region if environment else None
    return f"arn:aws:lambda:{region}:{account}:function:{function}"


def default_uri(pipeline: ir.Pipeline, step: ir.Step, folder: str) -> ir.Value:
    """Return a folder that belongs to one step of one run: `s3://<bucket>/<environment>/<pipeline>/<run>/<step>/…/`.

    The body of a foreach runs for many items, each of which has a folder in that of the step.
    """
    environment = pipeline.environment.name if pipeline.environment else ""
    start = f"s3://{_bucket(pipeline)}/{environment}/{deployed_name(pipeline)}/"
    if step.inside is not None:
        return ir.Text((start, ir.RunReference("id"), f"/{step.name}/", ir.ItemReference(()), f"/{folder}/"))
    return ir.Text((start, ir.RunReference("id"), f"/{step.name}/{folder}/"))


def _bucket(pipeline: ir.Pipeline) -> str:
    bucket = pipeline.environment.bucket if pipeline.environment else None
    assert bucket is not None, "`check` reports a missing bucket"
    return bucket
