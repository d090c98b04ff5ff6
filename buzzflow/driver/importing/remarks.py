"""Say what looks wrong in a definition, and what its author may want to change: warnings, and comments in the file."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from buzzflow.backends.sagemaker.importing.steps import Draft
from buzzflow.backends.sagemaker.semantics import NESTED, normal
from buzzflow.backends.sagemaker.text import RUN_FIELDS, Object
from buzzflow.diagnostics import Path
from buzzflow.driver.importing.project import Plan
from buzzflow.driver.importing.remark import Remark

_REPACKS = "-RepackModel"
_CODE = "The script lies in S3. To keep it in this folder: code: {script}, and remove entrypoint and the input code."
_TOOLKIT = (
    "The sagemaker_… ones name the code, an archive in S3. To keep it in this folder: "
    "code: {entry_point: train.py, launcher: image}, and remove them."
)
_REPACK = (
    "Inserted by the SageMaker SDK: it packs inference code into the model. "
    "With code: {inference: folder} on the training step it is not needed."
)
_ISO = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
_PRINTED = re.compile(r"[A-Za-z_]\w*\(.*=.*\)|<.* object at 0x[0-9a-f]+>", re.DOTALL)


def remarks(
    definition: Object, drafts: list[Draft], plans: Mapping[str, Plan], data: Mapping[str, Any]
) -> Iterator[Remark]:
    """Yield what there is to say; *data* is the file's."""
    steps: Mapping[str, Any] = data["steps"]
    paths: dict[str, Path] = {name: ("steps", name) for name in steps}
    for name, step in steps.items():
        paths |= {inner: ("steps", name, "steps", inner) for inner in step.get("steps", ())}
    there = [draft for draft in drafts if draft.name in paths]
    yield from _parameters(definition)
    yield from _caches(there, paths)
    yield from _code(there, paths, steps)
    declared = definition.get("Parameters")
    parameters = {p.get("Name") for p in declared if isinstance(p, dict)} if isinstance(declared, list) else set()
    names = {draft.name: draft for draft in drafts}
    for draft in there:
        path = paths[draft.name]
        yield from _kept(draft, path, plans[draft.name])
        yield from _references(draft, path, parameters, names)
        yield from _order(draft, path, names)
        yield from _hyperparameters(draft, path)
        yield from _places(draft, path)
        if _REPACKS in draft.name:
            yield Remark("BF663", f"the SDK inserted step {draft.name!r}", path, _REPACK)


def _parameters(definition: Object) -> Iterator[Remark]:
    rest = json.dumps({key: value for key, value in definition.items() if key != "Parameters"})
    parameters = definition.get("Parameters")
    for item in parameters if isinstance(parameters, list) else ():
        name = item.get("Name") if isinstance(item, dict) else None
        if isinstance(name, str) and f'"Parameters.{name}"' not in rest:
            yield Remark("BF660", f"nothing uses parameter {name!r}", ("parameters", name), "Nothing uses it.")


def _caches(there: list[Draft], paths: Mapping[str, Path]) -> Iterator[Remark]:
    """Yield durations that are none, each once."""
    odd: dict[str, list[str]] = {}
    for draft in there:
        config = draft.data.get("CacheConfig")
        expiry = config.get("ExpireAfter") if isinstance(config, dict) else None
        if expiry is not None and not (isinstance(expiry, str) and _ISO.fullmatch(expiry.upper())):
            odd.setdefault(json.dumps(expiry), []).append(draft.name)
    for expiry, names in odd.items():
        who = f"step {names[0]!r}" if len(names) == 1 else f"{len(names)} steps, {names[0]!r} first,"
        summary = f"the cache of {who} expires after {expiry}: AWS's guide writes it so, ISO 8601 and the SDK do not"
        comment = f"The cache expires after {expiry}, kept as it is written. Better: cache: 30d, and no step_patch."
        yield Remark("BF661", summary, paths[names[0]], comment)


def _code(there: list[Draft], paths: Mapping[str, Path], steps: Mapping[str, Any]) -> Iterator[Remark]:
    """Yield how code in S3 is brought here; once for each way in which it is named."""
    told: set[str] = set()
    for draft in there:
        step = steps.get(draft.name, {})
        if step.get("type") == "processing" and "code" in (step.get("inputs") or ()) and "code" not in told:
            told.add("code")
            words = [word for word in step.get("entrypoint") or () if isinstance(word, str)]
            script = next((word.rpartition("/")[2] for word in words if word.endswith(".py")), "script.py")
            yield Remark("", "", (*paths[draft.name], "entrypoint"), _CODE.format(script=script), warns=False)
        archive = "sagemaker_submit_directory" in (step.get("hyperparameters") or ())
        if archive and _REPACKS not in draft.name and "toolkit" not in told:
            told.add("toolkit")
            yield Remark("", "", (*paths[draft.name], "hyperparameters"), _TOOLKIT, warns=False)


