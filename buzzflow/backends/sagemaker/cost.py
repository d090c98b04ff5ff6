"""What a run of a pipeline costs at most, from its IR and the price table alone: no network, no clock.

It is the most that the machines of its jobs cost if each job runs until its timeout, and never an estimate. Of a
condition's two sides the dearer one counts. What cannot be bounded is named with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from math import fsum

from buzzflow import ir
from buzzflow.backends.sagemaker.job_cost import Market, StepCost, step_costs
from buzzflow.instances.prices import price_list

NOT_INCLUDED = "disks, storage in S3, data transfer, requests, logs, Lambda functions, taxes, and discounts"


@dataclass(frozen=True, slots=True)
class EndpointCost:
    """What an endpoint costs an hour from when it exists until somebody deletes it; not part of a run's cost."""

    step: str
    instance: str | None = None
    count: int | None = None
    per_hour: float | None = None  # of all machines
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class RunCost:
    """What one run costs at most, in USD; *known* is what of it is known, and *maximum* is None unless all is.

    *prices* is the day of the price list.
    """

    steps: tuple[StepCost, ...]
    known: float
    maximum: float | None
    endpoints: tuple[EndpointCost, ...]
    region: str | None
    prices: date
    source: str

    @property
    def unknown(self) -> tuple[StepCost, ...]:
        """The steps whose cost has no known limit."""
        return tuple(step for step in self.steps if step.unknown is not None)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was taken for granted, each once."""
        return tuple(dict.fromkeys(told for step in self.steps for told in step.assumptions))


def run_cost(pipeline: ir.Pipeline) -> RunCost:
    """Return what one run of *pipeline* costs at most."""
    region = pipeline.environment.region if pipeline.environment else None
    market = Market(region, {p.name: p for p in pipeline.parameters})
    costs = {step.name: tuple(step_costs(step, market)) for step in pipeline.steps}
    tree = _Tree(pipeline, costs)
    chosen = {name for name, _ in tree.counted(None)}
    steps = tuple(replace(cost, counted=name in chosen) for name, found in tree.told().items() for cost in found)
    known = fsum(cost.maximum or 0.0 for cost in steps if cost.counted)
    listed = price_list()
    return RunCost(
        steps=steps,
        known=known,
        maximum=None if any(cost.unknown for cost in steps) else known,
        endpoints=tuple(_endpoints(pipeline, market)),
        region=region,
        prices=listed.date,
        source=f"{listed.source} ({listed.version})",
    )


class _Tree:
    """The steps of a pipeline by the branch or the foreach step that they belong to."""

    def __init__(self, pipeline: ir.Pipeline, costs: Mapping[str, tuple[StepCost, ...]]) -> None:
        self._costs = costs
        self._nested: dict[ir.Branch | str | None, list[ir.Step]] = {}
        self._loops = {step.name: step for step in pipeline.steps if isinstance(step.work, ir.Foreach)}
        self._inside = {step.name: step.inside for step in pipeline.steps}
        for step in pipeline.steps:
            self._nested.setdefault(step.inside or step.branch, []).append(step)

    def counted(self, parent: ir.Branch | str | None) -> Iterator[tuple[str, float]]:
        """Yield the steps of the dearest way through, each with what of its cost is known."""
        for step in self._nested.get(parent, ()):
            yield step.name, 0.0 if parent in self._loops else _sum(self._costs[step.name])
            if isinstance(step.work, ir.Condition):
                sides = [[*self.counted(ir.Branch(step.name, taken=taken))] for taken in (True, False)]
                yield from max(sides, key=lambda side: fsum(cost for _, cost in side))
            elif isinstance(step.work, ir.Foreach):
                yield from self.counted(step.name)

    def told(self) -> dict[str, tuple[StepCost, ...]]:
        """Return what is said of each step: how often the body of a foreach step runs is unknown."""
        return {name: tuple(self._of_item(cost) for cost in found) for name, found in self._costs.items()}

    def _of_item(self, cost: StepCost) -> StepCost:
        loop = self._inside[cost.step]
        if loop is None or cost.maximum == 0 or cost.unknown is not None:
            return cost
        each = f" (at most {cost.maximum:.2f} USD each)" if cost.maximum is not None else ""
        why = f"it runs once for every item of {loop!r}{each}, and only the run knows how many there are"
        return replace(cost, maximum=None, unknown=why)


def _sum(costs: tuple[StepCost, ...]) -> float:
    return fsum(cost.maximum or 0.0 for cost in costs)


# ------------------------------------------------------------------ endpoints


def _endpoints(pipeline: ir.Pipeline, market: Market) -> Iterator[EndpointCost]:
    """Yield what the endpoint configurations of *pipeline* ask for, and endpoints whose configuration is elsewhere."""
    configured = False
    for step in pipeline.steps:
        match step.work:
            case ir.Service(type="endpoint_config", arguments=ir.Mapping(items=items)):
                configured = True
                for variant in _variants(dict(items)):
                    yield _endpoint(step.name, variant, market)
            case ir.Service(type="endpoint") if not configured:
                yield EndpointCost(step.name, unknown="its configuration is not made in this pipeline")
            case _:
                pass


def _variants(arguments: Mapping[str, ir.Tree]) -> Iterator[Mapping[str, ir.Tree]]:
    for member in ("ProductionVariants", "ShadowProductionVariants"):
        listed = arguments.get(member)
        for variant in listed.items if isinstance(listed, ir.Sequence) else ():
            if isinstance(variant, ir.Mapping):
                yield dict(variant.items)


def _endpoint(step: str, variant: Mapping[str, ir.Tree], market: Market) -> EndpointCost:
    if "ServerlessConfig" in variant:
        return EndpointCost(step, unknown="a serverless variant costs by request")
    instance, count = variant.get("InstanceType"), variant.get("InitialInstanceCount", 1)
    scaling = variant.get("ManagedInstanceScaling")
    if isinstance(scaling, ir.Mapping):
        count = dict(scaling.items).get("MaxInstanceCount", count)
    if not isinstance(instance, str) or not isinstance(count, int):
        return EndpointCost(step, unknown="its machines are known only to the run")
    price = market.price(instance, "hosting")
    if price is None:
        return EndpointCost(step, instance, count, unknown=f"no price of {instance} is known in {market.region}")
    return EndpointCost(step, instance, count, count * price)
