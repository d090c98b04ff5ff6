"""Say in words what a plan holds: values, changes, why a step runs again."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from buzzflow.backends.sagemaker.cost import RunCost
from buzzflow.backends.sagemaker.deploying.plan import Plan, StepChange
from buzzflow.backends.sagemaker.meaning import MISSING, Change


@dataclass(frozen=True, slots=True)
class Shown:
    """The plan of one pipeline, its *file*, and what a run of it costs at most."""

    file: str
    plan: Plan
    cost: RunCost


Plans = Sequence[Shown]
# Members on the way to the address of an input, beside its own name.
_WRAPPERS = frozenset(
    {
        "Arguments",
        "InputDataConfig",
        "ProcessingInputs",
        "TrainingJobDefinition",
        "DataSource",
        "S3DataSource",
        "S3Input",
        "S3Uri",
        "HyperParameters",
        "StaticHyperParameters",
        "sagemaker_submit_directory",
    }
)
_ADDRESS = re.compile(r"s3://[^/]+/buzzflow/(?:code|files)/([0-9a-f]{64})/.*")
_LONG = 200  # characters of a value that are shown


def summary(plans: Plans) -> str:
    """Return one line about all of it."""
    steps = [change for shown in plans for change in shown.plan.steps]
    counts = {action: sum(change.action == action for change in steps) for action in ("add", "change", "remove")}
    changed = sum(shown.plan.action != "none" for shown in plans)
    if not changed:
        return f"{_pipelines(len(plans))}: what is deployed is what is here"
    what = f"{counts['add']} steps to add, {counts['change']} to change, {counts['remove']} to remove"
    return f"{changed} of {_pipelines(len(plans))} to deploy: {what}"


def _pipelines(count: int) -> str:
    return "1 pipeline" if count == 1 else f"{count} pipelines"


def reruns(change: StepChange) -> str:
    """Return why the cached results of a step do not count."""
    if change.action == "keep":
        return f"runs again in spite of its cache: it uses {', '.join(change.reruns)}"
    names = {".".join(value.path).removeprefix("Arguments."): name(value) for value in change.changes}
    return f"runs again in spite of its cache: {', '.join(names[path] for path in change.reruns)}"


def name(change: Change) -> str:
    """Return what has changed: `code` for code and files of the repository, whose addresses are their contents."""
    if _address(change.before) and _address(change.after):
        name = next((part for part in change.path if part not in _WRAPPERS), "code")
        return "code" if name == "code" else f"input {name}"
    return ".".join(change.path).removeprefix("Arguments.")


def sides(change: Change) -> tuple[str, str]:
    """Return both values as people read them; of an address that is a content, the start of its digest."""
    before, after = _address(change.before), _address(change.after)
    return (before, after) if before and after else (spelled(change.before), spelled(change.after))


def _address(value: object) -> str:
    found = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    return "" if found is None else found[1][:12]


def spelled(value: object) -> str:
    """Return a value of a definition as people write it: references in `${…}`, everything else as JSON."""
    if value is MISSING:
        return "(none)"
    reference = _reference(value)
    text = json.dumps(_readable(value), ensure_ascii=False) if reference is None else reference
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _readable(value: object) -> object:
    match value:
        case dict():
            known = _reference(value)
            return {key: _readable(part) for key, part in value.items()} if known is None else known
        case list():
            return [_readable(part) for part in value]
        case _:
            return value


def _reference(value: object) -> str | None:
    """Return `${param:date}` and the like; None for what is no reference."""
    match value:
        case {"Get": str() as path}:
            kind, _, rest = path.partition(".")
            return f"${{param:{rest}}}" if kind == "Parameters" else f"${{{path}}}"
        case {"Std:Join": {"Values": list() as parts}}:
            return "".join(part if isinstance(part, str) else _reference(part) or str(part) for part in parts)
        case {"Std:JsonGet": {"PropertyFile": {"Get": str() as file}, "Path": str() as path}}:
            return f"${{json:{file.removeprefix('Steps.').replace('.PropertyFiles.', '.')}.{path}}}"
        case _:
            return None
