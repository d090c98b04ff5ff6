"""Get the definition of a pipeline that is deployed: DescribePipeline."""

from __future__ import annotations

import re
from dataclasses import replace

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.aws.errors import aws_errors, is_absent
from buzzflow.backends.sagemaker.executions.find import read_address
from buzzflow.backends.sagemaker.importing.document import Document, read_document
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.deployed import environment_region

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")


def read_deployed(source: str, *, region: str | None) -> Document:
    """Return the definition of the pipeline with that name or ARN; PipelineError says why there is none."""
    address = read_address(source)
    if address is None and not _NAME.fullmatch(source):
        hint = "a file that ends in .json or .py; or the name or ARN of a pipeline that is deployed"
        what = f"there is no file {source[:200]!r}, and no such pipeline"
        raise PipelineError([Diagnostic("BF657", what, hint=hint)])
    place = region or (address.region if address else None) or environment_region()
    if place is None:
        hint = f"if a file is meant, it ends in .json or .py; else name the region: import {source} --region eu-west-1"
        raise PipelineError([Diagnostic("BF657", f"in which region is pipeline {source!r}?", hint=hint)])
    account = Account(place)
    with aws_errors():
        try:
            answer = account.sagemaker.describe_pipeline(PipelineName=source.partition("/execution/")[0])
        except Exception as e:
            if not is_absent(e):
                raise
            what = f"there is no pipeline {source!r} in {place}"
            raise PipelineError([Diagnostic("BF657", what, hint=str(e))]) from None
    document = read_document(answer["PipelineDefinition"].encode(), source)
    limits = answer.get("ParallelismConfiguration", {})
    return replace(
        document,
        name=answer["PipelineName"],
        description=answer.get("PipelineDescription") or None,
        parallelism=limits.get("MaxParallelExecutionSteps"),
    )
