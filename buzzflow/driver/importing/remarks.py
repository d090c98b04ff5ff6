"""Say what looks wrong in a definition, and what its author may want to change: warnings, and comments in the file."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from buzzflow.backends.sagemaker.importing.steps import Draft, seconds_of
from buzzflow.backends.sagemaker.text import Object
from buzzflow.diagnostics import Path
from buzzflow.driver.importing.project import Plan

_REFERENCE = re.compile(r"(?:Parameters|Steps|Execution|ForEach)\.[A-Za-z0-9_.-]+")
_RUN = (
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "PipelineName",
    "PipelineArn",
    "StartDateTime",
    "CurrentDateTime",
)


@dataclass(frozen=True, slots=True)
class Remark:
    """What to say about the value at *path* of the file; *comment* only where a warning would be too much."""

    code: str
    summary: str
    path: Path
    comment: str
    warns: bool = True


def remarks(
    definition: Object, drafts: list[Draft], plans: Mapping[str, Plan], steps: Mapping[str, Any]
) -> Iterator[Remark]:
    """Yield what there is to say; *steps* are those of the file."""
    yield from _parameters(definition)
    names = {draft.name: draft for draft in drafts}
    paths = {**{name: ("steps", name) for name in steps}}
    for name, step in steps.items():
        paths |= {inner: ("steps", name, "steps", inner) for inner in step.get("steps", {}) if isinstance(step, dict)}
    code_told = toolkit_told = False
    for draft in drafts:
        path: Path | None = paths.get(draft.name)
        if path is None:
            continue
        yield from _kept(draft, path, plans[draft.name])
        yield from _references(draft, path, definition, names)
        yield from _order(draft, path, names)
        yield from _cache(draft, path)
        yield from _hyperparameters(draft, path)
        repacks = "-RepackModel" in draft.name
        if repacks:
            yield Remark("BF663", f"the SDK inserted step {draft.name!r}", path, _REPACK)
        step = steps.get(draft.name, {})
        if not code_told and step.get("type") == "processing" and "code" in (step.get("inputs") or {}):
            code_told = True
            yield Remark("", "", (*path, "entrypoint"), _CODE, warns=False)
        if not toolkit_told and not repacks and "sagemaker_submit_directory" in (step.get("hyperparameters") or {}):
            toolkit_told = True
            yield Remark("", "", (*path, "hyperparameters"), _TOOLKIT, warns=False)


_CODE = "The script lies in S3. To keep it in this folder: code: script.py, and remove entrypoint and the input code."
_TOOLKIT = (
    "The sagemaker_… ones name the code, an archive in S3. To keep it in this folder: "
    "code: {entry_point: train.py, launcher: image}, and remove them."
)
_REPACK = (
    "Inserted by the SageMaker SDK: it packs inference code into the model. "
    "With code: {inference: folder} on the training step it is not needed."
)


def _parameters(definition: Object) -> Iterator[Remark]:
    rest = json.dumps({key: value for key, value in definition.items() if key != "Parameters"})
    parameters = definition.get("Parameters")
    for item in parameters if isinstance(parameters, list) else ():
        name = item.get("Name") if isinstance(item, dict) else None
        if isinstance(name, str) and f'"Parameters.{name}"' not in rest:
            yield Remark("BF660", f"nothing uses parameter {name!r}", ("parameters", name), "Nothing uses it.")


def _kept(draft: Draft, path: Path, plan: Plan) -> Iterator[Remark]:
    if plan.raw and plan.reasons:
        why = plan.reasons[0].summary
        summary = f"step {draft.name!r} is kept in the service's words: {why}"
        yield Remark("BF664", summary, path, f"In SageMaker's own words: {why}.")


def _references(draft: Draft, path: Path, definition: Object, names: Mapping[str, Draft]) -> Iterator[Remark]:
    declared = definition.get("Parameters")
    parameters = {p.get("Name") for p in declared if isinstance(p, dict)} if isinstance(declared, list) else set()
    told = set()
    for get in _gets(draft.data, draft.type in ("Condition", "ForEach")):
        head, _, rest = get.partition(".")
        first = rest.partition(".")[0]
        wrong = {
            "Parameters": f"parameter {rest!r}, which is not declared" if rest not in parameters else None,
            "Steps": f"step {first!r}, which there is not" if first not in names else None,
            "Execution": f"{rest!r} of the run, which has none" if rest not in _RUN else None,
            "ForEach": None,
        }.get(head, f"{get!r}, which is no reference")
        if wrong is not None and wrong not in told:
            told.add(wrong)
            yield Remark("BF666", f"step {draft.name!r} refers to {wrong}", path, f"It refers to {wrong}.")


def _gets(data: Any, top: bool) -> Iterator[str]:  # noqa: FBT001  # of a step that holds others
    match data:
        case {"Get": str(get), **rest} if not rest:
            yield get
        case dict():
            for key, value in data.items():
                if not (top and key in ("IfSteps", "ElseSteps", "ForEachBody")):
                    yield from _gets(value, top)
        case list():
            for value in data:
                yield from _gets(value, top)


def _order(draft: Draft, path: Path, names: Mapping[str, Draft]) -> Iterator[Remark]:
    order = draft.data.get("DependsOn")
    for item in order if isinstance(order, list) else ():
        other = names.get(item) if isinstance(item, str) else None
        if isinstance(item, str) and other is None:
            summary = f"step {draft.name!r} waits for step {item!r}, which there is not"
            yield Remark("BF666", summary, path, f"It waits for {item}, which there is not.")
        elif other is not None and other.side in ("then", "else") and not _inside(draft, other, names):
            what = f"{other.name!r}, which runs only in a branch of {other.within!r}"
            summary = f"step {draft.name!r} waits for {what}"
            comment = f"{other.name} runs only in a branch of {other.within}: where that is not taken, nor does this."
            yield Remark("BF662", summary, (*path, "depends_on"), comment)


def _inside(draft: Draft, other: Draft, names: Mapping[str, Draft]) -> bool:
    """Whether *draft* stands in the branch of *other*, or in one inside of it."""
    here: Draft | None = draft
    while here is not None:
        if (here.within, here.side) == (other.within, other.side):
            return True
        here = names.get(here.within) if here.within is not None else None
    return False


def _cache(draft: Draft, path: Path) -> Iterator[Remark]:
    config = draft.data.get("CacheConfig")
    expiry = config.get("ExpireAfter") if isinstance(config, dict) else None
    if expiry is not None and seconds_of(expiry) is None:
        summary = f"the cache of step {draft.name!r} expires after {expiry!r}, which is no ISO 8601 duration"
        comment = f"{json.dumps(expiry)} is no ISO 8601 duration; in place of both lines: cache: 30d."
        yield Remark("BF661", summary, (*path, "cache"), comment)


def _hyperparameters(draft: Draft, path: Path) -> Iterator[Remark]:
    arguments = draft.data.get("Arguments")
    given = arguments.get("HyperParameters") if isinstance(arguments, dict) else None
    for key, value in given.items() if isinstance(given, dict) else ():
        if isinstance(value, str) and _is_python(value):
            summary = f"hyperparameter {key!r} of step {draft.name!r} is what Python prints, and no JSON"
            comment = "What Python prints of a list or dict, and no JSON."
            yield Remark("BF665", summary, (*path, "hyperparameters", key), comment)


def _is_python(text: str) -> bool:
    if text[:1] not in ("{", "[", "("):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        try:
            ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return False
        return True
    return False
