"""Write the values of proposed fields as YAML has them; what cannot be written is left out."""

from __future__ import annotations

import json
import math
import re
from typing import Any, assert_never

from buzzflow.backends.sagemaker.importing.conditions import condition_texts
from buzzflow.backends.sagemaker.importing.references import Vocabulary
from buzzflow.backends.sagemaker.importing.said import Said
from buzzflow.backends.sagemaker.patch import is_reference
from buzzflow.loader.escapes import escaped

_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})|-?(?:0|[1-9]\d{0,9})\.\d{1,9}")
_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"))
_NOTHING = object()


def rendered(fields: Any, vocabulary: Vocabulary) -> Any:
    """Return *fields* as plain data. A list in which one item cannot be written goes as a whole."""
    found = _rendered(fields, vocabulary)
    return None if found is _NOTHING else found


def _rendered(data: Any, vocabulary: Vocabulary) -> Any:
    match data:
        case Said():
            return _value(data, vocabulary)
        case dict():
            found = {key: _rendered(value, vocabulary) for key, value in data.items()}
            return {key: value for key, value in found.items() if value is not _NOTHING}
        case list():
            items = [_rendered(item, vocabulary) for item in data]
            return _NOTHING if any(item is _NOTHING for item in items) else items
        case _:
            return data


def _value(said: Said, vocabulary: Vocabulary) -> Any:
    value = said.value
    found: Any
    match said.kind:
        case "text":
            found = vocabulary.text(value)
        case "scalar":
            found = scalar(value) if isinstance(value, str) else vocabulary.text(value)
        case "literal":
            found = vocabulary.text(value) if isinstance(value, str) else None
        case "number":
            found = _whole(value) if isinstance(value, int | float) else vocabulary.reference(value)
        case "boolean":
            found = value if isinstance(value, bool) else vocabulary.reference(value)
        case "duration":
            found = _duration(value) if isinstance(value, int | float) else vocabulary.reference(value)
        case "tree":
            return tree(value, vocabulary)
        case "conditions":
            found = condition_texts(value, vocabulary.reference, lambda text: escaped(text, before_reference=False))
        case _:
            assert_never(said.kind)
    return _NOTHING if found is None else found


def tree(value: Any, vocabulary: Vocabulary) -> Any:
    """Return a part in the service's words; a placeholder without words in the language stays as it is."""
    if is_reference(value):
        written = vocabulary.text(value) if "Std:Join" in value else vocabulary.reference(value)
        if written is not None:
            return written
    match value:
        case dict():
            return {key: tree(inner, vocabulary) for key, inner in value.items()}
        case list():
            return [tree(inner, vocabulary) for inner in value]
        case str():
            return escaped(value) if "${" in value else value
        case _:
            return value


def scalar(text: str) -> Any:
    """Return the number, truth value, list or mapping that becomes *text* again, else the text itself."""
    if text in ("true", "false"):
        return text == "true"
    if _NUMBER.fullmatch(text):
        number = float(text) if "." in text else int(text)
        return number if str(number) == text else text
    return escaped(text) if "${" in text else text


def structured(text: str) -> Any:
    """Return the list or mapping that a hyperparameter's JSON text says, None where it would be spelled otherwise."""
    if text[:1] not in "[{" or "${" in text:
        return None
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return None
    plain = isinstance(read, dict | list) and read and json.dumps(read) == text and _is_plain(read)
    return read if plain else None


def _is_plain(data: Any) -> bool:
    """Whether every value in *data* comes back from YAML as it is."""
    match data:
        case dict():
            return all(map(_is_plain, data.values()))
        case list():
            return all(map(_is_plain, data))
        case str():
            return data != "???"
        case bool() | int() | None:
            return True
        case _:
            return isinstance(data, float) and math.isfinite(data)


def _whole(number: float) -> int | None:
    if isinstance(number, bool) or number != int(number):
        return None
    return int(number)


def _duration(seconds: float) -> str | None:
    whole = _whole(seconds) if math.isfinite(seconds) else None
    if whole is None or whole < 0:
        return None
    for size, unit in _UNITS:
        if whole and whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"
