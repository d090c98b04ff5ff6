"""Compile the IR to a run plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from buzzflow import ir
from buzzflow.backends import contract
from buzzflow.backends.caching import compared_fields
from buzzflow.backends.local import plan

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
        steps=[_step(s) for s in pipeline.steps],
    )


def _parameter(parameter: ir.Parameter) -> plan.Parameter:
    return plan.Parameter(
        name=parameter.name, type=parameter.type, default=parameter.default, choices=list(parameter.choices)
    )


def _step(step: ir.Step) -> plan.Step:
    needs = [plan.Need(step=n.step, because=n.because.value, when=n.when.value) for n in step.needs]
    branch = None if step.branch is None else plan.Branch(condition=step.branch.condition, taken=step.branch.taken)
    retry = [_retry(r) for r in step.retry]
    match step.work:
        case ir.Processing():
            return plan.ProcessingStep(
                name=step.name,
                needs=needs,
                branch=branch,
                retry=retry,
                cache=_caching(step),
                container=_container(step),
            )
        case ir.Training():
            return plan.TrainingStep(
                name=step.name,
                needs=needs,
                branch=branch,
                retry=retry,
                cache=_caching(step),
                container=_container(step),
            )
        case ir.Condition(test=test):
            return plan.ConditionStep(name=step.name, needs=needs, branch=branch, test=_test(test))
        case ir.Fail(message=message):
            return plan.FailStep(name=step.name, needs=needs, branch=branch, message=expression(message))
        case _:
            raise ValueError(f"step {step.name!r} cannot run here, as `check` says")


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
    entrypoint = contract.container_entrypoint(step)
    environment = contract.container_environment(step)
    isolation = job.network.isolation if job.network else False
    return plan.Container(
        image=_image(job.image),
        entrypoint=None if entrypoint is None else [expression(e) for e in entrypoint],
        arguments=[expression(a) for a in job.arguments],
        environment={k: expression(v) for k, v in environment},
        inputs=[_input(i) for i in job.inputs],
        secrets=[variable for variable, _ in job.secrets],
        outputs=[_output(o) for o in job.outputs if o.feature_group is None],
        code=_code(step, job.code),
        isolation=isolation if isinstance(isolation, bool) else _lookup(isolation),
        timeout=None if job.timeout is None else _number(job.timeout),
        instance_type=expression(job.instance.type),
        instance_count=_number(job.instance.count),
        volume_size_gb=_number(job.instance.volume_size_gb),
        training=_training(step.work) if isinstance(step.work, ir.Training) else None,
    )


def _image(image: ir.Image) -> plan.Expression | plan.Framework | plan.Build:
    match image:
        case ir.ImageUri(uri=uri):
            return expression(uri)
        case ir.FrameworkImage(framework=framework, version=version):
            return plan.Framework(framework=framework, version=version)
        case ir.BuiltImage(context=context):
            return plan.Build(digest=context.digest, files=_files(context))
        case _:
            assert_never(image)


def _files(bundle: ir.Bundle) -> list[plan.CodeFile]:
    return [plan.CodeFile(path=f.path, sha256=f.sha256, size=f.size, executable=f.executable) for f in bundle.files]


def _input(item: ir.Input) -> plan.Input:
    source: plan.Expression | plan.Files | None
    match item.source:
        case ir.Bundle() as files:
            source = plan.Files(digest=files.digest, files=_files(files))
        case ir.FileSystem() | ir.Athena() | ir.Redshift():
            source = None
        case value:
            source = expression(value)
    return plan.Input(name=item.name, source=source, path=item.path, extract=item.extract)


def _output(output: ir.Output) -> plan.Output:
    return plan.Output(
        name=output.name,
        path=output.path,
        to=None if output.to is None else expression(output.to),
        reports={r.name: r.file for r in output.reports},
    )


def _code(step: ir.Step, code: ir.Code | None) -> plan.Code | None:
    if code is None:
        return None
    files = _files(code.bundle)
    digest = next((f.sha256 for f in code.bundle.files if f.path == code.requirements), None)
    return plan.Code(digest=code.bundle.digest, path=contract.code_directory(step), files=files, requirements=digest)


def _training(work: ir.Training) -> plan.Training:
    kept = work.checkpoints
    return plan.Training(
        hyperparameters={k: expression(v) for k, v in work.hyperparameters},
        metrics=dict(work.metrics),
        input_mode=work.input_mode,
        checkpoints=None if kept is None else kept.path,
        checkpoints_to=None if kept is None or kept.to is None else expression(kept.to),
    )


# ------------------------------------------------------------------ expressions


def expression(value: ir.Value) -> plan.Expression:
    """Return text, or how to look it up."""
    match value:
        case str():
            return value
        case ir.Text(parts=parts):
            return plan.Join(parts=[p if isinstance(p, str) else _lookup(p) for p in parts])
        case _:
            return _lookup(value)


def _number(value: ir.Number) -> plan.NumberExpression:
    return value if isinstance(value, int) else _lookup(value)


def _lookup(reference: ir.Reference) -> plan.Lookup:
    match reference:
        case ir.ParameterReference(parameter=name):
            return plan.ParameterValue(name=name)
        case ir.OutputReference(step=step, output=name):
            return plan.OutputAddress(step=step, name=name)
        case ir.PropertyReference(step=step, word=word):
            return plan.StepProperty(step=step, word=word)
        case ir.DescribeReference(step=step, path=path):
            return plan.DescribePath(step=step, path=list(path))
        case ir.JsonReference(step=step, file=report, path=path):
            return plan.ReportValue(step=step, report=report, path=list(path))
        case ir.RunReference(field=field):
            return plan.RunValue(field=field)
        case ir.StoredJsonReference(uri=uri, path=path):
            return plan.StoredValue(uri=expression(uri), path=list(path))
        case ir.ItemReference():
            raise ValueError("a foreach step cannot run here, as `check` says")
        case _:
            assert_never(reference)


def _scalar(operand: ir.Operand) -> plan.Scalar:
    return operand if isinstance(operand, str | int | float | bool) else _lookup(operand)


def _test(test: ir.Test) -> plan.Test:
    match test:
        case ir.Comparison(operator=operator, left=left, right=right):
            return plan.Compare(operator=operator, left=_scalar(left), right=_scalar(right))
        case ir.Membership(value=value, options=options):
            return plan.Member(value=_scalar(value), options=[_scalar(o) for o in options])
        case ir.Not(test=inner):
            return plan.Negation(of=_test(inner))
        case ir.All(tests=tests):
            return plan.Every(of=[_test(t) for t in tests])
        case ir.Any(tests=tests):
            return plan.Some(of=[_test(t) for t in tests])
        case _:
            assert_never(test)


# ------------------------------------------------------------------ what only the service has


def _not_tried(pipeline: ir.Pipeline) -> Iterator[str]:
    for step in pipeline.steps:
        job = ir.job_of(step)
        if job is not None:
            yield from _not_tried_of_job(job)
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


def _not_tried_of_job(job: ir.Job) -> Iterator[str]:
    network = job.network or ir.Network()
    asked = {
        "role": job.role,
        "network.subnets": network.subnets,
        "network.encrypt_traffic": network.encrypt_traffic,
        "encryption": job.encryption.volume_key or job.encryption.output_key,
        "instance.count": job.instance.count != 1,
        "instance.keep_alive": job.instance.keep_alive,
        "instance.fallbacks": job.instance.fallbacks,
        "upload: continuous": any(o.upload == "continuous" for o in job.outputs),
        "feature_group": any(o.feature_group is not None for o in job.outputs),
        "code.launcher: image": job.code is not None and job.code.launcher == "image",
    }
    yield from (name for name, is_asked in asked.items() if is_asked)


def _not_tried_of_input(item: ir.Input) -> Iterator[str]:
    if item.distribution == "shard":
        yield "distribution: shard"
    if item.data_type != "prefix":
        yield f"data_type: {item.data_type}"
    if item.compression != "none":
        yield f"compression: {item.compression}"
    if item.mode == "fast_file":
        yield "fast_file"
