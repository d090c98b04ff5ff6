"""Find where each field of each step type lands in SageMaker's pipeline definition, by trying.

A small pipeline is compiled twice, without and with another value in one field: where the two definitions differ is
where the field lands. Nothing here says so by hand, so the tables that come of it cannot be wrong for long.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from field_tries import ALONGSIDE, BASES, ENVIRONMENT, HELPERS, SCRIPTS, TRIES, WITH, Json

from buzzflow.backends.sagemaker.compile import define
from buzzflow.diagnostics import PipelineError
from buzzflow.driver import check

NOWHERE = "not sent"
NOT_TAKEN = "not taken"
ANYWHERE = "any member of the request"
BESIDE = "any member of the step beside the request"
# What the compiler says of a field that a type has and the service does not take from it.
_REFUSALS = frozenset(("BF208", "BF321", "BF326", "BF327", "BF328", "BF412"))
_IN_THE_SERVICES_WORDS = frozenset(
    ("emr", "emr_serverless", "endpoint_config", "endpoint", "inference_component", "lineage", "job", "cleanup", "raw")
)


Fields = list[tuple[str, str]]  # path with <name> and [], and what the documentation calls its value


def field_places(fields: Mapping[str, Fields]) -> dict[str, dict[str, str]]:
    """Return for each step type where each of its *fields* lands: paths in the step of the definition."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve() / "projects" / "research" / "tried"
        folder.mkdir(parents=True)
        (folder.parent / "environment.yaml").write_text(ENVIRONMENT, "utf-8")
        for name in SCRIPTS:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("", "utf-8")
        return {kind: dict(_places(kind, rows, folder)) for kind, rows in fields.items()}


def _places(kind: str, rows: Fields, folder: Path) -> Iterator[tuple[str, str]]:
    for field, value in rows:
        if field == "step_patch":
            yield field, BESIDE
            continue
        if field == "arguments_patch" or (field == "arguments" and kind in _IN_THE_SERVICES_WORDS):
            yield field, ANYWHERE
            continue
        key = _key(field, kind)
        base = {"type": kind, **json.loads(json.dumps(BASES[kind]))}
        for path, more in _of(WITH, key, kind, {}).items():
            _put(base, path, more)
        tried = json.loads(json.dumps(base))
        _put(tried, key, _of(TRIES, key, kind, _another(value)))
        for path, more in _of(ALONGSIDE, key, kind, {}).items():
            _put(tried, path, more)
        try:
            before, after = _compiled(base, folder), _compiled(tried, folder)
        except PipelineError as e:
            if {d.code for d in e.diagnostics} & _REFUSALS:
                yield field, NOT_TAKEN
                continue
            told = [d.summary for d in e.diagnostics]
            raise ValueError(f"{kind}.{field} cannot be tried: {told} in {tried}") from None
        yield field, _shown({*_differences(before, after)})


def _key(field: str, kind: str) -> str:
    """Return *field* with the names that the bases have: `inputs.<name>.from` is `inputs.data.from`."""
    names = {"inputs": {"automl": "training"}, "search": {}}
    first = names.get(field.partition(".")[0], {}).get(kind, "data")
    if field.startswith("search.ranges"):
        first = "eta"
    if kind in ("quality_check", "clarify_check"):
        first = {"inputs": "dataset", "outputs": "report"}.get(field.partition(".")[0], first)
    if kind == "training" or kind == "tuning":
        first = "model" if field.startswith("outputs") else first
    if field.startswith("outputs"):
        first = {"transform": "predictions", "automl": "result"}.get(kind, first)
    return field.replace("<name>", first)


def _of(table: Mapping[str, Json], key: str, kind: str, otherwise: Json) -> Json:
    return table.get(f"{key}:{kind}", table.get(key, otherwise))


def _put(data: dict[str, Json], path: str, value: Json) -> None:
    *parents, last = path.replace("[]", ".0").split(".")
    here: Json = data
    for part, following in zip(parents, [*parents, last][1:], strict=True):
        if isinstance(here, list):
            while len(here) <= int(part):
                here.append({})
            here = here[int(part)]
            continue
        if not isinstance(here.get(part), dict | list):
            short = {"image": "uri", "code": "entry_point"}.get(part)
            here[part] = (
                {short: here[part]} if isinstance(here.get(part), str) and short else [] if following == "0" else {}
            )
        here = here[part]
    if isinstance(here, list):
        here[int(last) :] = [value]
    elif value is None:
        here.pop(last, None)
    else:
        here[last] = value


def _another(value: str) -> Json:
    """Return a value of the kind that the documentation calls *value*."""
    if "`" in value:
        words = re.findall(r"`([^`]+)`", value)
        return True if words == ["true", "false"] else words[-1]
    match value.replace(" †", ""):
        case "whole number":
            return 7
        case "number":
            return 3.5
        case "duration":
            return "2h"
        case text if text.startswith("list"):
            return ["other"]
        case text if text.startswith("mapping"):
            return {"other": "x"}
        case _:
            return "s3://b/other/"


def _compiled(step: Json, folder: Path) -> Json:
    steps = {name: helper for name, helper in HELPERS.items() if name not in step.get("steps", {})}
    whole = {"parameters": {"days": "[]", "weeks": "[]"}, "steps": {**steps, "tried": step}}
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(whole), "utf-8")
    found = _find(define(check(folder, backend="sagemaker").pipeline).data["Steps"])
    assert found is not None
    return found


def _find(steps: Json) -> Json:
    for step in steps:
        if step["Name"] == "tried":
            return step
        inner = step["Arguments"]
        for side in ("IfSteps", "ElseSteps", "ForEachBody") if isinstance(inner, dict) else ():
            if (found := _find(inner.get(side, []))) is not None:
                return found
    return None


def _differences(before: Json, after: Json, path: str = "") -> Iterator[str]:
    """Yield the paths at which two definitions differ; `[]` is any item of a list."""
    if isinstance(before, dict) and isinstance(after, dict) and not ({"Get", "Std:Join"} & {*before, *after}):
        for key in dict.fromkeys((*before, *after)):
            if before.get(key) != after.get(key):
                yield from _differences(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            if one != other:
                yield from _differences(one, other, f"{path}[]")
    else:
        yield path


def _shown(paths: set[str]) -> str:
    shown = {_generalised(p) for p in paths}
    return ", ".join(f"`{p}`" for p in sorted(shown, key=lambda p: (p.startswith("Environment"), p))) or NOWHERE


def _generalised(path: str) -> str:
    """Shorten a path: arguments are the step's request, and our own variables are one thing."""
    short = path.removeprefix("Arguments.") if path != "Arguments" else path
    return re.sub(r"^Environment\.(BUZZFLOW|SM)_\w+$", "Environment", short)


def main() -> None:
    """Print every place: for those who work on this file."""
    import refresh_docs  # which imports this

    for kind, places in field_places(refresh_docs.probed_fields()).items():
        for field, place in places.items():
            print(f"{kind:20} {field:40} {place}")


if __name__ == "__main__":
    main()
