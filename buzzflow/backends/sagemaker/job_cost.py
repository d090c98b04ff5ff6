"""What one step costs at most: its machines, how many, for how long, at the on-demand price.

A job stops at its timeout, without one when the service stops it: after 24 hours (Amazon SageMaker API Reference,
ProcessingStoppingCondition and StoppingCondition). A transform job has no such limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import assert_never

from buzzflow import ir
from buzzflow.backends.sagemaker.bounds import Bounds, UnboundedError, dearest
from buzzflow.backends.sagemaker.jobs import DAY
from buzzflow.backends.service import JOB_ERRORS
from buzzflow.instances.prices import Kind, per_hour, priced_regions

HOUR = 3600
# A tuning job tries its trainings again by itself, whatever the policy says (Developer Guide, "Retry Policy for
# Pipeline Steps").
_NOT_FOR_TUNING = "job_internal_error"
# members of requests that a patch may not touch if the machines and times in the pipeline are to be those of the job
_PATCHABLE = frozenset(
    (
        "ProcessingResources",
        "ResourceConfig",
        "StoppingCondition",
        "RetryStrategy",
        "HyperParameterTuningJobConfig",
        "TrainingJobDefinition",
        "TrainingJobDefinitions",
    )
)
_FREE = frozenset(("endpoint_config", "endpoint", "inference_component", "lineage", "cleanup"))


@dataclass(frozen=True, slots=True)
class StepCost:
    """What a step costs at most: *count* machines for *hours* each, retries included, at *per_hour* USD.

    *unknown* says why *maximum* is None. A step that only other services run has a maximum of 0 and no *instance*.
    """

    step: str
    type: str
    instance: str | None = None
    count: int | None = None
    hours: float | None = None
    per_hour: float | None = None
    maximum: float | None = None
    unknown: str | None = None
    assumptions: tuple[str, ...] = ()
    counted: bool = True  # whether the total has it: of the two sides of a condition, the dearer one counts


@dataclass(frozen=True, slots=True)
class Market:
    """Where a run happens, and which values it may be started with."""

    region: str | None
    parameters: Mapping[str, ir.Parameter]

    def price(self, instance: str, kind: Kind) -> float | None:
        """Return the USD an hour of *instance*, None where that is unknown."""
        return None if self.region is None else per_hour(instance, kind, self.region)


def step_costs(step: ir.Step, market: Market) -> Iterator[StepCost]:
    """Yield what *step* costs: one for each kind of machine that it uses."""
    match step.work:
        case ir.Processing(job=job):
            yield _job(step, job, market, "processing")
        case ir.Check(job=job) as check:
            yield _job(step, job, market, "processing")
            yield from _asked_model(step, check, market)
        case ir.Training(job=job, spot=spot):
            yield _job(step, job, market, "training", *_spot(spot))
        case ir.Notebook(job=job):
            yield _job(step, job, market, "training")
        case ir.Tuning() as work:
            yield _job(step, work.training.job, market, "training", *_spot(work.training.spot), search=work.search)
        case ir.Transform():
            yield _unknown(step, "a transform job runs until its data is done: the service has no timeout for it")
        case ir.AutoML():
            yield _unknown(step, "the service chooses the machines of an AutoML job")
        case ir.RegisterModel(registry="mlflow"):
            yield _unknown(step, "the job that registers a model in MLflow has no price here")
        case ir.Service(type=kind) if kind not in _FREE:
            yield _unknown(step, f"what a step of type {kind} runs on is not read")
        case (
            ir.Model()
            | ir.RegisterModel()
            | ir.Condition()
            | ir.Fail()
            | ir.Foreach()
            | ir.Lambda()
            | ir.Callback()
            | ir.Service()
        ):
            yield StepCost(step.name, step.work.type, maximum=0.0)
        case _:
            assert_never(step.work)


def _unknown(step: ir.Step, why: str) -> StepCost:
    return StepCost(step.name, step.work.type, unknown=why)


def _spot(spot: ir.Spot | None) -> tuple[str, ...]:
    return () if spot is None else ("spot machines at the on-demand price, which is the most that they cost",)


def _job(
    step: ir.Step, job: ir.Job, market: Market, kind: Kind, *assumed: str, search: ir.Search | None = None
) -> StepCost:
    if touched := sorted(_members(step.patch) & _PATCHABLE):
        return _unknown(step, f"arguments_patch changes its {' and '.join(touched)}")
    bounds = Bounds(market.parameters, [*assumed])
    try:
        count = bounds.number(job.instance.count, "number of machines")
        once = _seconds(job, bounds) if search is None else _searching(search, job, bounds)
        hours = _with_retries(step, once, bounds) / HOUR
        instance = _instance(job.instance, lambda name: market.price(name, kind), bounds)
    except UnboundedError as e:
        return _unknown(step, str(e))
    return _priced(step, instance, kind, count, hours, market, bounds)


def _instance(instance: ir.Instance, price: Callable[[str], float | None], bounds: Bounds) -> str:
    """Return the dearest of the types that the job may get."""
    first = bounds.dearest(instance.type, price)
    if not instance.fallbacks:
        return first
    bounds.assumptions.append("the dearest of an instance type and its fallbacks")
    return dearest([first, *instance.fallbacks], price)


def _priced(
    step: ir.Step, instance: str, kind: Kind, count: int, hours: float, market: Market, bounds: Bounds
) -> StepCost:
    price = market.price(instance, kind)
    return StepCost(
        step.name,
        step.work.type,
        instance,
        count,
        hours,
        price,
        None if price is None else count * hours * price,
        _no_price(instance, kind, market.region) if price is None else None,
        tuple(bounds.assumptions),
    )


def _no_price(instance: str, kind: Kind, region: str | None) -> str:
    if region is None:
        return "the environment names no region"
    known = priced_regions()
    if region not in known:
        return f"the price table has no prices for {region}" + (f", only for {known[0]}" if len(known) == 1 else "")
    return f"the price table has no price of {instance} for {kind} in {region}"


def _seconds(job: ir.Job, bounds: Bounds) -> int:
    """Return for how long a job's machines are paid at most, the time for which they are kept warm included."""
    timeout = DAY if job.timeout is None else bounds.number(job.timeout, "timeout")
    return timeout + (job.instance.keep_alive or 0)


