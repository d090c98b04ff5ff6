"""Fill the placeholders of a SQL template: `{name}`, `{name:literal}`, `{name:identifier}`."""

from __future__ import annotations

import datetime
import difflib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

__all__ = ["QueryTemplateError", "fill"]

_FIELD = r"([A-Za-z_][A-Za-z0-9_]*)(?::([A-Za-z_]\w*))?"
# The doubled form comes first: at the same place it is an escape, not a placeholder in braces.
_PLACEHOLDER = re.compile(r"\{\{(" + _FIELD + r")\}\}|\{" + _FIELD + r"\}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_$-]+(\.[A-Za-z0-9_$-]+)*")
_FORMATS = ("literal", "identifier")


class QueryTemplateError(ValueError):
    """A template and its values do not fit together; the message names every place, and no value."""


def fill(template: str, values: Mapping[str, Any], file: str) -> str:
    """Return *template* with its placeholders replaced in one pass: what a value brings along is never expanded.

    Raises one `QueryTemplateError` for all that is wrong, with the lines of *file*.
    """
    problems: list[str] = []
    names: set[str] = set()

    def replacement(match: re.Match[str]) -> str:
        escaped, _, _, name, form = match.groups()
        if escaped:
            return "{" + str(escaped) + "}"
        names.add(name)
        try:
            return _filled(name, form, values)
        except QueryTemplateError as e:
            line = template.count("\n", 0, match.start()) + 1
            column = match.start() - template.rfind("\n", 0, match.start())
            problems.append(f"{file}:{line}:{column}: {e}")
            return ""

    text = _PLACEHOLDER.sub(replacement, template)
    problems += _unused(values, names, file)
    if problems:
        raise QueryTemplateError("\n".join(problems))
    return text


def _filled(name: str, form: str | None, values: Mapping[str, Any]) -> str:
    if form is not None and form not in _FORMATS:
        raise QueryTemplateError(
            f"{{{name}:{form}}} is neither {{{name}}} nor {{{name}:literal}} nor {{{name}:identifier}}"
            f"{_close(form, _FORMATS)} ({{{{{name}:{form}}}}} keeps the text as it stands)"
        )
    if name not in values:
        raise QueryTemplateError(f"{{{name}}} has no value{_close(name, values)}")
    try:
        return {None: _raw, "literal": _literal, "identifier": _identifier}[form](values[name])
    except (TypeError, ValueError) as e:
        raise QueryTemplateError(f"the value of {{{name}}} {e}") from None


def _unused(values: Mapping[str, Any], names: set[str], file: str) -> Iterator[str]:
    for name in values:
        if name not in names:
            yield f"{file}: a value for {name!r} is given, but the query has no {{{name}}}{_close(name, names)}"


def _close(word: str, known: Iterable[str]) -> str:
    return "".join(f"; did you mean {close!r}?" for close in difflib.get_close_matches(word, sorted(known), 1))


def _raw(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return _literal(value)
    if value is None:
        raise TypeError("is None; the form :literal writes it as NULL")
    return _unquoted(value)


def _literal(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        if not value:
            raise ValueError("is an empty list, and `IN ()` is no SQL")
        return ", ".join(map(_literal, value))
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    text = _unquoted(value)
    if isinstance(value, datetime.datetime):
        return f"TIMESTAMP '{text}'"
    if isinstance(value, datetime.date):
        return f"DATE '{text}'"
    return f"DECIMAL '{text}'" if isinstance(value, Decimal) else text


def _identifier(value: Any) -> str:
    if isinstance(value, (list, tuple)) and value:
        return ", ".join(map(_identifier, value))
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise ValueError("is no identifier: letters, digits, _, $ and -, and dots between names")
    return ".".join(f'"{part}"' for part in value.split("."))


def _unquoted(value: Any) -> str:
    """Return the text of a number, a boolean or a date; numpy's and pandas' scalars are among them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, datetime.date):
        if value != value:  # noqa: PLR0124  (pandas' NaT is a datetime)
            raise ValueError("is no date")
        return value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
    if isinstance(value, (Real, Decimal)):
        if not math.isfinite(value):
            raise ValueError("is no finite number")
        return format(value, "f") if isinstance(value, Decimal) else repr(float(value))
    raise TypeError(f"has the type {type(value).__name__}, which has no form in SQL")
