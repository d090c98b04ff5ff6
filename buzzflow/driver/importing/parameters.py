"""The parameters of a definition, and its experiment, in the language's words."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from buzzflow.backends.sagemaker.importing.references import Vocabulary
from buzzflow.backends.sagemaker.text import Object
from buzzflow.diagnostics import Path
from buzzflow.loader.escapes import escaped

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TYPES = {"String": "string", "Integer": "integer", "Float": "float", "Boolean": "boolean"}
_USUAL = {"ExperimentName": {"Get": "Execution.PipelineName"}, "TrialName": {"Get": "Execution.PipelineExecutionId"}}
_IMPLIED = {"string": str, "integer": int, "float": float, "boolean": bool}


def parameters_of(items: Any, banned: Collection[Path]) -> dict[str, dict[str, Any]]:
    """Return the parameters by name, without what is *banned*; one that the language cannot declare is left out."""
    found: dict[str, dict[str, Any]] = {}
    for item in items if isinstance(items, list) else ():
        name = item.get("Name") if isinstance(item, dict) else None
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name in found or ("parameters", name) in banned:
            continue
        kind = _TYPES.get(str(item.get("Type")))
        if kind is None:
            continue
        default, choices = _value(item.get("DefaultValue")), item.get("EnumValues")
        given = {
            "type": None if type(default) is _IMPLIED[kind] else kind,
            "default": default,
            "choices": [_value(c) for c in choices] if isinstance(choices, list) and choices else None,
        }
        found[name] = {k: v for k, v in given.items() if v is not None and ("parameters", name, k) not in banned}
    return found


def experiment_of(definition: Object, vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the member `experiment`, where the definition names another than everybody has."""
    config = definition.get("PipelineExperimentConfig")
    if not isinstance(config, dict) or config == _USUAL or config.keys() != _USUAL.keys():
        return {}
    name, trial = (vocabulary.text(config[key]) for key in _USUAL)
    if not name or not trial:
        return {}
    return {"experiment": {"name": name, **({} if config["TrialName"] == _USUAL["TrialName"] else {"trial": trial})}}


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return escaped(value) if "${" in value else value
    return value if isinstance(value, bool | int | float) else None
