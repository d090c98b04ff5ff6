"""Whether what is deployed is what is in Git: for each pipeline, one state and its reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from buzzflow.backends.sagemaker.deploying.deployment import COMMIT
from buzzflow.backends.sagemaker.deploying.plan import Plan


class State(StrEnum):
    """How a deployed pipeline stands to its file."""

    SAME = "same"
    EDITED = "edited"  # somebody changed it without buzzflow
    BEHIND = "behind"  # it is as it was deployed, and the file says something else
    MISSING = "missing"  # the file is there, the pipeline is not
    GONE = "gone"  # the pipeline is there, the file is not


@dataclass(frozen=True, slots=True)
class Drift:
    """The state of one pipeline; *commit* is what it was deployed from, *told* the reason in words."""

    name: str
    region: str
    state: State
    told: str
    file: str = ""
    commit: str = ""


def drift_of(plan: Plan, file: str) -> Drift:
    """Return how the pipeline of *plan*, made from *file*, stands to it."""
    name, region = plan.deployment.name, plan.deployment.region
    if plan.deployed is None:
        return Drift(name, region, State.MISSING, "it is not deployed", file)
    commit = plan.deployed.tags.get(COMMIT, "")
    if plan.action == "none":
        return Drift(name, region, State.SAME, "", file, commit)
    if plan.edited:
        return Drift(name, region, State.EDITED, f"changed outside of buzzflow: {_differing(plan)}", file, commit)
    return Drift(name, region, State.BEHIND, f"deployed from other files: {_differing(plan)}", file, commit)


def _differing(plan: Plan) -> str:
    steps = sum(step.action != "keep" for step in plan.steps)
    rest = len(plan.settings) + bool(plan.set_tags or plan.drop_tags)
    parts = ["1 step" if steps == 1 else f"{steps} steps"] if steps else []
    return " and ".join([*parts, *(["settings"] if rest else [])])
