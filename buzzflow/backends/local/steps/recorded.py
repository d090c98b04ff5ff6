"""Keep what a step would ask of the service as a file: nothing here depends on the service doing it."""

from __future__ import annotations

from typing import Any

from buzzflow.backends.local import evaluate, plan
from buzzflow.backends.local.events import State, StepFinished
from buzzflow.backends.local.records.manifest import write_json
from buzzflow.backends.local.steps.results import Left, StepPlace, image_name

RECORD = "recorded.json"


def record_model(place: StepPlace[plan.ModelStep]) -> tuple[StepFinished, Left]:
    """Record a model of the service; a transform step starts its container itself."""
    return _recorded(
        place,
        lambda: {"ModelName": place.job_name, "Containers": containers_of(place.step.containers, place.known)},
        "recorded only: a transform step starts the model's container",
    )


def record_service(place: StepPlace[plan.ServiceStep]) -> tuple[StepFinished, Left]:
    """Record a step that changes nothing for those after it."""
    return _recorded(
        place,
        lambda: plain_tree(place.step.request, place.known, unknown="(known on the service only)"),
        f"recorded only: nothing here needs the {place.step.type}",
    )


def _recorded(place: StepPlace[Any], request: Any, how: str) -> tuple[StepFinished, Left]:
    name = place.step.name
    try:
        place.folder.mkdir(parents=True)
        write_json(place.folder / RECORD, request())
    except (evaluate.EvaluationError, OSError) as e:
        return StepFinished(name, State.FAILED, reason=f"it cannot be recorded: {e}", how=how), Left()
    words: dict[tuple[str, str], evaluate.Plain] = {
        (name, "name"): place.job_name,
        (name, "job_name"): place.job_name,
        (name, "arn"): f"local:{place.job_name}",
    }
    return StepFinished(name, State.SUCCEEDED, how=how), Left(properties=words)


def containers_of(containers: list[plan.ServingContainer], known: evaluate.Known) -> list[dict[str, Any]]:
    """Return the containers of a model in the service's words; EvaluationError when something has no value."""
    return [
        {
            "Image": image_name(c.image, known),
            "ModelDataUrl": None if c.model is None else evaluate.text(c.model, known),
            "Environment": {name: evaluate.text(value, known) for name, value in c.environment.items()},
        }
        for c in containers
    ]


def plain_tree(tree: plan.Tree, known: evaluate.Known, *, unknown: str | None = None) -> Any:
    """Return JSON in which every expression has its value; *unknown* stands for one that has none, else it raises."""
    match tree:
        case None:
            return None
        case plan.Members(of=members):
            return {name: plain_tree(inner, known, unknown=unknown) for name, inner in members.items()}
        case plan.Items(of=items):
            return [plain_tree(inner, known, unknown=unknown) for inner in items]
        case _:
            try:
                return evaluate.value(tree, known)
            except evaluate.EvaluationError:
                if unknown is None:
                    raise
                return unknown
