"""What a pipeline needs of its environment: bucket, region, account, role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from buzzflow import ir
from buzzflow.diagnostics import Diagnostic, Path


@dataclass(frozen=True, slots=True)
class _Need:
    what: str
    why: str
    example: str
    of: Callable[[ir.Step], bool]


def missing(pipeline: ir.Pipeline) -> Iterator[Diagnostic]:
    """Yield what the environment must name for this pipeline; each thing once, where it is first needed."""
    environment = pipeline.environment or ir.Environment("")
    given = {"bucket": environment.bucket, "region": environment.region, "account": environment.account, "role": None}
    for need in _NEEDS:
        first = next((step for step in pipeline.steps if need.of(step)), None)
        if first is None or given[need.what] is not None:
            continue
        path: Path = ("steps", first.name)
        article = "an" if need.what == "account" else "a"
        summary = f"step {first.name!r} needs {article} {need.what}, and there is none: {need.why}"
        yield Diagnostic("BF401", summary, path, f"add to environment.yaml: {need.what}: {need.example}")


def images_of(step: ir.Step) -> tuple[ir.Image, ...]:
    """Return the images that *step* names."""
    match step.work:
        case ir.Training(algorithm=algorithm) if algorithm is not None:
            return ()
        case ir.Check() | ir.Transform():
            return ()
        case ir.Model(containers=containers) | ir.RegisterModel(containers=containers):
            return tuple(c.image for c in containers)
        case _:
            job = ir.job_of(step)
            return () if job is None else (job.image,)


def _bucket(step: ir.Step) -> bool:
    work = step.work
    if isinstance(work, ir.AutoML):
        return work.output.to is None
    if isinstance(work, ir.Check) and work.type == "clarify_check":
        return True
    job = ir.job_of(step)
    if job is None:
        return False
    if job.code is not None or any(isinstance(i.source, ir.Bundle) for i in job.inputs):
        return True
    if any(o.to is None and o.feature_group is None for o in job.outputs):
        return True
    training = work.training if isinstance(work, ir.Tuning) else work
    if not isinstance(training, ir.Training):
        return False
    kept = training.checkpoints
    return not job.outputs or (kept is not None and kept.to is None)


def _region(step: ir.Step) -> bool:
    work = step.work
    job = ir.job_of(step)
    toolkit = job is not None and job.code is not None and job.code.launcher == "image"
    own = isinstance(work, ir.Notebook | ir.Check)
    named = any(isinstance(i, ir.FrameworkImage | ir.BuiltImage) for i in images_of(step))
    return toolkit or own or named or _function_by_name(step)


def _account(step: ir.Step) -> bool:
    return any(isinstance(i, ir.BuiltImage) for i in images_of(step)) or _function_by_name(step)


def _function_by_name(step: ir.Step) -> bool:
    work = step.work
    return isinstance(work, ir.Lambda) and isinstance(work.function, str) and not work.function.startswith("arn:")


def _role(step: ir.Step) -> bool:
    if isinstance(step.patch, ir.Mapping) and _removes_role(step.patch):
        return False
    match step.work:
        case ir.Model(role=role) | ir.AutoML(role=role):
            return role is None
        case ir.Service(type="emr_serverless" | "job", role=role):
            return role is None
        case ir.Transform():
            return False
        case _:
            job = ir.job_of(step)
            return job is not None and job.role is None


def _removes_role(patch: ir.Mapping) -> bool:
    """Whether the user says, in the service's own words, that there is none: then the pipeline's is taken."""
    inside = dict(patch.items)
    own = any(key in inside and inside[key] is None for key in ("RoleArn", "ExecutionRoleArn"))
    tries = inside.get("TrainingJobDefinition")
    return own or (isinstance(tries, ir.Mapping) and _removes_role(tries))


_NEEDS = (
    _Need("bucket", "code and data lie in one", "name-of-an-s3-bucket", _bucket),
    _Need("region", "the service's images and functions have an address for each", "eu-west-1", _region),
    _Need("account", "its images and functions have one in their address", '"111122223333"', _account),
    _Need("role", "its job runs as one", "arn:aws:iam::<account>:role/<name>", _role),
)
