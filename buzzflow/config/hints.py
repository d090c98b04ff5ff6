"""What to write in place of what does not fit: the fields, names and kinds that the models know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel

from buzzflow.config.data import CallOutputConfig, InputConfig, OutputConfig
from buzzflow.config.pipeline import EnvironmentConfig
from buzzflow.config.steps import ServiceBase, fields_by_type
from buzzflow.diagnostics import Path, closest, did_you_mean

QUOTE = "quote it"  # whoever knows how the value is written in the file can show it quoted
_CODE = ("code", "write code: {entry_point: …}")
_SEARCH = ("search", "write search: {objective: …, ranges: …, max_jobs: …}")
_INSTEAD: Mapping[str, tuple[str, str]] = {  # words of other tools for the fields of a step: the field, what to write
    **dict.fromkeys(("script", "file", "entry_point", "source"), _CODE),
    "requirements": ("code", "write code: {entry_point: …, requirements: …}"),
    **dict.fromkeys(("condition", "when"), ("if", "write if: …")),
    "otherwise": ("else", "write else: …"),
    **dict.fromkeys(("env", "environment"), ("environment_variables", "write environment_variables: {NAME: …}")),
    "args": ("arguments", "write arguments: …"),
    "instance_type": ("instance", "write instance: {type: …}"),
    "instance_count": ("instance", "write instance: {count: …}"),
    "command": ("entrypoint", "write entrypoint: …"),
    **dict.fromkeys(("params", "parameters"), ("hyperparameters", "write hyperparameters: …")),
    **dict.fromkeys(("ranges", "objective", "max_jobs", "strategy"), _SEARCH),
    "hyperparameters": ("arguments", "only training has them; use arguments"),
}
_ADDRESSES = ("uri", "s3", "s3_uri", "source", "destination", "location")


def step_field_hint(key: str, known: Collection[str]) -> str | None:
    """Return what to write in place of the field *key*, which a step with the fields *known* does not have."""
    field, hint = _INSTEAD.get(key, ("", ""))
    if field in known:
        return hint
    types = [kind for kind, fields in fields_by_type().items() if key in fields]
    if types:
        return f"it is a field of {', '.join(types[:4])}{', …' if len(types) > 4 else ''}"
    return did_you_mean(key, known, label="fields")


def field_hint(path: Path, owner: type[BaseModel] | None, value: Any) -> str | None:
    """Return what to write in place of the key at *path*, which *owner* does not have; *value* stands there."""
    known = [] if owner is None else [f.alias or n for n, f in owner.model_fields.items()]
    key = str(path[-1])
    match path:
        case ("steps", _, _) if owner is not None and issubclass(owner, ServiceBase) and not closest(key, known):
            return "the service's own words stand under arguments"
        case ("steps", _, _):
            return step_field_hint(key, known)
        case (_,) if isinstance(value, dict) and "type" in value:
            return "a step stands below steps: indent it"
        case (_,) if any(key in fields for fields in fields_by_type().values()) and not closest(key, known):
            return f"for all steps, write defaults: {{{key}: …}}"
        case _ if owner is InputConfig and key in _ADDRESSES:
            return "write from: s3://bucket/folder/"
        case _ if owner is OutputConfig and key in _ADDRESSES:
            return "write to: s3://bucket/folder/"
        case _ if owner is CallOutputConfig and key == "to":
            return "write {type: string}"
        case _:
            return did_you_mean(key, known, label="fields")


def kind_hint(path: Path, wanted: str, value: Any) -> str | None:
    """Return how to write the *value* at *path* so that it is *wanted*: a list, a mapping, text."""
    if wanted == "text":
        return QUOTE if isinstance(value, int | float) else None
    if wanted == "a list" and isinstance(value, str):
        return f"write [{value}]" if len(value) <= 40 else "write a list"
    match path:
        case ("steps",):
            return "every step has its name before it: steps: {train: {type: training, code: train.py}}"
        case ("steps", _, "inputs"):
            return "every input has a name: inputs: {train: s3://bucket/folder/}"
        case ("steps", _, "outputs"):
            return "write outputs: [name]"
        case ("parameters", name):
            return f'a list travels as text: {name}: \'["a", "b"]\'' if isinstance(value, list) else None
        case _:
            return None


def pattern_hint(path: Path, model: type[BaseModel]) -> str | None:
    """Return which names may stand at *path*."""
    match path:
        case ("name",) if model is EnvironmentConfig:
            return "small letters, digits and hyphens, 32 at most, starting with a letter or digit"
        case ("name",):
            return "letters, digits and single hyphens, starting and ending with a letter or digit"
        case ("steps", _):
            return "letters, digits, hyphens and underscores, 64 at most"
        case ("parameters", _):
            return "letters, digits, hyphens and underscores, 256 at most"
        case (*_, "environment_variables", _):
            return "letters, digits and underscores, not starting with a digit"
        case (*_, "inputs" | "outputs", _):
            return "letters, digits, dots, hyphens and underscores, 64 at most, starting with a letter or digit"
        case ("bucket",):
            return "the name alone, as S3 has it: lower case, digits, dots and hyphens; no s3://"
        case ("account",):
            return 'twelve digits, quoted: "111122223333"'
        case ("region",):
            return "such as eu-west-1"
        case _:
            return None
