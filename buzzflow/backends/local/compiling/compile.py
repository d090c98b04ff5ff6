"""Compile the IR to a run plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal, assert_never

from buzzflow import ir
from buzzflow.backends import contract
from buzzflow.backends.caching import compared_fields
from buzzflow.backends.local import plan
from buzzflow.backends.local.compiling.kinds import Common, model_step, search_of, service_step
from buzzflow.backends.local.compiling.say import condition, expression, files, image, lookup, number, output

DEFAULT_BUCKET = "buzzflow-local"


def compile_plan(pipeline: ir.Pipeline) -> plan.RunPlan:
    """Return the plan: the same graph, every reference an expression."""
    environment = pipeline.environment
    bucket = (environment.bucket if environment else None) or DEFAULT_BUCKET
    place = [bucket, *([environment.name] if environment else []), pipeline.name]
    return plan.RunPlan(
        pipeline=pipeline.name,
        prefix=f"s3://{'/'.join(place)}/",
        parameters=[_parameter(p) for p in pipeline.parameters],
        parallelism=pipeline.parallelism,
        not_tried=sorted({*_not_tried(pipeline)}),
        steps=[_step(s, pipeline) for s in pipeline.steps if s.inside is None],
    )


def _parameter(parameter: ir.Parameter) -> plan.Parameter:
    return plan.Parameter(
        name=parameter.name, type=parameter.type, default=parameter.default, choices=list(parameter.choices)
    )


_BECAUSE: Mapping[ir.Because, Literal["reference", "depends_on", "branch"]] = {
    ir.Because.REFERENCE: "reference",
    ir.Because.ORDER: "depends_on",
    ir.Because.BRANCH: "branch",
}


def _step(step: ir.Step, pipeline: ir.Pipeline) -> plan.Step:
    needs = [
        plan.Need(step=n.step, because=_BECAUSE[n.because], when=n.when.value)
        for n in step.needs
        if n.because in _BECAUSE  # a foreach makes the copies of its body, and waits for them
    ]
    branch = None if step.branch is None else plan.Branch(condition=step.branch.condition, taken=step.branch.taken)
    common = Common(
        name=step.name,
        needs=needs,
        branch=branch,
        retry=[_retry(r) for r in step.retry],
        cache=_caching(step),
    )
    match step.work:
        case ir.Processing():
            return plan.ProcessingStep(**common, container=_container(step))
        case ir.Training():
            return plan.TrainingStep(**common, container=_container(step))
        case ir.Tuning(training=training, search=search):
            each = replace(step, work=training)
            return plan.TuningStep(**common, container=_container(each), search=search_of(search))
        case ir.Condition(test=test):
            return plan.ConditionStep(**common, test=condition(test))
        case ir.Fail(message=message):
            return plan.FailStep(**common, message=expression(message))
        case ir.Foreach() as work:
            body = [_step(s, pipeline) for s in pipeline.steps if s.inside == step.name]
            return plan.ForeachStep(
                **common, items=expression(work.items), max_concurrency=work.max_concurrency, body=body
            )
        case ir.Transform() | ir.Model() | ir.RegisterModel() as work:
            return model_step(common, work)
        case ir.Lambda() | ir.Callback() | ir.Check() | ir.AutoML() | ir.Notebook() | ir.Service() as work:
            return service_step(common, work)
        case _:
            assert_never(step.work)


def _retry(retry: ir.Retry) -> plan.Retry:
    return plan.Retry(
        errors=list(retry.errors),
        interval=retry.interval,
        backoff=retry.backoff,
        max_attempts=retry.max_attempts,
        give_up_after=retry.give_up_after,
    )


def _caching(step: ir.Step) -> plan.Caching | None:
    fields = compared_fields(step)
    if fields is None or step.cache is None:
        return None
    found = {name: expression(value) for name, value in fields.items()}
    return plan.Caching(expire_after=step.cache.expire_after, fields=found)


def _container(step: ir.Step) -> plan.Container:
    job = ir.job_of(step)
    assert job is not None  # callers come with processing and training only
    if job.code is not None and job.code.launcher == "image":  # the toolkit in a framework image is not here
        assert isinstance(step.work, ir.Training)
        job = replace(job, code=replace(job.code, launcher="buzzflow"))
        step = replace(step, work=replace(step.work, job=job))
    entrypoint = contract.container_entrypoint(step)
    environment = contract.container_environment(step)
    isolation = job.network.isolation if job.network else False
    return plan.Container(
        image=image(job.image),
        entrypoint=None if entrypoint is None else [expression(e) for e in entrypoint],
        arguments=[expression(a) for a in job.arguments],
        environment={k: expression(v) for k, v in environment},
        inputs=[_input(i) for i in job.inputs],
        secrets=[variable for variable, _ in job.secrets],
        outputs=[output(o) for o in job.outputs if o.feature_group is None],
        code=_code(step, job.code),
        isolation=isolation if isinstance(isolation, bool) else lookup(isolation),
        timeout=None if job.timeout is None else number(job.timeout),
        instance_type=expression(job.instance.type),
        instance_count=number(job.instance.count),
        volume_size_gb=number(job.instance.volume_size_gb),
        training=_training(step.work) if isinstance(step.work, ir.Training) else None,
    )


def _input(item: ir.Input) -> plan.Input:
    source: plan.Expression | plan.Files | None
    match item.source:
        case ir.Bundle() as bundle:
            source = plan.Files(digest=bundle.digest, files=files(bundle))
        case ir.FileSystem() | ir.Athena() | ir.Redshift():
            source = None
        case value:
            source = expression(value)
    return plan.Input(
        name=item.name, source=source, path=item.path, extract=item.extract, distribution=item.distribution
    )


def _code(step: ir.Step, code: ir.Code | None) -> plan.Code | None:
    if code is None:
        return None
    digest = next((f.sha256 for f in code.bundle.files if f.path == code.requirements), None)
    return plan.Code(
        digest=code.bundle.digest, path=contract.code_directory(step), files=files(code.bundle), requirements=digest
    )


def _training(work: ir.Training) -> plan.Training:
    kept = work.checkpoints
    return plan.Training(
        hyperparameters={k: expression(v) for k, v in work.hyperparameters},
        metrics=dict(work.metrics),
        input_mode=work.input_mode,
        checkpoints=None if kept is None else kept.path,
        checkpoints_to=None if kept is None or kept.to is None else expression(kept.to),
        algorithm=work.algorithm is not None,
    )


# ------------------------------------------------------------------ what only the service has


def _not_tried(pipeline: ir.Pipeline) -> Iterator[str]:
    for step in pipeline.steps:
        if not isinstance(step.work, ir.Processing | ir.Training):
            yield from ["retry"] if step.retry else []
            yield from ["cache"] if step.cache is not None and step.cache.enabled else []
        job = ir.job_of(step)
        if job is not None:
            yield from _not_tried_of_job(job, step.work)
            for item in job.inputs:
                yield from _not_tried_of_input(item)
        if isinstance(step.work, ir.Training):
            if step.work.spot is not None:
                yield "spot"
            if step.work.input_mode == "fast_file":
                yield "fast_file"
            if step.work.debugger is not None:
                yield "debugger"
            if step.work.profiler is not None:
                yield "profiler"


def _not_tried_of_job(job: ir.Job, work: ir.Work) -> Iterator[str]:
    network = job.network or ir.Network()
    asked_for_toolkit = job.code is not None and job.code.launcher == "image" and not isinstance(work, ir.Tuning)
    asked = {
        "role": job.role,
        "network.subnets": network.subnets,
        "network.encrypt_traffic": network.encrypt_traffic,
        "encryption": job.encryption.volume_key or job.encryption.output_key,
        "instance.count of a transform": isinstance(work, ir.Transform) and job.instance.count != 1,
        "instance.keep_alive": job.instance.keep_alive,
        "instance.fallbacks": job.instance.fallbacks,
        "upload: continuous": any(o.upload == "continuous" for o in job.outputs),
        "feature_group": any(o.feature_group is not None for o in job.outputs),
        "code.launcher: image": asked_for_toolkit,
    }
    yield from (name for name, is_asked in asked.items() if is_asked)


def _not_tried_of_input(item: ir.Input) -> Iterator[str]:
    if item.data_type != "prefix":
        yield f"data_type: {item.data_type}"
    if item.compression != "none":
        yield f"compression: {item.compression}"
    if item.mode == "fast_file":
        yield "fast_file"
