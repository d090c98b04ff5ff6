"""The kinds of values that fields hold: text, numbers and durations, where allowed with references in them."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError, core_schema

from buzzflow.template import Template

_REFERENCE_SCHEMA = {"type": "string", "pattern": r"\$\{.+\}"}
_DURATION = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,9})?[smhdw]){1,5}")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Config(BaseModel):
    """What the models share: an unknown key is an error, and a model never changes.

    Its validator is built when it is first needed, with those of all models in it: each for itself takes twice as long.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, populate_by_name=True, defer_build=True
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_nothing(cls, data: Any) -> Any:
        """Drop the nulls of known fields; one of an unknown field stays, and is told."""
        if not isinstance(data, dict) or None not in data.values():
            return data
        known = {name for n, f in cls.model_fields.items() for name in (n, f.alias)}
        return {k: v for k, v in data.items() if v is not None or k not in known}


def refuse(wanted: str, value: Any) -> PydanticCustomError:
    """Say what stands there instead of *wanted*; the parse stage adds how it is written in the file."""
    return PydanticCustomError(
        "wrong_kind", "{wanted} is wanted here, not {found}", {"wanted": wanted, "found": _kind(value)}
    )


def _kind(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the truth value {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {value!r}" if len(value) <= 40 else "a text"
        case Template(only=reference) if reference is not None:
            return f"the reference {reference}"
        case Template():
            return "text with references in it"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return type(value).__name__


def _literal(value: Any) -> str:
    if isinstance(value, Template):
        raise PydanticCustomError(
            "too_late",
            "this must be known before the pipeline runs: it takes no {reference}",
            {"reference": str(next(part for part in value.parts if not isinstance(part, str)))},
        )
    if not isinstance(value, str):
        raise refuse("text", value)
    if not value:
        raise PydanticCustomError("empty_text", "an empty text stands here")
    return value


def _text(value: Any) -> str | Template:
    return value if isinstance(value, Template) else _literal(value)


def _may_be_empty(value: Any) -> str | Template:
    return value if isinstance(value, str) else _text(value)


def scalar_text(value: Any) -> str | Template:
    """Accept numbers and truth values where text is wanted in the end, written the way JSON writes them."""
    match value:
        case Template() | str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            raise refuse("text, a number or a truth value", value)


def _hyperparameter(value: Any) -> str | Template:
    """Accept lists and mappings too: they become JSON, as the service's own algorithms and SDK write them."""
    if not isinstance(value, dict | list):
        return scalar_text(value)
    try:
        return json.dumps(value)
    except TypeError:
        raise PydanticCustomError(
            "too_late",
            "a list or mapping must be known before the pipeline runs: it takes no {reference}",
            {"reference": "reference"},
        ) from None


def _integer(value: Any) -> int:
    if isinstance(value, Template):
        return _literal(value)  # type: ignore[return-value]  # always raises
    if isinstance(value, bool) or not isinstance(value, int):
        raise refuse("a whole number", value)
    return value


def _integer_or_reference(value: Any) -> int | Template:
    if isinstance(value, Template):
        if value.only is None:
            raise refuse("a whole number", value)
        return value
    return _integer(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse("a number", value)
    return float(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise refuse("true or false", value)
    return value


def _boolean_or_reference(value: Any) -> bool | Template:
    return value if isinstance(value, Template) and value.only is not None else _boolean(value)


def _duration(value: Any) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool):
        hint = f"{value}s"
        raise PydanticCustomError("no_unit", "a duration needs a unit: {hint} for seconds", {"hint": hint})
    if not isinstance(value, str | Template):
        raise refuse("a duration such as 90s, 15m or 2h", value)
    text = _literal(value)
    if not _DURATION.fullmatch(text):
        raise PydanticCustomError(
            "bad_duration", "{text} is not a duration: write 90s, 15m, 2h, 30d or 1h30m", {"text": repr(text)}
        )
    return round(sum(float(n) * _SECONDS[unit] for n, unit in _DURATION_PART.findall(text)))


def _duration_or_reference(value: Any) -> int | Template:
    return value if isinstance(value, Template) and value.only is not None else _duration(value)


def _word(value: Any) -> Any:
    """Enum words are lower case; the service's own spelling (`FastFile`) is accepted too."""
    if not isinstance(value, str):
        return value
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", value).lower()


class _Word:
    """An enum word: lower case here, the service's own spellings in the schema, too."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(_word, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        found = handler(schema)
        words = found.get("enum") or [found.pop("const")]
        services = ["".join(part.capitalize() for part in word.split("_")) for word in words]
        return {**found, "enum": [*dict.fromkeys([*words, *services, *(word.upper() for word in words)])]}


Word = _Word()

# text that must be known before the run
Literally = Annotated[str, BeforeValidator(_literal), WithJsonSchema({"type": "string", "minLength": 1})]
# text that may hold references
Text = Annotated[str | Template, BeforeValidator(_text), WithJsonSchema({"type": "string", "minLength": 1})]
# the same, and it may be empty
OptionalText = Annotated[str | Template, BeforeValidator(_may_be_empty), WithJsonSchema({"type": "string"})]
# text in the end, for which a number or truth value may stand in the YAML
ScalarText = Annotated[
    str | Template, BeforeValidator(scalar_text), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
# the same, and a list or mapping may stand there
HyperparameterText = Annotated[
    str | Template,
    BeforeValidator(_hyperparameter),
    WithJsonSchema({"type": ["string", "number", "boolean", "array", "object"]}),
]
Integer = Annotated[int, BeforeValidator(_integer), WithJsonSchema({"type": "integer"})]
IntegerOrReference = Annotated[
    int | Template,
    BeforeValidator(_integer_or_reference),
    WithJsonSchema({"anyOf": [{"type": "integer"}, _REFERENCE_SCHEMA]}),
]
Number = Annotated[float, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
Boolean = Annotated[bool, BeforeValidator(_boolean), WithJsonSchema({"type": "boolean"})]
BooleanOrReference = Annotated[
    bool | Template,
    BeforeValidator(_boolean_or_reference),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, _REFERENCE_SCHEMA]}),
]
_DURATION_SCHEMA = {
    "type": "string",
    "pattern": r"^(\d+(\.\d+)?[smhdw])+$|\$\{",
    "examples": ["90s", "15m", "2h", "30d"],
}
Duration = Annotated[int, BeforeValidator(_duration), WithJsonSchema(_DURATION_SCHEMA)]
DurationOrReference = Annotated[
    int | Template, BeforeValidator(_duration_or_reference), WithJsonSchema(_DURATION_SCHEMA)
]
InputMode = Annotated[Literal["file", "fast_file", "pipe"], Word]
