"""Lower the steps with models: model, register_model, transform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from buzzflow import ir
from buzzflow.config.parts import ImageConfig
from buzzflow.config.steps import (
    ClarifyCheckConfig,
    ModelConfig,
    QualityCheckConfig,
    RegisterModelConfig,
    TrainingBase,
    TransformerConfig,
)
from buzzflow.config.steps.models import ServedBase
from buzzflow.diagnostics import Path, did_you_mean
from buzzflow.lower.context import Context
from buzzflow.lower.jobs import encryption_of, image_of, instance_of, network_of
from buzzflow.template import Template

_APPROVALS = {"pending": "PendingManualApproval", "approved": "Approved", "rejected": "Rejected"}
_METRICS = ("data_quality", "model_quality", "data_bias", "model_bias", "model_explainability")


def model(name: str, step: ModelConfig, context: Context) -> ir.Model:
    """Return the meaning of a model step."""
    path: Path = ("steps", name)
    return ir.Model(
        _containers(name, step, context),
        network=network_of(step.network, (*path, "network"), context.values),
        role=context.values.maybe(step.role, (*path, "role")),
        tags=context.values.pairs({**context.tags, **step.tags}, (*path, "tags")),
    )


def register_model(name: str, step: RegisterModelConfig, context: Context) -> ir.RegisterModel:
    """Return the meaning of a register_model step."""
    path: Path = ("steps", name)
    values = context.values
    environment = context.environment
    registry: Literal["mlflow", "sagemaker"] = step.registry or (environment.registry if environment else "mlflow")
    for metric in step.metrics:
        if metric not in _METRICS:
            hint = did_you_mean(metric, _METRICS, label="there are")
            context.problem(
                "BF303", f"a model package has no metrics called {metric!r}", (*path, "metrics", metric), hint
            )
    return ir.RegisterModel(
        group=values.text(step.model_group, (*path, "model_group")),
        containers=_containers(name, step, context),
        registry=registry,
        content_types=values.texts(step.content_types, (*path, "content_types")),
        response_types=values.texts(step.response_types, (*path, "response_types")),
        realtime_instance_types=tuple(step.realtime_instance_types),
        transform_instance_types=tuple(step.transform_instance_types),
        approval=_approval(step.approval, (*path, "approval"), context),
        metrics=tuple((k, values.place(v, (*path, "metrics", k))) for k, v in step.metrics.items()),
        checks=_checks(dict(step.checks.items()), (*path, "checks"), context),
        drift_baselines=values.tree(step.drift_baselines, (*path, "drift_baselines")) if step.drift_baselines else None,
        metadata=values.pairs(step.metadata, (*path, "metadata")),
        task=step.task,
        sample_payload=None
        if step.sample_payload is None
        else values.place(step.sample_payload, (*path, "sample_payload")),
    )


def transform(name: str, step: TransformerConfig, context: Context) -> ir.Transform:
    """Return the meaning of a transform step."""
    path: Path = ("steps", name)
    values = context.values
    key, records = next(iter(step.inputs.items()))
    at = (*path, "inputs", key)
    answers = step.outputs.get("predictions")
    out = (*path, "outputs", "predictions")
    to = None if answers is None or answers.to is None else context.folder(answers.to, (*out, "to"))
    batch, filters = step.batch, step.filter
    job = ir.Job(
        image=ir.ImageUri(""),  # the model's own
        environment=values.pairs(step.environment_variables, (*path, "environment_variables")),
        outputs=(ir.Output("predictions", "", to, exact=context.exact_addresses),),
        instance=instance_of(step.instance, (*path, "instance"), values),
        encryption=encryption_of(step.encryption, (*path, "encryption"), values),
        timeout=None if batch.timeout is None else values.number(batch.timeout, (*path, "batch", "timeout")),
        tags=values.pairs({**context.tags, **step.tags}, (*path, "tags")),
    )
    return ir.Transform(
        model=values.model_name(step.model, (*path, "model")),
        input=ir.TransformInput(
            values.place(records.from_, (*at, "from")),
            values.maybe(records.content_type, (*at, "content_type")),
            records.data_type,
            records.compression,
            records.split,
        ),
        job=job,
        accept=None if answers is None else values.maybe(answers.accept, (*out, "accept")),
        assemble="none" if answers is None else answers.assemble,
        input_filter=None if filters is None else values.maybe(filters.input, (*path, "filter", "input")),
        output_filter=None if filters is None else values.maybe(filters.output, (*path, "filter", "output")),
        join=filters is not None and filters.join == "input",
        strategy=batch.strategy,
        max_payload_mb=None
        if batch.max_payload_mb is None
        else values.number(batch.max_payload_mb, (*path, "batch", "max_payload_mb")),
        max_concurrent=None
        if batch.max_concurrent is None
        else values.number(batch.max_concurrent, (*path, "batch", "max_concurrent")),
    )


# ------------------------------------------------------------------ containers


def _containers(name: str, step: ServedBase, context: Context) -> tuple[ir.ServingContainer, ...]:
    path: Path = ("steps", name)
    if isinstance(step.containers, Template):
        return _copied(name, step.containers, context)
    if step.containers is None:
        environment = context.values.pairs(step.environment_variables, (*path, "environment_variables"))
        artifact = _artifact(step.model, (*path, "model"), context)
        image = _serving_image(step.image, artifact, path, context)
        return (ir.ServingContainer(image, artifact, environment),)
    found = []
    for i, item in enumerate(step.containers):
        at = (*path, "containers", i)
        artifact = _artifact(item.model, (*at, "model"), context)
        found.append(
            ir.ServingContainer(
                _serving_image(item.image or step.image, artifact, at, context),
                artifact,
                context.values.pairs(item.environment_variables, (*at, "environment_variables")),
                context.values.maybe(item.name, (*at, "name")),
            )
        )
    return tuple(found)


def _copied(name: str, reference: Template, context: Context) -> tuple[ir.ServingContainer, ...]:
    """Return the containers of the step that `containers: ${step:other}` names."""
    path: Path = ("steps", name, "containers")
    assert reference.only is not None  # the model takes no other
    other = reference.only.arguments[0]
    step = context.steps.get(other)
    if step is None:
        context.problem("BF301", f"there is no step {other!r}", path, did_you_mean(other, context.steps, label="steps"))
    elif not isinstance(step, ServedBase) or isinstance(step.containers, Template):
        hint = "name a model or register_model step that has its own"
        context.problem("BF303", f"step {other!r} has no containers to copy", path, hint)
    else:
        return _containers(other, step, context)
    return ()


def _artifact(value: str | Template | None, path: Path, context: Context) -> ir.Value | None:
    return None if value is None else context.values.place(value, path)


def _serving_image(image: ImageConfig | None, artifact: ir.Value | None, path: Path, context: Context) -> ir.Image:
    """Return the image named here, else that of the training step whose artifact is served."""
    if image is not None:
        return image_of(image, (*path, "image"), context)
    match artifact:
        case ir.PropertyReference(step=step) | ir.OutputReference(step=step):
            trained = context.steps.get(step)
            if isinstance(trained, TrainingBase):
                return image_of(trained.image, ("steps", step, "image"), context)
        case ir.Text(parts=()):
            return ir.ImageUri("")  # a reference to nothing, which is told already
    hint = "add image: <framework>:<version>, or the address of one that serves"
    context.problem("BF319", "nothing says which image serves the model", path, hint)
    return ir.ImageUri("")


# ------------------------------------------------------------------ what goes with a registered model


def _approval(value: str | Template, path: Path, context: Context) -> ir.Value:
    if isinstance(value, str):
        known = {**_APPROVALS, **{v: v for v in _APPROVALS.values()}}
        if value not in known:
            hint = did_you_mean(value, _APPROVALS, label="allowed")
            context.problem("BF205", f"'approval' cannot be {value!r}", path, hint)
        return known.get(value, value)
    return context.values.text(value, path)


def _checks(checks: Mapping[str, str], path: Path, context: Context) -> tuple[tuple[str, ir.CheckReference], ...]:
    found = []
    for what, name in checks.items():
        step = context.steps.get(name)
        place = (*path, what)
        if not isinstance(step, QualityCheckConfig | ClarifyCheckConfig):
            known = [n for n, s in context.steps.items() if isinstance(s, QualityCheckConfig | ClarifyCheckConfig)]
            hint = did_you_mean(name, known, label="check steps") or "add a quality_check or clarify_check step"
            context.problem("BF301", f"there is no check step {name!r}", place, hint)
        elif step.check != what:
            summary = f"step {name!r} checks {step.check}, not {what}"
            context.problem("BF303", summary, place, f"write {step.check}: {name}")
        else:
            statistics = None
            if isinstance(step, QualityCheckConfig):
                statistics = ir.PropertyReference(name, "statistics", ir.Kind.URI)
            found.append(
                (what, ir.CheckReference(name, statistics, ir.PropertyReference(name, "constraints", ir.Kind.URI)))
            )
    return tuple(found)
