"""Compile the steps whose work is a model's or another service's: what of each a local run needs to know."""

from __future__ import annotations

from typing import TypedDict, assert_never, cast

from buzzflow import ir
from buzzflow.backends.local import plan
from buzzflow.backends.local.compiling.say import expression, image, lookup, number, output, tree


class Common(TypedDict):
    """What all steps have."""

    name: str
    needs: list[plan.Need]
    branch: plan.Branch | None
    retry: list[plan.Retry]
    cache: plan.Caching | None


def search_of(search: ir.Search) -> plan.Search:
    """Return what a tuning searches."""
    return plan.Search(
        metric=search.metric,
        maximize=search.maximize,
        ranges=[
            plan.Range(
                name=r.name, kind=r.kind, low=r.low or 0.0, high=r.high or 0.0, values=list(r.values), scale=r.scale
            )
            for r in search.ranges
        ],
        strategy=search.strategy,
        max_jobs=None if search.max_jobs is None else number(search.max_jobs),
        max_parallel_jobs=number(search.max_parallel_jobs),
        early_stopping=search.early_stopping,
        warm_start=bool(search.warm_start),
        timeout=search.timeout,
    )


def model_step(common: Common, work: ir.Transform | ir.Model | ir.RegisterModel) -> plan.Step:
    """Return a step that serves or keeps a model."""
    match work:
        case ir.Model(network=network):
            isolation = network.isolation if network else False
            return plan.ModelStep(
                **common,
                containers=[_serving(c) for c in work.containers],
                isolation=isolation if isinstance(isolation, bool) else lookup(isolation),
            )
        case ir.RegisterModel():
            return plan.RegisterModelStep(
                **common,
                registry=work.registry,
                group=expression(work.group),
                containers=[_serving(c) for c in work.containers],
                approval=expression(work.approval),
                metadata=_pairs(work.metadata),
                details=_details(work),
            )
        case ir.Transform():
            return _transform(common, work)
        case _:
            assert_never(work)


def _transform(common: Common, work: ir.Transform) -> plan.TransformStep:
    [answers] = work.job.outputs
    return plan.TransformStep(
        **common,
        model=expression(work.model),
        source=expression(work.input.source),
        content_type=_maybe(work.input.content_type),
        data_type=work.input.data_type,
        compression=work.input.compression,
        split=work.input.split,
        accept=_maybe(work.accept),
        assemble=work.assemble,
        input_filter=_maybe(work.input_filter),
        output_filter=_maybe(work.output_filter),
        join=work.join,
        strategy=work.strategy,
        max_payload_mb=None if work.max_payload_mb is None else number(work.max_payload_mb),
        max_concurrent=None if work.max_concurrent is None else number(work.max_concurrent),
        timeout=None if work.job.timeout is None else number(work.job.timeout),
        environment=_pairs(work.job.environment),
        output=output(answers),
    )


def _serving(container: ir.ServingContainer) -> plan.ServingContainer:
    return plan.ServingContainer(
        image=image(container.image),
        model=_maybe(container.model),
        environment=_pairs(container.environment),
        name=_maybe(container.name),
    )


def _details(work: ir.RegisterModel) -> plan.Members:
    """Return the rest of what is registered, by the language's words."""
    found: dict[str, plan.Tree] = {
        "content_types": plan.Items(of=[expression(t) for t in work.content_types]),
        "response_types": plan.Items(of=[expression(t) for t in work.response_types]),
        "realtime_instance_types": plan.Items(of=[*work.realtime_instance_types]),
        "transform_instance_types": plan.Items(of=[*work.transform_instance_types]),
        "metrics": plan.Members(of={name: expression(address) for name, address in work.metrics}),
        "drift_baselines": tree(work.drift_baselines),
        "task": work.task,
        "sample_payload": _maybe(work.sample_payload),
    }
    return plan.Members(of=found)


def service_step(
    common: Common, work: ir.Lambda | ir.Callback | ir.Check | ir.AutoML | ir.Notebook | ir.Service
) -> plan.Step:
    """Return a step that another service answers."""
    match work:
        case ir.Lambda():
            arguments, outputs = tree(work.arguments), dict(work.outputs)
            return plan.LambdaStep(**common, function=expression(work.function), arguments=arguments, outputs=outputs)
        case ir.Callback():
            arguments, outputs = tree(work.arguments), dict(work.outputs)
            return plan.CallbackStep(**common, queue=expression(work.queue), arguments=arguments, outputs=outputs)
        case ir.Check():
            return plan.ServiceStep(**common, type=cast("plan.ServiceType", work.type))
        case ir.AutoML():
            return plan.ServiceStep(**common, type="automl")
        case ir.Notebook():
            return plan.ServiceStep(**common, type="notebook")
        case ir.Service():
            return plan.ServiceStep(**common, type=cast("plan.ServiceType", work.type), request=tree(work.arguments))
        case _:
            assert_never(work)


def _maybe(value: ir.Value | None) -> plan.Expression | None:
    return None if value is None else expression(value)


def _pairs(pairs: ir.Pairs) -> dict[str, plan.Expression]:
    return {name: expression(value) for name, value in pairs}
