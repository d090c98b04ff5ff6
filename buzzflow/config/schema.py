"""JSON Schemas of pipeline.yaml and environment.yaml, for editors: the models, their shorthands, and `${…}`."""

from __future__ import annotations

from typing import Any

from buzzflow.config.pipeline import EnvironmentConfig, PipelineConfig
from buzzflow.config.steps import STEP_MODELS

Schema = dict[str, Any]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_INTERPOLATION: Schema = {"type": "string", "pattern": r"\$\{.+\}", "description": "An interpolation."}
_STRING: Schema = {"type": "string"}
_STRINGS: Schema = {"type": "array", "items": _STRING}
_SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}

# what may stand in a step besides the long form
_SHORT: dict[str, list[Schema]] = {
    "code": [_STRING],
    "image": [_STRING],
    "instance": [_STRING],
    "cache": [_STRING, {"type": "boolean"}],
    "spot": [_STRING],
    "arguments": [{"type": "object", "additionalProperties": {"anyOf": [_SCALAR, {"type": "array"}]}}],
    "outputs": [_STRINGS],
    "depends_on": [_STRING, {"type": "array", "items": {"anyOf": [_STRING, {"$ref": "#/$defs/DependencyConfig"}]}}],
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
        _accept_shorthands(schema["$defs"][model.__name__])
    properties = schema["properties"]
    properties["parameters"] = _items_or(properties["parameters"], _SCALAR)
    properties["extends"] = {"anyOf": [_STRING, _STRINGS], "description": "Files that this one lies over."}
    properties["include"] = {"anyOf": [_STRING, _STRINGS], "description": "Files with more steps."}
    return _finished(schema, "buzzflow pipeline")


def environment_schema() -> Schema:
    """Return the schema of an environment.yaml."""
    schema = EnvironmentConfig.model_json_schema(by_alias=True)
    schema["properties"]["image"] = _or(schema["properties"]["image"], _STRING)
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
    for part in (schema, *schema.get("$defs", {}).values()):
        for name, field in part.get("properties", {}).items():
            if name != "type" or "const" not in field:
                part["properties"][name] = _with_interpolation(field)
    report = schema.get("$defs", {}).get("OutputConfig")
    if report is not None:
        report["properties"]["json"] = _or(report["properties"]["json"], _STRING)
    return {"$schema": _DIALECT, "title": title, **{k: v for k, v in schema.items() if k != "title"}}


def _with_interpolation(field: Schema) -> Schema:
    takes_text = field.get("type") == "string" and "pattern" not in field and "enum" not in field
    return field if takes_text else _or(field, _INTERPOLATION)