def _searching(search: ir.Search, job: ir.Job, bounds: Bounds) -> int:
    """Return the seconds of all tries together: so many for so long each, or so many at once until the search ends."""
    limits = []
    unbounded: UnboundedError | None = None
    try:
        limits.append(_tries(search, bounds) * _seconds(job, bounds))
    except UnboundedError as e:
        unbounded = e
    if search.timeout is not None:
        kept_warm = job.instance.keep_alive or 0
        at_once = bounds.number(search.max_parallel_jobs, "number of tries at once")
        limits.append((search.timeout + kept_warm) * at_once)
    if not limits:
        raise unbounded or UnboundedError("nothing limits its search")
    return min(limits)


def _tries(search: ir.Search, bounds: Bounds) -> int:
    if search.max_jobs is not None:
        return bounds.number(search.max_jobs, "number of tries")
    return prod(len(item.values) for item in search.ranges)  # a grid has as many as cells


def _with_retries(step: ir.Step, once: int, bounds: Bounds) -> int:
    """Return the seconds of the first run and all further ones.

    `max_attempts` allows so many more. Until `give_up_after` has passed since the first failure, a further run may
    start, so one may start at its end. Errors of the step itself come before a job has started, and cost nothing.
    """
    mine = JOB_ERRORS.keys() - ({_NOT_FOR_TUNING} if isinstance(step.work, ir.Tuning) else set())
    seconds = once
    for retry in step.retry:
        after = ", ".join(error for error in retry.errors if error in mine)
        if not after:
            continue
        if retry.max_attempts is not None:
            seconds += retry.max_attempts * once
            bounds.assumptions.append(f"retried {retry.max_attempts} times after {after}")
        elif retry.give_up_after is not None:
            seconds += retry.give_up_after + once
            bounds.assumptions.append(f"retried for {retry.give_up_after} s after {after}")
    return seconds


def _asked_model(step: ir.Step, check: ir.Check, market: Market) -> Iterator[StepCost]:
    """Yield the endpoint that SageMaker Clarify makes for as long as it asks a model (`predictor` of its analysis)."""
    predictor = dict(check.analysis.items).get("predictor") if isinstance(check.analysis, ir.Mapping) else None
    if not isinstance(predictor, ir.Mapping):
        return
    given = dict(predictor.items)
    instance, count = given.get("instance_type"), given.get("initial_instance_count", 1)
    if not isinstance(instance, str) or not isinstance(count, int):
        yield _unknown(step, "the machines of its predictor are known only to the run")
        return
    bounds = Bounds(market.parameters, ["the endpoint that asks the model, for as long as the check"])
    try:
        hours = _with_retries(step, _seconds(check.job, bounds), bounds) / HOUR
    except UnboundedError as e:
        yield _unknown(step, str(e))
        return
    yield _priced(step, instance, "hosting", count, hours, market, bounds)


def _members(patch: ir.Tree) -> set[str]:
    return {name for name, _ in patch.items} if isinstance(patch, ir.Mapping) else set()
