"""Values of a definition on their way to YAML: each stands in a field that takes one kind of value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "scalar", "number", "boolean", "duration", "literal", "tree", "conditions"]
Fields = dict[str, Any]  # of a step in YAML, with `Said` where a definition's value goes


@dataclass(frozen=True, slots=True)
class Said:
    """A value in the words of the definition, for a field that takes *kind*; a *scalar* is text that may be a number.

    *literal* is text that must be known before a run.
    """

    value: Any
    kind: Kind


def at(data: Any, *path: str) -> Any:
    """Return what stands at *path*, None where nothing does."""
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def objects(data: Any) -> list[dict[str, Any]] | None:
    """Return a list of objects, None where *data* is something else or empty."""
    return data if isinstance(data, list) and data and all(isinstance(item, dict) for item in data) else None


def said(value: Any, kind: Kind, *, default: Any = None) -> Said | None:
    """Return the value of a field, None where it has none or the one that is the default."""
    if value is None or (type(value) is type(default) and value == default):
        return None
    return Said(value, kind)


def every(values: Any, kind: Kind) -> list[Said] | None:
    """Return a list of values, None where there is none."""
    return [Said(v, kind) for v in values] if isinstance(values, list) and values else None


def pairs(values: Any, kind: Kind) -> Fields | None:
    """Return a mapping of values, None where there is none."""
    return {k: Said(v, kind) for k, v in values.items()} if isinstance(values, dict) and values else None


def word(value: Any, words: Mapping[str, str], *, default: str | None = None) -> str | None:
    """Return our word for one of the service's, None for the default and for one that we have not."""
    found = words.get(value) if isinstance(value, str) else None
    return None if found == default else found


def given(**fields: Any) -> Fields:
    """Return the fields that have a value; `from_` is `from`."""
    return {name.rstrip("_"): value for name, value in fields.items() if value is not None and value != {}}


def by_name(items: Any, key: str) -> dict[str, dict[str, Any]] | None:
    """Return objects by the name that each has in *key*; None where one has none, or that of another."""
    found = {item[key]: item for item in objects(items) or () if isinstance(item.get(key), str)}
    return found if found and len(found) == len(items) else None


def inverse(words: Mapping[str, str]) -> dict[str, str]:
    """Return the table of the service's words to ours."""
    return {theirs: ours for ours, theirs in words.items()}
