"""Two budgets for one pipeline, its own and its environment's: the stricter counts."""

from __future__ import annotations

from buzzflow import ir
from buzzflow.config.parts import BudgetConfig
from buzzflow.config.pipeline import EnvironmentConfig

_STRICTNESS = ("allow", "warn", "fail")


def stricter_budget(own: BudgetConfig | None, environment: EnvironmentConfig | None) -> ir.Budget | None:
    """Return the stricter of the pipeline's and the environment's budget, member by member."""
    theirs = None if environment is None else environment.budget
    given = [budget for budget in (own, theirs) if budget is not None]
    if not given:
        return None
    least = min(given, key=lambda budget: budget.max_cost_per_run)  # the pipeline's, where both are the same
    unknown = max((budget.unknown for budget in given), key=_STRICTNESS.index)
    return ir.Budget(
        least.max_cost_per_run, unknown, environment.name if environment is not None and least is theirs else None
    )
