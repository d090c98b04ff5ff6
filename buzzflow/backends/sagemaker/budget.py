"""Compare what a run costs at most with what it may cost."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from buzzflow import ir
from buzzflow.backends.sagemaker.cost import RunCost, run_cost
from buzzflow.backends.sagemaker.job_cost import StepCost
from buzzflow.diagnostics import Diagnostic, Path, Severity

_MOST = 3  # steps that are named


def budget_problems(pipeline: ir.Pipeline) -> Iterator[Diagnostic]:
    """Yield whether a run may cost more than its budget, or how much nobody can tell."""
    budget = pipeline.budget
    if budget is None:
        return
    cost = run_cost(pipeline)
    if round(cost.known, 6) > budget.max_cost_per_run:  # 10 h at 0.23 are 2.3000000000000003
        yield _too_dear(cost, budget)
    elif cost.maximum is None and budget.unknown != "allow":
        yield _unknown(cost, budget)


def dollars(amount: float) -> str:
    """Return *amount* as people write it; a maximum is rounded up to the cent."""
    return f"{ceil(round(amount * 100, 6)) / 100:,.2f} USD"


def _too_dear(cost: RunCost, budget: ir.Budget) -> Diagnostic:
    largest = sorted((s for s in cost.steps if s.counted and s.maximum), key=lambda s: -(s.maximum or 0))[:_MOST]
    told = "; ".join(f"{s.step!r} up to {dollars(s.maximum or 0)} ({machines(s)})" for s in largest)
    whole = "" if cost.maximum is not None else ", without what is unknown"
    summary = (
        f"a run may cost {dollars(cost.known)}{whole}, and {_owner(budget)} allows {dollars(budget.max_cost_per_run)}"
    )
    hint = f"lower a timeout, the number of machines, or their type: {told}; prices of {cost.prices}"
    return Diagnostic("BF670", summary, _place(budget, largest[0]), hint)


def _unknown(cost: RunCost, budget: ir.Budget) -> Diagnostic:
    reasons: dict[str, list[str]] = {}
    for step in cost.unknown:
        reasons.setdefault(str(step.unknown), []).append(repr(step.step))
    told = [f"{_listed(steps)}: {why}" for why, steps in reasons.items()]
    more = f"; and {len(told) - _MOST} more reasons" if len(told) > _MOST else ""
    summary = f"{_owner(budget)} allows {dollars(budget.max_cost_per_run)} a run, and what a run costs is unknown"
    hint = f"{'; '.join(told[:_MOST])}{more}. budget: {{unknown: allow}} takes that"
    severity = Severity.ERROR if budget.unknown == "fail" else Severity.WARNING
    return Diagnostic("BF671", summary, _place(budget, cost.unknown[0]), hint, severity=severity)


def machines(step: StepCost) -> str:
    """Return what a step runs on, and for how long at most: `2 x ml.g5.xlarge for 4 h`."""
    return f"{step.count} x {step.instance} for {step.hours:.4g} h"


def _listed(steps: list[str]) -> str:
    shown = ", ".join(steps[:_MOST])
    return f"{shown} and {len(steps) - _MOST} more" if len(steps) > _MOST else shown


def _owner(budget: ir.Budget) -> str:
    return "the budget" if budget.environment is None else f"the budget of environment {budget.environment!r}"


def _place(budget: ir.Budget, step: StepCost) -> Path:
    """Return what to point at: the pipeline's budget, or the step, where another file has the budget."""
    return ("budget", "max_cost_per_run") if budget.environment is None else ("steps", step.step)
