"""Lower the steps that other services answer: calls, checks, AutoML, and those in the service's own words."""

from __future__ import annotations

from collections.abc import Mapping

from buzzflow import ir
from buzzflow.config.data import CheckInputConfig
from buzzflow.config.steps import (
    AutoMLConfig,
    CallbackConfig,
    ClarifyCheckConfig,
    ForeachConfig,
    LambdaConfig,
    QualityCheckConfig,
    RawConfig,
    ServiceBase,
)
from buzzflow.config.steps.common import EncryptionBase, RoleBase, TagBase, TimeoutBase
from buzzflow.diagnostics import Path
from buzzflow.lower.context import Context
from buzzflow.lower.jobs import encryption_of, instance_of, network_of

PROCESSING = "/opt/ml/processing"
# the names of these types in a pipeline's definition
STEP_TYPES: Mapping[str, str] = {
    "emr": "EMR",
    "emr_serverless": "EMRServerless",
    "endpoint_config": "EndpointConfig",
    "endpoint": "Endpoint",
    "inference_component": "InferenceComponent",
    "lineage": "Lineage",
    "job": "Job",
    "cleanup": "Cleanup",
}


def lambda_call(name: str, step: LambdaConfig, context: Context) -> ir.Lambda:
    """Return the meaning of a lambda step."""
    path: Path = ("steps", name)
    arguments = context.values.tree(step.arguments, (*path, "arguments"))
    outputs = tuple((n, o.type) for n, o in step.outputs.items())
    return ir.Lambda(context.values.text(step.function, (*path, "function")), arguments, outputs)


def callback(name: str, step: CallbackConfig, context: Context) -> ir.Callback:
    """Return the meaning of a callback step."""
    path: Path = ("steps", name)
    arguments = context.values.tree(step.arguments, (*path, "arguments"))
    outputs = tuple((n, o.type) for n, o in step.outputs.items())
    return ir.Callback(context.values.text(step.queue, (*path, "queue")), arguments, outputs)


def foreach(name: str, step: ForeachConfig, context: Context) -> ir.Foreach:
    """Return the meaning of a foreach step over items that only a run knows."""
    items = context.values.text(step.items, ("steps", name, "items"))
    return ir.Foreach(items, step.max_concurrency, tuple(step.steps))


def check(name: str, step: QualityCheckConfig | ClarifyCheckConfig, context: Context) -> ir.Check:
    """Return the meaning of a quality_check or clarify_check step."""
    path: Path = ("steps", name)
    values = context.values
    data = step.inputs["dataset"]
    given = step.outputs.get("report")
    to = None if given is None or given.to is None else context.folder(given.to, (*path, "outputs", "report", "to"))
    job = ir.Job(
        image=ir.ImageUri(""),  # the service's own
        environment=values.pairs(step.environment_variables, (*path, "environment_variables")),
        outputs=(ir.Output("report", f"{PROCESSING}/output", to, exact=context.exact_addresses),),
        instance=instance_of(step.instance, (*path, "instance"), values),
        network=network_of(step.network, (*path, "network"), values),
        encryption=encryption_of(step.encryption, (*path, "encryption"), values),
        role=values.maybe(step.role, (*path, "role")),
        timeout=None if step.timeout is None else values.number(step.timeout, (*path, "timeout")),
        tags=values.pairs({**context.tags, **step.tags}, (*path, "tags")),
    )
    base = step.baseline
    model = step.model if isinstance(step, ClarifyCheckConfig) else None
    return ir.Check(
        check=step.check,
        job=job,
        dataset=values.place(data.from_, (*path, "inputs", "dataset", "from")),
        format=data.format if isinstance(data, CheckInputConfig) else "csv",
        skip=values.boolean(step.skip_check, (*path, "skip_check")),
        fail_on_violation=values.boolean(step.fail_on_violation, (*path, "fail_on_violation")),
        baseline=ir.Baseline(
            values.boolean(base.register_new, (*path, "baseline", "register_new")),
            None if base.statistics is None else values.place(base.statistics, (*path, "baseline", "statistics")),
            None if base.constraints is None else values.place(base.constraints, (*path, "baseline", "constraints")),
        ),
        model_group=values.maybe(step.model_group, (*path, "model_group")),
        model=None if model is None else values.model_name(model, (*path, "model")),
        analysis=values.tree(step.analysis, (*path, "analysis")) if step.analysis else None,
    )


def automl(name: str, step: AutoMLConfig, context: Context) -> ir.AutoML:
    """Return the meaning of an automl step."""
    path: Path = ("steps", name)
    values = context.values
    given = step.outputs.get("result")
    to = None if given is None or given.to is None else context.folder(given.to, (*path, "outputs", "result", "to"))
    return ir.AutoML(
        target=values.text(step.target, (*path, "target")),
        inputs=tuple(
            ir.Table(
                key,
                values.place(table.from_, (*path, "inputs", key, "from")),
                values.maybe(table.content_type, (*path, "inputs", key, "content_type")),
                table.compression,
            )
            for key, table in step.inputs.items()
        ),
        output=ir.Output("result", "", to, exact=context.exact_addresses),
        role=values.maybe(step.role, (*path, "role")),
        network=network_of(step.network, (*path, "network"), values),
        encryption=encryption_of(step.encryption, (*path, "encryption"), values),
        problem=step.problem,
        objective=step.objective,
        max_candidates=step.max_candidates,
        timeout=None if step.timeout is None else values.number(step.timeout, (*path, "timeout")),
        tags=values.pairs({**context.tags, **step.tags}, (*path, "tags")),
    )


def service(name: str, step: ServiceBase, step_type: str, context: Context) -> ir.Service:
    """Return the meaning of a step in the service's own words, with the common fields that its type has."""
    path: Path = ("steps", name)
    values = context.values
    tags = values.pairs({**context.tags, **step.tags}, (*path, "tags")) if isinstance(step, TagBase) else ()
    timeout = step.timeout if isinstance(step, TimeoutBase) else None
    return ir.Service(
        type=step_type,
        step_type=step.step_type if isinstance(step, RawConfig) else STEP_TYPES[step_type],
        arguments=values.tree(step.arguments, (*path, "arguments")),
        members=values.tree(step.members, (*path, "members")) if isinstance(step, RawConfig) else None,
        role=values.maybe(step.role, (*path, "role")) if isinstance(step, RoleBase) else None,
        encryption=encryption_of(step.encryption, (*path, "encryption"), values)
        if isinstance(step, EncryptionBase)
        else None,
        timeout=None if timeout is None else values.number(timeout, (*path, "timeout")),
        tags=tags,
    )
