"""What a run costs at most, for a terminal of 80 columns and as data."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from buzzflow.backends.sagemaker.budget import dollars
from buzzflow.backends.sagemaker.cost import NOT_INCLUDED, EndpointCost, RunCost
from buzzflow.backends.sagemaker.job_cost import StepCost


def total(cost: RunCost) -> str:
    """Return the one line that says what a run costs at most."""
    if cost.maximum is not None:
        where = f" in {cost.region}" if cost.maximum else ""
        return f"a run costs at most {dollars(cost.maximum)}{where} (prices of {cost.prices})"
    reasons = _reasons(cost)
    why = next(iter(reasons)) if len(reasons) == 1 else f"{len(cost.unknown)} of {len(cost.steps)} steps have no limit"
    known = f"; what is known of it, {dollars(cost.known)}" if cost.known else ""
    return f"what a run costs at most is unknown: {why}{known} (prices of {cost.prices})"


def details(cost: RunCost) -> RenderableType:
    """Return what each step costs at most and why, endpoints, the total, and what was taken for granted."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    grid.add_column("step", overflow="fold")
    grid.add_column("machines", overflow="fold")
    for title in ("hours at most", "USD/h", "USD at most"):
        grid.add_column(title, justify="right")
    for step in cost.steps:
        if step.instance is not None or step.unknown is not None:
            grid.add_row(*_row(step))
    parts: list[RenderableType] = [grid, Text(), *(Text(line) for line in _endpoints(cost)), Text(total(cost))]
    notes = [f"unknown for {', '.join(dict.fromkeys(steps))}: {why}" for why, steps in _reasons(cost).items()]
    if not all(step.counted for step in cost.steps if step.maximum):
        notes.append("in parentheses: the cheaper side of a condition, which the total leaves out")
    notes += [f"taken for granted: {'; '.join(cost.assumptions)}"] if cost.assumptions else []
    notes += [f"not included: {NOT_INCLUDED}", f"source: {cost.source}"]
    return Group(*parts, *(Text(note, "dim") for note in notes))


def as_data(cost: RunCost) -> dict[str, Any]:
    """Return all of it as JSON can hold it; null is unknown."""
    return {
        "maximum_usd": _rounded(cost.maximum),
        "known_usd": _rounded(cost.known),
        "region": cost.region,
        "prices": {"date": str(cost.prices), "source": cost.source},
        "steps": [_step(step) for step in cost.steps],
        "endpoints": [_endpoint(endpoint) for endpoint in cost.endpoints],
        "assumptions": [*cost.assumptions],
        "not_included": NOT_INCLUDED,
    }


def _row(step: StepCost) -> tuple[str, ...]:
    if step.instance is None or step.hours is None:
        return escape(step.step), "", "", "", "unknown"
    amount = "unknown" if step.maximum is None else dollars(step.maximum).removesuffix(" USD")
    price = "" if step.per_hour is None else f"{step.per_hour:g}"
    shown = amount if step.counted else f"({amount})"
    return escape(step.step), f"{step.count} x {step.instance}", f"{step.hours:.4g}", price, shown


def _reasons(cost: RunCost) -> dict[str, list[str]]:
    """Return why costs are unknown, each reason with its steps."""
    reasons: dict[str, list[str]] = {}
    for step in cost.unknown:
        reasons.setdefault(str(step.unknown), []).append(step.step)
    return reasons


def _endpoints(cost: RunCost) -> list[str]:
    told = []
    for endpoint in cost.endpoints:
        if endpoint.per_hour is None:
            told.append(f"endpoint of {endpoint.step}: unknown, {endpoint.unknown}")
        else:
            what = f"{endpoint.count} x {endpoint.instance}"
            told.append(
                f"endpoint of {endpoint.step}: {dollars(endpoint.per_hour)} an hour until it is deleted ({what})"
            )
    return told


def _step(step: StepCost) -> dict[str, Any]:
    return {
        "step": step.step,
        "type": step.type,
        "instance": step.instance,
        "count": step.count,
        "hours": _rounded(step.hours),
        "usd_per_hour": step.per_hour,
        "maximum_usd": _rounded(step.maximum),
        "unknown": step.unknown,
        "assumptions": [*step.assumptions],
        "counted": step.counted,
    }


def _endpoint(endpoint: EndpointCost) -> dict[str, Any]:
    return {
        "step": endpoint.step,
        "instance": endpoint.instance,
        "count": endpoint.count,
        "usd_per_hour": _rounded(endpoint.per_hour),
        "unknown": endpoint.unknown,
    }


def _rounded(amount: float | None) -> float | None:
    return None if amount is None else round(amount, 4)
