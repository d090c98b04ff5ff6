"""A plan as JSON can hold it."""

from __future__ import annotations

from typing import Any

from buzzflow.backends.sagemaker.meaning import MISSING, Change
from buzzflow.views.cost import as_data as cost_data
from buzzflow.views.plan.words import Plans, Shown


def as_data(plans: Plans) -> dict[str, Any]:
    """Return the plan as JSON can hold it."""
    return {
        "changes": any(shown.plan.action != "none" for shown in plans),
        "pipelines": [_pipeline_data(shown) for shown in plans],
    }


def _pipeline_data(shown: Shown) -> dict[str, Any]:
    plan = shown.plan
    return {
        "name": plan.deployment.name,
        "file": shown.file,
        "region": plan.deployment.region,
        "action": plan.action,
        "edited_outside": plan.edited,
        "digest": plan.deployment.digest,
        "steps": [
            {
                "name": change.name,
                "type": change.type,
                "action": change.action,
                "changes": [_change_data(value) for value in change.changes],
                "runs_again_for": [*change.reruns],
            }
            for change in plan.steps
        ],
        "settings": [_change_data(value) for value in plan.settings],
        "tags": {"set": dict(plan.set_tags), "remove": [*plan.drop_tags]},
        "cost": cost_data(shown.cost),
    }


def _change_data(change: Change) -> dict[str, Any]:
    """Return the change; what is missing on a side has no member for it."""
    sides = {"before": change.before, "after": change.after}
    return {"path": [*change.path], **{side: value for side, value in sides.items() if value is not MISSING}}
