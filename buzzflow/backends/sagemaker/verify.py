"""Hold every compiled request, and every path into what the service says, against the service's own model."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from buzzflow import ir
from buzzflow.backends.sagemaker.patch import EVERY
from buzzflow.backends.sagemaker.service.describe import UnknownPath, describe_path
from buzzflow.backends.sagemaker.service.problem import RequestProblem
from buzzflow.backends.sagemaker.service.requests import request_problems
from buzzflow.backends.sagemaker.text import Object
from buzzflow.diagnostics import Diagnostic, Path, Severity

REQUESTS = {
    "processing": "CreateProcessingJob",
    "training": "CreateTrainingJob",
    "tuning": "CreateHyperParameterTuningJob",
    "transform": "CreateTransformJob",
    "model": "CreateModel",
    "register_model": "CreateModelPackage",
    "quality_check": "CreateProcessingJob",
    "clarify_check": "CreateProcessingJob",
    "automl": "CreateAutoMLJob",
    "notebook": "CreateTrainingJob",
    "emr": "EMRStep",
    "emr_serverless": "EMRServerlessStep",
    "endpoint_config": "CreateEndpointConfig",
    "endpoint": "CreateEndpoint",
    "inference_component": "CreateInferenceComponent",
    "lineage": "LineageStep",
    "job": "CreateJob",
    "cleanup": "CleanupStep",
}
RESPONSES = {
    "processing": "DescribeProcessingJob",
    "training": "DescribeTrainingJob",
    "tuning": "DescribeHyperParameterTuningJob",
    "transform": "DescribeTransformJob",
    "model": "DescribeModel",
    "register_model": "DescribeModelPackage",
    "quality_check": "CheckStep",
    "clarify_check": "CheckStep",
    "automl": "DescribeAutoMLJob",
    "notebook": "DescribeTrainingJob",
    "foreach": "ForEachStep",
    "lambda": "LambdaStep",
    "callback": "CallbackStep",
    "emr": "DescribeStep",
    "emr_serverless": "GetJobRun",
    "endpoint_config": "DescribeEndpointConfig",
    "endpoint": "DescribeEndpoint",
    "inference_component": "DescribeInferenceComponent",
    "lineage": "LineageArns",
    "job": "DescribeJob",
}


def unknown_properties(pipeline: ir.Pipeline) -> Iterator[Diagnostic]:
    """Yield the raw paths, `${step:S.properties.…}`, that lead to nothing the service tells."""
    types = {step.name: step.work.type for step in pipeline.steps}
    for step in pipeline.steps:
        for reference in ir.references((step.work, step.patch, step.step_patch)):
            if not isinstance(reference, ir.DescribeReference):
                continue
            response = RESPONSES.get(types[reference.step])
            if response is None:
                continue
            try:
                describe_path(response, reference.path)
            except UnknownPath as e:
                told = ".".join(reference.path)
                summary = f"step {reference.step!r} has no property {told}: {e.summary}"
                yield Diagnostic("BF436", summary, ("steps", step.name), e.hint)


def refused_requests(
    pipeline: ir.Pipeline, requests: Mapping[str, Object], told: Collection[str]
) -> Iterator[Diagnostic]:
    """Yield what the service would refuse in the request of each step, but for the steps of which that is *told*."""
    for step in pipeline.steps:
        operation = REQUESTS.get(step.work.type)
        if operation is None or step.name in told:
            continue
        for problem in request_problems(operation, requests[step.name]):
            yield _placed(problem, step)


def _placed(problem: RequestProblem, step: ir.Step) -> Diagnostic:
    """Give a problem its place: in the user's own words of the request, where they have it, else the step."""
    at: Path = ("steps", step.name)
    summary = problem.summary
    if isinstance(step.work, ir.Service):
        path: Path = (*at, "arguments", *problem.path)
    elif _holds(step.patch, problem.path):
        path = (*at, "arguments_patch", *problem.path)
    elif problem.code == "BF431" and _removes(step.patch, problem.path):  # who says so in so many words, means it
        path = (*at, "arguments_patch", *problem.path)
        return Diagnostic(problem.code, summary, path, problem.hint, severity=Severity.WARNING)
    else:
        path = at
        if len(problem.path) > 1:
            summary = f"{summary} (in {'.'.join(map(str, problem.path[:-1]))})"
    return Diagnostic(problem.code, summary, path, problem.hint, severity=problem.severity)


def _removes(patch: ir.Tree, path: Path) -> bool:
    """Whether *patch* takes away what stands at *path*."""
    here: ir.Tree = patch
    for part in path:
        inside = dict(here.items) if isinstance(here, ir.Mapping) else {}
        key = str(part) if str(part) in inside else EVERY
        if key not in inside:
            return False
        here = inside[key]
    return here is None


def _holds(patch: ir.Tree, path: Path) -> bool:
    """Whether *patch* sets something at *path*, or at the part of it that it reaches."""
    here: ir.Tree = patch
    for part in path:
        if isinstance(here, ir.Mapping):
            here = dict(here.items).get(str(part))
        elif isinstance(here, ir.Sequence) and isinstance(part, int) and part < len(here.items):
            here = here.items[part]
        else:
            return here is not None
        if here is None:
            return False
    return here is not None
