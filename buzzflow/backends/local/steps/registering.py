"""Register a model on this machine: as a file, and in a local MLflow where its package is installed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from buzzflow.backends.local import evaluate, plan
from buzzflow.backends.local.events import State, StepFinished
from buzzflow.backends.local.steps.mlflow_registry import missing_package, register
from buzzflow.backends.local.steps.recorded import containers_of, plain_tree
from buzzflow.backends.local.steps.results import Left, StepPlace
from buzzflow.backends.local.store import AddressError

_FOLDER = "registry"


def register_model(place: StepPlace[plan.RegisterModelStep]) -> tuple[StepFinished, Left]:
    """Register a new version of the model, and answer with where it is."""
    name = place.step.name
    try:
        group = evaluate.text(place.step.group, place.known)
        package = _package(place, group)
        version = _keep(place.request.state / _FOLDER / _file_name(group), package)
        how = f"recorded as version {version} below .buzzflow/{_FOLDER}: no model package is made here"
        if place.step.registry == "mlflow":
            how = _in_mlflow(place, group, package, version)
    except (evaluate.EvaluationError, AddressError, OSError) as e:
        return StepFinished(name, State.FAILED, reason=f"the model cannot be registered: {e}"), Left()
    arn = f"local:model-package/{group}/{version}"
    left = Left(properties={(name, "arn"): arn, (name, "name"): f"{group}/{version}"})
    return StepFinished(name, State.SUCCEEDED, result=f"{group} version {version}", how=how), left


def _package(place: StepPlace[plan.RegisterModelStep], group: str) -> dict[str, Any]:
    step, known = place.step, place.known
    details = plain_tree(step.details, known)
    return {
        "model_group": group,
        "run": place.request.run,
        "approval": evaluate.text(step.approval, known),
        "metadata": {name: evaluate.text(value, known) for name, value in step.metadata.items()},
        "containers": containers_of(step.containers, known),
        **({} if details is None else details),
    }


def _file_name(group: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "-", group).lstrip(".") or "model"


def _keep(folder: Path, package: Mapping[str, Any]) -> int:
    """Write *package* as the next version; runs side by side get a version each."""
    folder.mkdir(parents=True, exist_ok=True)
    version = max((int(f.stem) for f in folder.glob("*.json") if f.stem.isdigit()), default=0) + 1
    while True:
        try:
            with (folder / f"{version}.json").open("x", encoding="utf-8") as file:
                json.dump({**package, "version": version}, file, indent=2)
        except FileExistsError:
            version += 1
        else:
            return version


def _in_mlflow(place: StepPlace[plan.RegisterModelStep], group: str, package: Mapping[str, Any], version: int) -> str:
    """Register the first container's model in the local MLflow; return what was done, or why it was not."""
    if (missing := missing_package()) is not None:
        return f"recorded as version {version} below .buzzflow/{_FOLDER}: a local MLflow needs the package {missing}"
    store = place.request.store()
    artifacts = [c["ModelDataUrl"] for c in package["containers"] if c["ModelDataUrl"] is not None]
    source = store.path(artifacts[0]).parent if artifacts else place.request.folder
    tags = {"buzzflow.run": place.request.run, **package["metadata"]}
    made = register(place.request.state / "mlflow" / "mlflow.db", group, source.as_uri(), tags)
    return f"registered in the local MLflow, .buzzflow/mlflow/mlflow.db, as version {made}"
