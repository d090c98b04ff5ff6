"""What the models give a field that nobody sets, and which fields there are."""

from __future__ import annotations

from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from buzzflow.config.pipeline import EnvironmentConfig, PipelineConfig
from buzzflow.config.steps import STEP_MODELS, type_of
from buzzflow.diagnostics import Path
from buzzflow.loader.nodes import Node

MISSING = object()


def built_in(path: Path, tree: Node) -> Any:
    """Return the built-in default of the field at *path*, `MISSING` when there is none.

    In what may be left out whole, like `cache`, a field has its default only where *tree* has the rest.
    """
    model, given = _model(path[:-1], tree)
    name = None if model is None else _fields(model).get(str(path[-1]))
    if model is None or name is None:
        return MISSING
    if given is not None:
        return _plain(getattr(given, name))
    field = model.model_fields[name]
    if tree.at(path[:-1]) is None or field.is_required():
        return MISSING
    default = field.get_default(call_default_factory=True, validated_data={})
    return MISSING if default is PydanticUndefined else _plain(default)


def fields_at(path: Path, tree: Node) -> frozenset[str]:
    """Return the names of the fields that the mapping at *path* may have, none where they are free."""
    model, _ = _model(path, tree)
    return frozenset() if model is None else frozenset(_fields(model))


def _model(path: Path, tree: Node) -> tuple[type[BaseModel] | None, BaseModel | None]:
    """Return the model of the mapping at *path*, and what stands there when nobody sets anything."""
    if path[:1] == ("environment",):
        return _below(EnvironmentConfig, path[1:])
    if path[:1] != ("steps",) or len(path) < 2:
        return (None, None) if path == ("steps",) else _below(PipelineConfig, path)
    kind = tree.at((*path[:2], "type"))
    models = [m for m in STEP_MODELS if kind is not None and type_of(m) == kind.value]
    return _below(models[0], path[2:]) if models else (None, None)


def _below(model: type[BaseModel], path: Path) -> tuple[type[BaseModel] | None, BaseModel | None]:
    kind: Any = model
    given: BaseModel | None = None
    for part in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            name = _fields(kind).get(str(part))
            if name is None:
                return None, None
            default = getattr(given, name) if given is not None else kind.model_fields[name].default
            given = default if isinstance(default, BaseModel) else None
            kind = _held(get_type_hints(kind, include_extras=True)[name])
        elif get_origin(kind) in (dict, list):
            kind, given = _held(get_args(kind)[-1]), None
        else:
            return None, None
    return (kind, given) if isinstance(kind, type) and issubclass(kind, BaseModel) else (None, None)


def _held(kind: Any) -> Any:
    """Return what is in `X | None` and in `Annotated[X, …]`."""
    if get_origin(kind) in (Union, UnionType):
        return next((h for a in get_args(kind) if _is_container(h := _held(a))), kind)
    return _held(get_args(kind)[0]) if hasattr(kind, "__metadata__") else kind


def _is_container(kind: Any) -> bool:
    return get_origin(kind) in (dict, list) or (isinstance(kind, type) and issubclass(kind, BaseModel))


def _fields(model: type[BaseModel]) -> dict[str, str]:
    return {field.alias or name: name for name, field in model.model_fields.items()}


def _plain(value: Any) -> Any:
    return value.model_dump(by_alias=True, exclude_none=True) if isinstance(value, BaseModel) else value
