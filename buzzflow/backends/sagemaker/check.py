"""Check whether SageMaker takes a pipeline: what its environment must name, what jobs of a type cannot do, limits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from buzzflow import ir
from buzzflow.backends.sagemaker.budget import budget_problems
from buzzflow.backends.sagemaker.compile import RUN_JOBS, Definition, define
from buzzflow.backends.sagemaker.images import ECR, UnknownImageError, framework_image_uri
from buzzflow.backends.sagemaker.images import Scope as Purpose
from buzzflow.backends.sagemaker.limits import out_of_range, processing_problems, too_long, training_problems
from buzzflow.backends.sagemaker.needs import images_of, missing
from buzzflow.backends.sagemaker.places import deployed_name
from buzzflow.backends.sagemaker.verify import refused_requests, unknown_properties
from buzzflow.backends.service import JOB_ERRORS, STEP_ERRORS
from buzzflow.diagnostics import Diagnostic, Path, Severity, did_you_mean
from buzzflow.instances.names import Kind, instance_problems

# Shapes of botocore's service model: PipelineName, PipelineDefinition, StepDisplayName, StepDescription,
# PipelineParameterName, RoleArn. The name of a step and the limits of retries: AWS SDK and Developer Guide,
# "Retry Policy for Pipeline Steps".
PIPELINE_NAME, DEFINITION = 256, 1_048_576
DISPLAY_NAME, DESCRIPTION, PARAMETER_NAME = 256, 3072, 256
MAX_ATTEMPTS, EXPIRE_AFTER = 20, 14_400 * 60
# warnings about a step after which the service's own model would only say the same again
_SAID_BETTER = frozenset(("BF405", "BF404"))
_PIPELINE_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_STEP_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PARAMETER_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@/-]+")


def check_pipeline(pipeline: ir.Pipeline) -> Iterator[Diagnostic]:
    """Yield everything that stands between *pipeline* and SageMaker."""
    problems = [*missing(pipeline), *_names(pipeline), *unknown_properties(pipeline)]
    for step in pipeline.steps:
        problems += _step(pipeline, step)
    if not any(problem.is_error for problem in problems):
        told = {str(p.path[1]) for p in problems if p.path[:1] == ("steps",) and p.code in _SAID_BETTER}
        compiled = define(pipeline)
        problems += refused_requests(pipeline, compiled.requests, told)
        if not any(problem.is_error for problem in problems):
            problems += _size(compiled)
            problems += budget_problems(pipeline)
    yield from problems


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
        if step.work.type not in RUN_JOBS and not STEP_ERRORS.keys() & {*retry.errors}:
            summary = f"a {step.work.type} step runs no job, so nothing of this is tried again"
            hint = f"there, only {' and '.join(STEP_ERRORS)} are"
            yield Diagnostic("BF417", summary, (*path, "retry", i), hint, severity=Severity.WARNING)
    yield from _mixed(path, step)
    for place, image, instance, purpose in _images(step):
        yield from _image((*path, *place), image, instance, pipeline, purpose)
    yield from _work(path, step)


def _work(path: Path, step: ir.Step) -> Iterator[Diagnostic]:
    """Yield what a step of this type cannot do."""
    match step.work:
        case ir.Processing(job=job):
            yield from _job(path, job, "processing")
            yield from _only_training(path, job)
            yield from processing_problems(step, job)
        case ir.Training(job=job) as work:
            yield from _job(path, job, "training")
            yield from _spot(path, work)
            yield from training_problems(step, work)
        case ir.Tuning(training=work):
            yield from _job(path, work.job, "training")
            yield from _spot(path, work)
        case ir.Check(job=job):
            yield from _job(path, job, "processing")
            yield from _warm(path, job, "a check")
        case ir.Notebook(job=job):
            yield from _job(path, job, "training")
        case ir.Transform(job=job):
            yield from _job(path, job, "transform")
            yield from _warm(path, job, "a transform job")
            if job.instance.fallbacks:
                summary = "a transform job has no other instance types to fall back on"
                yield Diagnostic("BF412", summary, (*path, "instance", "fallbacks"), "remove it")
        case ir.RegisterModel(registry="mlflow"):
            summary = "models are registered in SageMaker's registry only, for now"
            yield Diagnostic("BF424", summary, path, "add registry: sagemaker, here or in environment.yaml")
        case ir.AutoML() as work:
            yield from _automl(path, work)
        case ir.Service(type="emr_serverless", timeout=timeout) if not isinstance(timeout, int | None):
            summary = "the timeout of emr_serverless is in minutes, so it must be known before the pipeline runs"
            yield Diagnostic("BF412", summary, (*path, "timeout"), "write it as a duration")
        case _:
            pass


def _mixed(path: Path, step: ir.Step) -> Iterator[Diagnostic]:
    """Yield outputs that all items of a foreach would write to one place: an item that is no text names no folder."""
    job = ir.job_of(step)
    if step.inside is None or job is None:
        return
    if not any(isinstance(r, ir.ItemReference) and r.path for r in ir.references(step.work)):
        return
    for output in job.outputs:
        if output.to is None and output.feature_group is None:
            summary = f"output {output.name!r} needs an address for each item: the items have fields, so name no folder"
            yield Diagnostic("BF425", summary, (*path, "outputs", output.name), "add to: s3://bucket/${each:field}/")


def _images(step: ir.Step) -> Iterator[tuple[Path, ir.Image, ir.Value | None, Purpose]]:
    """Yield where each image of *step* is named, and for which machine and purpose it is."""
    match step.work:
        case ir.Model(containers=containers) | ir.RegisterModel(containers=containers):
            for i, container in enumerate(containers):
                place: Path = ("image",) if len(containers) == 1 else ("containers", i, "image")
                yield place, container.image, None, "serving"
        case _:
            job = ir.job_of(step)
            for image in images_of(step):
                yield ("image",), image, job.instance.type if job else None, "training"


def _automl(path: Path, work: ir.AutoML) -> Iterator[Diagnostic]:
    if work.network is not None and work.network.isolation is not False:
        hint = "network: {isolation: false} for this step, if its data may travel"
        yield Diagnostic("BF412", "SageMaker cannot isolate an automl job", (*path, "network", "isolation"), hint)


def _job(path: Path, job: ir.Job, kind: Kind) -> Iterator[Diagnostic]:
    if isinstance(job.role, str) and not _ROLE.fullmatch(job.role):
        hint = "write arn:aws:iam::<account>:role/<name>"
        yield Diagnostic("BF415", f"{job.role!r} is not the ARN of a role", (*path, "role"), hint)
    if isinstance(job.instance.type, str):
        yield from instance_problems((*path, "instance", "type"), job.instance.type, kind)
    for i, other in enumerate(job.instance.fallbacks):
        yield from instance_problems((*path, "instance", "fallbacks", i), other, kind)


def _image(
    path: Path, image: ir.Image, instance: ir.Value | None, pipeline: ir.Pipeline, purpose: Purpose
) -> Iterator[Diagnostic]:
    match image:
        case ir.ImageUri(uri=str() as uri) if uri:
            yield from _public_image(path, uri)
        case ir.FrameworkImage():
            region = pipeline.environment.region if pipeline.environment else None
            yield from _framework_image(path, image, instance, region, purpose)
        case _:
            pass


def _public_image(path: Path, uri: str) -> Iterator[Diagnostic]:
    if not ECR.fullmatch(uri):
        summary = f"image {uri!r} is not in Amazon ECR, and SageMaker pulls from nowhere else"
        hint = "push it to a repository of the account: <account>.dkr.ecr.<region>.amazonaws.com/<name>:<tag>"
        yield Diagnostic("BF404", summary, path, hint, severity=Severity.WARNING)


def _framework_image(
    path: Path, image: ir.FrameworkImage, instance: ir.Value | None, region: str | None, purpose: Purpose
) -> Iterator[Diagnostic]:
    try:
        framework_image_uri(image, instance, region or "us-east-1", purpose)  # a missing region is BF401, once
    except UnknownImageError as e:
        yield Diagnostic(e.code, e.summary, (*path, e.field), e.hint)


def _only_training(path: Path, job: ir.Job) -> Iterator[Diagnostic]:
    """Yield what CreateProcessingJob has no member or no value for."""
    yield from _warm(path, job, "a processing job")
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


def _warm(path: Path, job: ir.Job, what: str) -> Iterator[Diagnostic]:
    if job.instance.keep_alive is not None:
        yield Diagnostic("BF412", f"{what} keeps no machines warm", (*path, "instance", "keep_alive"), "remove it")


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


def _size(compiled: Definition) -> Iterator[Diagnostic]:
    size = len(compiled.text)
    if size > DEFINITION:
        summary = f"the definition has {size} characters, and SageMaker takes {DEFINITION}"
        yield Diagnostic("BF414", summary, (), "split the pipeline in two")
