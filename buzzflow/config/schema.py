"""JSON Schemas of pipeline.yaml and environment.yaml, for editors: the models, their shorthands, and `${…}`."""

from __future__ import annotations

from typing import Any

from buzzflow.config.pipeline import EnvironmentConfig, PipelineConfig
from buzzflow.config.steps import STEP_MODELS, ForeachConfig
from buzzflow.config.steps.models import ServingContainerConfig

Schema = dict[str, Any]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_INTERPOLATION: Schema = {"$ref": "#/$defs/Interpolation"}
_STRING: Schema = {"type": "string"}
_STRINGS: Schema = {"type": "array", "items": _STRING}
_SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}

_ITEM: Schema = {
    "anyOf": [
        {"type": ["string", "number", "boolean"]},
        {"type": "object", "anyOf": [{"required": ["name"]}, {"required": ["key"]}]},
    ]
}
_GRID: Schema = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_-]*$"},
    "additionalProperties": {
        "anyOf": [
            {"type": "null"},
            _INTERPOLATION,
            {"type": "array", "items": _ITEM, "minItems": 1},
            {"type": "object"},
        ]
    },
}
_ITEMS: Schema = {
    "anyOf": [
        _INTERPOLATION,
        {"type": "array", "items": {"anyOf": [{"type": ["string", "number", "boolean"]}, _GRID]}, "minItems": 1},
        _GRID,
    ]
}
_FOREACH: Schema = {
    "anyOf": [{"type": "null"}, {"$ref": "#/$defs/Items"}],
    "description": "A copy of the step for each item: a list, named items, or several keys for every combination.",
    "examples": [["kr", "us"], {"region": ["kr", "us"], "model": {"small": {"lr": 0.1}, "large": {"lr": 0.01}}}],
}

# what may stand in a step besides the long form
_SHORT: dict[str, list[Schema]] = {
    "code": [_STRING],
    "image": [_STRING],
    "instance": [_STRING],
    "cache": [_STRING, {"type": "boolean"}],
    "spot": [_STRING],
    "arguments": [{"type": "object", "additionalProperties": {"anyOf": [_SCALAR, {"type": "array"}]}}],
    "outputs": [_STRINGS],
    "depends_on": [
        _STRING,
        {"$ref": "#/$defs/DependencyConfig"},
        {"type": "array", "items": {"anyOf": [_STRING, {"$ref": "#/$defs/DependencyConfig"}]}},
    ],
    "retry": [{"$ref": "#/$defs/RetryConfig"}],
    "if": [_STRING],
    "then": [_STRING],
    "else": [_STRING],
}


def pipeline_schema() -> Schema:
    """Return the schema of a pipeline.yaml, or of a layer of one."""
    schema = PipelineConfig.model_json_schema(by_alias=True)
    schema.pop("required", None)  # the name is the folder's by default, and a layer may hold anything
    for model in STEP_MODELS:
        step = schema["$defs"][model.__name__]
        _accept_shorthands(step)
        if model is not ForeachConfig:
            step["properties"]["foreach"] = {"$ref": "#/$defs/Foreach"}
    group = schema["$defs"][ForeachConfig.__name__]["properties"]
    group["items"] = {"$ref": "#/$defs/Items", "description": group["items"]["description"]}
    steps = schema["properties"]["steps"]["patternProperties"]
    for pattern, step in steps.items():
        schema["$defs"]["Step"] = step
        steps[pattern] = {"$ref": "#/$defs/Step"}
    group["steps"] = {
        "type": "object",
        "minProperties": 1,
        "patternProperties": dict(steps),
        "description": group["steps"]["description"],
    }
    schema["$defs"] |= {"Foreach": _FOREACH, "Items": _ITEMS}
    container = schema["$defs"][ServingContainerConfig.__name__]["properties"]
    container["image"] = _or(container["image"], _STRING)
    properties = schema["properties"]
    properties["parameters"] = _items_or(properties["parameters"], _SCALAR)
    properties["budget"] = _or(properties["budget"], {"type": "number"})
    properties["extends"] = {"anyOf": [_STRING, _STRINGS], "description": "Files that this one lies over."}
    properties["include"] = {"anyOf": [_STRING, _STRINGS], "description": "Files with more steps."}
    return _finished(schema, "buzzflow pipeline")


def environment_schema() -> Schema:
    """Return the schema of an environment.yaml."""
    schema = EnvironmentConfig.model_json_schema(by_alias=True)
    schema["properties"]["image"] = _or(schema["properties"]["image"], _STRING)
    schema["properties"]["budget"] = _or(schema["properties"]["budget"], {"type": "number"})
    return _finished(schema, "buzzflow environment")


def _accept_shorthands(step: Schema) -> None:
    properties = step["properties"]
    if "inputs" in properties:
        properties["inputs"] = _items_or(properties["inputs"], _STRING)
    if "outputs" in properties:
        properties["outputs"] = _items_or(properties["outputs"], {"type": ["string", "null"]})
    for name, short in _SHORT.items():
        if name in properties:
            properties[name] = _or(properties[name], *short)
    step["required"] = [r for r in step.get("required", ()) if r == "type"]  # a default or a lower layer may have it


def _items_or(table: Schema, *more: Schema) -> Schema:
    """Let the values of a mapping be something else, too."""
    found = dict(table)
    for key in ("additionalProperties", "patternProperties"):
        if key == "patternProperties" and key in found:
            found[key] = {k: _or(v, *more) for k, v in found[key].items()}
        elif isinstance(found.get(key), dict):
            found[key] = _or(found[key], *more)
    return found


def _or(schema: Schema, *more: Schema) -> Schema:
    kept: Schema = {k: schema[k] for k in ("description", "default", "examples") if k in schema}
    rest = {k: v for k, v in schema.items() if k not in kept}
    choices = rest.pop("anyOf") if set(rest) == {"anyOf"} else [rest]
    return {**kept, "anyOf": [*choices, *more]}


def _finished(schema: Schema, title: str) -> Schema:
    for name in ("group", "key"):  # set by gathering the copies of a foreach, not by hand
        schema.get("$defs", {}).get("InputConfig", {"properties": {}})["properties"].pop(name, None)
    schema.setdefault("$defs", {})["Interpolation"] = {
        "type": "string",
        "pattern": r"\$\{.+\}",
        "description": "An interpolation.",
    }
    for part in (schema, *schema["$defs"].values()):
        for name, field in part.get("properties", {}).items():
            if name != "type" or "const" not in field:
                part["properties"][name] = _with_interpolation(field)
    report = schema.get("$defs", {}).get("OutputConfig")
    if report is not None:
        report["properties"]["json"] = _or(report["properties"]["json"], _STRING)
    return {"$schema": _DIALECT, "title": title, **_untitled(schema)}


def _with_interpolation(field: Schema) -> Schema:
    takes_text = field.get("type") == "string" and "pattern" not in field and "enum" not in field
    return field if takes_text else _or(field, _INTERPOLATION)


def _untitled(schema: Any) -> Any:
    """Return a schema without the titles that pydantic makes of names: they say nothing."""
    if isinstance(schema, dict):
        return {k: _untitled(v) for k, v in schema.items() if not (k == "title" and isinstance(v, str))}
    return [_untitled(item) for item in schema] if isinstance(schema, list) else schema
