"""Walk the models: which one stands at a path, and which keys it has."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from buzzflow.diagnostics import Path


def model_at(model: type[BaseModel], path: Path, data: Any) -> type[BaseModel] | None:
    """Return the model whose fields stand at *path* of *data*, None where free keys stand."""
    kind: Any = model
    here = data
    for part in path:
        here = _child(here, part)
        kind = _inside(kind, part)
        kind = _chosen(kind, here)
        if kind is None:
            return None
    return kind if _is_model(kind) else None


def _child(here: Any, part: str | int) -> Any:
    if isinstance(here, dict):
        return here.get(part)
    if isinstance(here, list) and isinstance(part, int) and part < len(here):
        return here[part]
    return None


def _inside(kind: Any, part: str | int) -> Any:
    """Return the type of the field, item or value that *part* names in *kind*."""
    if _is_model(kind):
        for name, field in kind.model_fields.items():
            if part in (field.alias or name, name):
                return field.annotation
        return None
    origin, args = get_origin(kind), get_args(kind)
    if origin is dict:
        return args[1]
    return args[0] if origin is list else None


def _chosen(kind: Any, value: Any) -> Any:
    """Return the one of a union's types that *value* would be read as."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) not in (Union, UnionType):
        return kind
    choices = [_chosen(a, value) for a in get_args(kind) if a is not type(None)]
    models = [c for c in choices if _is_model(c)]
    tagged = value.get("type") if isinstance(value, dict) else None
    for candidate in models:
        tag = candidate.model_fields.get("type")
        if tag is not None and get_origin(tag.annotation) is Literal and tagged in get_args(tag.annotation):
            return candidate
    if isinstance(value, dict | list):
        containers = [c for c in choices if _is_model(c) or get_origin(c) in (dict, list)]
        return containers[0] if containers and not (tagged and len(models) > 1) else None
    return None


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
