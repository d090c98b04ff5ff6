"""A plan as JSON can hold it."""

from __future__ import annotations

from typing import Any

from buzzflow.backends.sagemaker.deploying.plan import Plan
from buzzflow.backends.sagemaker.meaning import MISSING, Change
from buzzflow.views.plan.words import Plans


def as_data(plans: Plans) -> dict[str, Any]:
    """Return the plan as JSON can hold it."""
    return {
        "changes": any(plan.action != "none" for _, plan in plans),
        "pipelines": [_pipeline_data(file, plan) for file, plan in plans],
    }


def _pipeline_data(file: str, plan: Plan) -> dict[str, Any]:
    return {
        "name": plan.deployment.name,
        "file": file,
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
    }


def _change_data(change: Change) -> dict[str, Any]:
    """Return the change; what is missing on a side has no member for it."""
    sides = {"before": change.before, "after": change.after}
    return {"path": [*change.path], **{side: value for side, value in sides.items() if value is not MISSING}}
