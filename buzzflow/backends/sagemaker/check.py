"""Check whether SageMaker takes a pipeline: what its environment must name, what jobs of a type cannot do, limits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from buzzflow import ir
from buzzflow.backends.contract import MODEL_OUTPUT
from buzzflow.backends.sagemaker.compile import JOB_ERRORS, STEP_ERRORS, compile_pipeline
from buzzflow.backends.sagemaker.images import ECR, UnknownImageError, framework_image_uri
from buzzflow.backends.sagemaker.instances import Kind, instance_problems
from buzzflow.backends.sagemaker.limits import out_of_range, processing_problems, too_long, training_problems
from buzzflow.backends.sagemaker.places import deployed_name
from buzzflow.diagnostics import Diagnostic, Path, Severity, did_you_mean

# Shapes of botocore's service model: PipelineName, PipelineDefinition, StepDisplayName, StepDescription,
# PipelineParameterName, RoleArn. The name of a step and the limits of retries: AWS SDK and Developer Guide,
# "Retry Policy for Pipeline Steps".
PIPELINE_NAME, DEFINITION = 256, 1_048_576
DISPLAY_NAME, DESCRIPTION, PARAMETER_NAME = 256, 3072, 256
MAX_ATTEMPTS, EXPIRE_AFTER = 20, 14_400 * 60
_PIPELINE_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_STEP_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PARAMETER_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@/-]+")


def check_pipeline(pipeline: ir.Pipeline) -> Iterator[Diagnostic]:
    """Yield everything that stands between *pipeline* and SageMaker."""
    problems = [*_missing(pipeline), *_names(pipeline)]
    for step in pipeline.steps:
        problems += _step(pipeline, step)
    yield from problems
    if not any(problem.is_error for problem in problems):
        yield from _size(pipeline)


def _missing(pipeline: ir.Pipeline) -> Iterator[Diagnostic]:
    """Yield what the environment must name for this pipeline; each thing once, where it is first needed."""
    environment = pipeline.environment or ir.Environment("")
    needs = (
        ("bucket", environment.bucket, _needs_bucket, "code and data lie in one", "name-of-an-s3-bucket"),
        ("region", environment.region, _needs_region, "framework images have an address for each", "eu-west-1"),
        ("role", None, _needs_role, "its job runs as one", "arn:aws:iam::<account>:role/<name>"),
    )
    for what, present, needed, why, example in needs:
        first = next((step for step in pipeline.steps if needed(step)), None)
        if first is None or present is not None:
            continue
        summary = f"step {first.name!r} needs a {what}, and there is none: {why}"
        yield Diagnostic("BF401", summary, ("steps", first.name), f"add to environment.yaml: {what}: {example}")


def _needs_bucket(step: ir.Step) -> bool:
    job = ir.job_of(step)
    if job is None:
        return False
    if job.code is not None or any(output.to is None for output in job.outputs):
        return True
    if not isinstance(step.work, ir.Training):
        return False
    kept = step.work.checkpoints
    return all(output.name != MODEL_OUTPUT for output in job.outputs) or (kept is not None and kept.to is None)


def _needs_region(step: ir.Step) -> bool:
    job = ir.job_of(step)
    return job is not None and isinstance(job.image, ir.FrameworkImage)


def _needs_role(step: ir.Step) -> bool:
    job = ir.job_of(step)
    return job is not None and job.role is None


def _names(pipeline: ir.Pipeline) -> Iterator[Diagnostic]:
    name = deployed_name(pipeline)
    yield from too_long(("name",), f"the pipeline's name {name[:20]!r}…", name, PIPELINE_NAME)
    if not _PIPELINE_NAME.fullmatch(name):
        hint = "use letters, digits and single dashes between them"
        yield Diagnostic("BF415", f"SageMaker takes no pipeline called {name!r}", ("name",), hint)
    yield from too_long(("description",), "the pipeline's description", pipeline.description or "", DESCRIPTION)
    for parameter in pipeline.parameters:
        path: Path = ("parameters", parameter.name)
        yield from too_long(path, "the name of a parameter", parameter.name, PARAMETER_NAME)
        if not _PARAMETER_NAME.fullmatch(parameter.name):
            hint = "use letters, digits, - and _"
            yield Diagnostic("BF415", f"SageMaker takes no parameter called {parameter.name!r}", path, hint)


def _step(pipeline: ir.Pipeline, step: ir.Step) -> Iterator[Diagnostic]:
    path: Path = ("steps", step.name)
    if not _STEP_NAME.fullmatch(step.name):
        hint = "use up to 64 letters, digits, - and _"
        yield Diagnostic("BF415", f"SageMaker takes no step called {step.name!r}", path, hint)
    yield from too_long((*path, "display_name"), "the display name", step.display_name or "", DISPLAY_NAME)
    yield from too_long((*path, "description"), "the description", step.description or "", DESCRIPTION)
    for i, retry in enumerate(step.retry):
        yield from _retry((*path, "retry", i), retry)
    match step.work:
        case ir.Processing(job=job):
            yield from _job(pipeline, path, job, "processing")
            yield from _only_training(path, job)
            yield from processing_problems(step, job)
        case ir.Training(job=job) as work:
            yield from _job(pipeline, path, job, "training")
            yield from _spot(path, work)
            yield from training_problems(step, work)
        case ir.Condition() | ir.Fail():
            pass


def _job(pipeline: ir.Pipeline, path: Path, job: ir.Job, kind: Kind) -> Iterator[Diagnostic]:
    if isinstance(job.role, str) and not _ROLE.fullmatch(job.role):
        hint = "write arn:aws:iam::<account>:role/<name>"
        yield Diagnostic("BF415", f"{job.role!r} is not the ARN of a role", (*path, "role"), hint)
    if isinstance(job.instance.type, str):
        yield from instance_problems((*path, "instance", "type"), job.instance.type, kind)
    match job.image:
        case ir.ImageUri(uri=str() as uri):
            yield from _public_image((*path, "image"), uri)
        case ir.ImageUri():
            pass
        case ir.FrameworkImage() as image:
            region = pipeline.environment.region if pipeline.environment else None
            yield from _framework_image((*path, "image"), image, job.instance.type, region)


def _public_image(path: Path, uri: str) -> Iterator[Diagnostic]:
    if not ECR.fullmatch(uri):
        summary = f"image {uri!r} is not in Amazon ECR, and SageMaker pulls from nowhere else"
        hint = "push it to a repository of the account: <account>.dkr.ecr.<region>.amazonaws.com/<name>:<tag>"
        yield Diagnostic("BF404", summary, path, hint, severity=Severity.WARNING)


def _framework_image(
    path: Path, image: ir.FrameworkImage, instance: ir.Value, region: str | None
) -> Iterator[Diagnostic]:
    try:
        framework_image_uri(image, instance, region or "us-east-1")  # a missing region is BF401, once
    except UnknownImageError as e:
        yield Diagnostic(e.code, e.summary, (*path, e.field), e.hint)


def _only_training(path: Path, job: ir.Job) -> Iterator[Diagnostic]:
    """Yield what CreateProcessingJob has no member or no value for."""
    if job.instance.keep_alive is not None:
        yield _not_for_processing((*path, "instance", "keep_alive"), "keeps no machines warm")
    for data in job.inputs:
        at = (*path, "inputs", data.name)
        if data.mode == "fast_file":
            yield _not_for_processing((*at, "mode"), "has no mode fast_file", "use file or pipe")
        if data.data_type == "augmented_manifest":
            yield _not_for_processing((*at, "data_type"), "reads no augmented manifests", "use prefix or manifest")
        if data.content_type is not None:
            yield _not_for_processing((*at, "content_type"), "passes no content type")
        if data.compression == "gzip" and data.mode != "pipe":
            yield _not_for_processing((*at, "compression"), "unpacks gzip only in mode pipe", "add mode: pipe")


def _not_for_processing(path: Path, what: str, hint: str = "remove it") -> Diagnostic:
    return Diagnostic("BF412", f"a processing job {what}", path, hint)


def _spot(path: Path, work: ir.Training) -> Iterator[Diagnostic]:
    if work.spot is None:
        return
    if work.job.timeout is not None and not isinstance(work.job.timeout, int):
        summary = "the longest wait for a spot machine contains the timeout, which is not known yet"
        yield Diagnostic("BF413", summary, (*path, "timeout"), "write the timeout as a duration, or leave spot out")
    if work.job.instance.keep_alive is not None:
        yield Diagnostic("BF412", "spot machines are not kept warm", (*path, "instance", "keep_alive"), "remove it")
    if work.checkpoints is None:
        summary = "a spot machine may be taken away, and without checkpoints the training then starts again"
        hint = "add checkpoints: {} and let the code go on from /opt/ml/checkpoints"
        yield Diagnostic("BF413", summary, (*path, "spot"), hint, severity=Severity.WARNING)


def _retry(path: Path, retry: ir.Retry) -> Iterator[Diagnostic]:
    known = {**STEP_ERRORS, **JOB_ERRORS}
    for error in retry.errors:
        if error not in known:
            hint = did_you_mean(error, known, label="errors")
            yield Diagnostic("BF417", f"SageMaker retries no {error!r}", (*path, "errors"), hint)
    yield from out_of_range((*path, "max_attempts"), "attempts", retry.max_attempts, (1, MAX_ATTEMPTS))
    yield from out_of_range((*path, "give_up_after"), "seconds", retry.give_up_after, (1, EXPIRE_AFTER))
    yield from out_of_range((*path, "interval"), "seconds of interval", retry.interval, (1, None))


def _size(pipeline: ir.Pipeline) -> Iterator[Diagnostic]:
    size = len(compile_pipeline(pipeline).content.decode())
    if size > DEFINITION:
        summary = f"the definition has {size} characters, and SageMaker takes {DEFINITION}"
        yield Diagnostic("BF414", summary, (), "split the pipeline in two")
