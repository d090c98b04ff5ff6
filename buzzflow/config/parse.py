"""Parse loaded data into models, and say what does not fit in the user's words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from buzzflow.config.fields import model_at
from buzzflow.config.hints import QUOTE, field_hint, kind_hint, pattern_hint, step_field_hint
from buzzflow.config.pipeline import EnvironmentConfig, PipelineConfig
from buzzflow.config.steps import fields_by_type
from buzzflow.diagnostics import MAX_PROBLEMS, Diagnostic, Path, PipelineError, closest, did_you_mean


def parse(data: Mapping[str, Any], *, name: str) -> PipelineConfig:
    """Return the pipeline in *data*, called *name* unless it says otherwise."""
    problems = [*islice(_unknown_types(data), MAX_PROBLEMS), *islice(_unknown_defaults(data), MAX_PROBLEMS)]
    try:
        config = PipelineConfig.model_validate({"name": name, **data})
    except ValidationError as e:
        problems += _problems(e, data, PipelineConfig)
    if problems:
        raise PipelineError(problems)
    return config


def parse_environment(data: Mapping[str, Any]) -> EnvironmentConfig:
    """Return the environment in *data*."""
    problems = [*islice(_unknown_defaults(data), MAX_PROBLEMS)]
    try:
        environment = EnvironmentConfig.model_validate(data)
    except ValidationError as e:
        problems += _problems(e, data, EnvironmentConfig)
    if problems:
        raise PipelineError(problems)
    return environment


def _unknown_types(data: Mapping[str, Any]) -> Iterator[Diagnostic]:
    known = fields_by_type()
    given = data.get("steps")
    steps = given if isinstance(given, dict) else {}
    for name, step in steps.items():
        path: Path = ("steps", name)
        if not isinstance(step, dict):
            what = "is empty" if step is None else "is not a mapping"
            yield Diagnostic(
                "BF201", f"step {name!r} {what}", path, "a step is a mapping: {type: training, code: train.py}"
            )
        elif "type" not in step:
            wanted = f"add type: {', '.join(known)}"
            if close := closest(name, (n for n, s in steps.items() if isinstance(s, dict) and "type" in s)):
                wanted += f"; or did you mean step {close!r}?"
            yield Diagnostic("BF202", f"step {name!r} has no type", path, wanted)
        elif not isinstance(step["type"], str) or step["type"] not in known:
            hint = did_you_mean(str(step["type"]), known, label="step types")
            yield Diagnostic("BF202", f"there is no step type {str(step['type'])!r}", (*path, "type"), hint)


def _unknown_defaults(data: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Yield the defaults that no step type could take: they would be ignored without a word."""
    by_type = fields_by_type()
    anywhere = frozenset().union(*by_type.values()) - {"type", "depends_on", "display_name"}
    defaults = data.get("defaults")
    for key, value in defaults.items() if isinstance(defaults, dict) else ():
        if key != "by_type":
            yield from _not_a_field(key, anywhere, ("defaults", key), "step")
            continue
        if not isinstance(value, dict):
            what = f"{key!r}: a mapping is wanted here, not {_shown(value)}"
            yield Diagnostic("BF206", what, ("defaults", key), "by_type: {training: {timeout: 2h}}")
            continue
        for kind, fields in value.items():
            if kind not in by_type:
                hint = did_you_mean(kind, by_type, label="step types")
                yield Diagnostic("BF202", f"there is no step type {kind!r}", ("defaults", key, kind), hint)
                continue
            if not isinstance(fields, dict):
                what = f"{kind!r}: a mapping is wanted here, not {_shown(fields)}"
                yield Diagnostic("BF206", what, ("defaults", key, kind))
                continue
            for field in fields:
                yield from _not_a_field(field, by_type[kind], ("defaults", key, kind, field), f"{kind} step")


def _not_a_field(key: str, known: frozenset[str], path: Path, of: str) -> Iterator[Diagnostic]:
    if key not in known:
        yield Diagnostic("BF203", f"no {of} has a field {key!r}", path, step_field_hint(key, known))


# ------------------------------------------------------------------ pydantic's errors


def _problems(error: ValidationError, data: Any, model: type[BaseModel]) -> list[Diagnostic]:
    found = [_problem(e, data, model) for e in islice(error.errors(include_url=False), MAX_PROBLEMS)]
    return [d for d in found if d is not None]