def _kept(draft: Draft, path: Path, plan: Plan) -> Iterator[Remark]:
    if plan.raw and plan.reasons:
        why = plan.reasons[0].summary
        summary = f"step {draft.name!r} is kept in the service's words: {why}"
        yield Remark("BF664", summary, path, f"In SageMaker's own words: {why}.")


# ------------------------------------------------------------------ references and order


def _references(draft: Draft, path: Path, parameters: set[Any], names: Mapping[str, Draft]) -> Iterator[Remark]:
    for what in dict.fromkeys(_unknown(get, parameters, names) for get in _gets(draft.data)):
        if what is not None:
            yield Remark("BF666", f"step {draft.name!r} refers to {what}", path, f"It refers to {what}.")


def _unknown(get: str, parameters: set[Any], names: Mapping[str, Draft]) -> str | None:
    """Return what is wrong with a reference, None when nothing is."""
    head, _, rest = get.partition(".")
    match head:
        case "Parameters":
            return None if rest in parameters else f"parameter {rest!r}, which is not declared"
        case "Steps":
            step = rest.partition(".")[0]
            return None if step in names else f"step {step!r}, which there is not"
        case "Execution":
            return None if rest in RUN_FIELDS.values() else f"{rest!r} of the run, which has none"
        case "ForEach":
            return None
        case _:
            return f"{get!r}, which is no reference"


def _gets(data: Any) -> Iterator[str]:
    """Yield the references of a step, without those of the steps in it."""
    match data:
        case {"Get": str(get), **rest} if not rest:
            yield get
        case dict():
            for key, value in data.items():
                if key not in NESTED:
                    yield from _gets(value)
        case list():
            for value in data:
                yield from _gets(value)


def _order(draft: Draft, path: Path, names: Mapping[str, Draft]) -> Iterator[Remark]:
    order = draft.data.get("DependsOn")
    for item in order if isinstance(order, list) else ():
        if not isinstance(item, str):
            continue
        other = names.get(item)
        if other is None:
            summary = f"step {draft.name!r} waits for step {item!r}, which there is not"
            yield Remark("BF666", summary, path, f"It waits for {item}, which there is not.")
        elif other.side in ("then", "else") and not _inside(draft, other, names):
            summary = f"step {draft.name!r} waits for {item!r}, which runs only in a branch of {other.within!r}"
            comment = f"{item} runs only in a branch of {other.within}: where that is not taken, nor does this."
            yield Remark("BF662", summary, (*path, "depends_on"), comment)


def _inside(draft: Draft, other: Draft, names: Mapping[str, Draft]) -> bool:
    """Whether *draft* stands in the branch of *other*, or in one inside of it."""
    here: Draft | None = draft
    while here is not None:
        if (here.within, here.side) == (other.within, other.side):
            return True
        here = names.get(here.within) if here.within is not None else None
    return False


# ------------------------------------------------------------------ values


def _hyperparameters(draft: Draft, path: Path) -> Iterator[Remark]:
    arguments = draft.data.get("Arguments")
    given = arguments.get("HyperParameters") if isinstance(arguments, dict) else None
    for key, value in given.items() if isinstance(given, dict) else ():
        if isinstance(value, str) and _is_python(value):
            summary = f"hyperparameter {key!r} of step {draft.name!r} is what Python prints, and no JSON"
            yield Remark("BF665", summary, (*path, "hyperparameters", key), "What Python prints, and no JSON.")


def _is_python(text: str) -> bool:
    if _PRINTED.fullmatch(text):
        return True
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


def _places(draft: Draft, path: Path) -> Iterator[Remark]:
    """Yield folders of containers, and addresses, that look mistyped."""
    for key, text in dict.fromkeys(_texts(draft.data.get("Arguments"), "")):
        if key == "LocalPath" and not text.startswith("/"):
            summary = f"step {draft.name!r} has a folder in the container that is not absolute: {text!r}"
            yield Remark("BF667", summary, path, f"{text} is no absolute path.")
        elif key.endswith("Uri") and re.match(r"s3:/?[^/]", text):
            summary = f"step {draft.name!r} has an address that lacks a slash: {text!r}"
            yield Remark("BF667", summary, path, f"{text} lacks a slash.")


def _texts(data: Any, key: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of a request, each with the name of its member; of a text with references, the start."""
    match normal(data):
        case {"Std:Join": {"Values": [str(first), *_]}}:
            yield key, first
        case dict() as members:
            for name, value in members.items():
                if name not in NESTED:
                    yield from _texts(value, name)
        case list() as items:
            for value in items:
                yield from _texts(value, key)
        case str(text):
            yield key, text