def _problem(error: ErrorDetails, data: Any, model: type[BaseModel]) -> Diagnostic | None:
    path, owner = _path(error, data, model)
    kind, context = error["type"], error.get("ctx", {})
    last = str(path[-1]) if path else ""
    label = _label(path)
    match kind:
        case "union_tag_invalid" | "union_tag_not_found" | "model_attributes_type" | "model_type" if _told(path):
            return None  # _unknown_types says it better
        case "extra_forbidden":
            hint = field_hint(path, owner, error["input"])
            return Diagnostic("BF203", f"there is no field {last!r}{_in(path)}", path, hint)
        case "missing":
            return Diagnostic("BF204", f"{last!r} is missing{_in(path)}", path[:-1], f"add {last}: …")
        case "literal_error" if error["loc"][-1] == "[key]":
            known = re.findall(r"'([^']+)'", str(context.get("expected", "")))
            what = f"there is no {last!r} in {_where(path[:-1])}"
            return Diagnostic("BF203", what, path, did_you_mean(last, known, label="there is"))
        case "literal_error" | "enum":
            allowed = re.findall(r"'([^']+)'", str(context.get("expected", "")))
            hint = did_you_mean(str(error["input"]), allowed, label="allowed")
            return Diagnostic("BF205", f"{label} cannot be {_shown(error['input'])}", path, hint)
        case "wrong_kind" | "empty_text" | "no_unit" | "bad_duration":
            return Diagnostic("BF206", f"{label}: {error['msg']}", path, _quote_hint(context, error["input"]))
        case "too_late":
            hint = "a variable, ${variables.…}, is known in time"
            return Diagnostic("BF207", f"{label}: {error['msg']}", path, hint)
        case "one_of" | "reserved_name" | "training_output":
            hint = (
                "a metric is declared in metrics; other files are a processing step's"
                if kind == "training_output"
                else None
            )
            return Diagnostic("BF208", error["msg"], path, hint)
        case "string_pattern_mismatch" | "string_too_long":
            what = f"{_shown(error['input'])} is no valid {_what(path, model)}"
            return Diagnostic("BF209", what, path, pattern_hint(path, model))
        case "dict_type" | "list_type" | "model_type" | "model_attributes_type" | "string_type":
            wanted = {"list_type": "a list", "string_type": "text"}.get(kind, "a mapping")
            summary = f"{label}: {wanted} is wanted here, not {_shown(error['input'])}"
            return Diagnostic("BF206", summary, path, kind_hint(path, wanted, error["input"]))
        case _:
            return Diagnostic("BF206", f"{label}: {_bound(error) or _lower(error['msg'])}", path)


def _bound(error: ErrorDetails) -> str | None:
    """Say of a number or of a list's length which bound it breaks."""
    context = error.get("ctx", {})
    match error["type"]:
        case "less_than_equal":
            return f"{_shown(error['input'])} is more than {context['le']}"
        case "greater_than_equal":
            return f"{_shown(error['input'])} is less than {context['ge']}"
        case "greater_than":
            return f"{_shown(error['input'])} is not more than {context['gt']:g}"
        case "too_long":
            return f"{context['actual_length']} are more than {context['max_length']}"
        case "too_short":
            return f"{context['actual_length']} are fewer than {context['min_length']}"
        case _:
            return None


def _label(path: Path) -> str:
    """Return what to call the value at *path*: its key, or its place in its list."""
    match path:
        case (*_, str(key), int(index)):
            return f"item {index + 1} of {key!r}"
        case (*_, last):
            return repr(str(last))
        case _:
            return "the file"


def _told(path: Path) -> bool:
    return path[:1] == ("steps",) and (len(path) == 2 or path[2:] == ("type",))


def _path(error: ErrorDetails, data: Any, model: type[BaseModel]) -> tuple[Path, type[BaseModel] | None]:
    """Return where *error* is, without pydantic's own parts (union tags, `[key]`), and the model that it belongs to."""
    loc = error["loc"]
    path: list[str | int] = []
    here = data
    for i, part in enumerate(loc):
        if part == "[key]" or (i == 2 and loc[0] == "steps" and _is_tag(part, here)):
            continue  # the tag of a step comes before its fields, even when one is called like it
        missing = i == len(loc) - 1 and error["type"] == "missing"
        inside = (isinstance(here, dict) and part in here) or (isinstance(here, list) and isinstance(part, int))
        if not inside and not missing:
            continue  # a union's tag
        path.append(part)
        here = here[part] if inside and part in _index(here) else None
    return tuple(path), model_at(model, tuple(path[:-1]), data)


def _is_tag(part: int | str, here: Any) -> bool:
    return isinstance(part, str) and part in fields_by_type() and isinstance(here, dict) and here.get("type") == part


def _index(here: Any) -> Any:
    return range(len(here)) if isinstance(here, list) else here


def _in(path: Path) -> str:
    return f" in {_where(path[:-1])}" if len(path) > 1 else ""


def _where(path: Path) -> str:
    match path:
        case ("steps", name):
            return f"step {str(name)!r}"
        case ("steps", name, *rest):
            return f"{'.'.join(map(str, rest))} of step {str(name)!r}"
        case _:
            return repr(".".join(map(str, path)))


def _what(path: Path, model: type[BaseModel]) -> str:
    match path:
        case ("name",):
            return "name of an environment" if model is EnvironmentConfig else "name of a pipeline"
        case ("steps", _):
            return "name of a step"
        case ("parameters", _):
            return "name of a parameter"
        case (*_, "inputs" | "outputs", _):
            return "name of an input or output"
        case (*_, "environment_variables", _):
            return "name of a variable"
        case _:
            return str(path[-1]) if path else "value"


def _shown(value: Any) -> str:
    match value:
        case str():
            return repr(value) if len(value) <= 60 else repr(value[:57] + "…")
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case None:
            return "empty"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return str(value)


def _quote_hint(context: Mapping[str, Any], value: Any) -> str | None:
    if str(context.get("wanted", "")).startswith("text") and isinstance(value, int | float):
        return QUOTE
    return None


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")
