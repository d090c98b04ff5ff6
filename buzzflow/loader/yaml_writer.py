"""Write data as YAML that `yaml_reader` reads as the same data, in the way in which people write it.

Small things stand on one line, in braces; comments stand above what they are about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from buzzflow.diagnostics import Path
from buzzflow.loader.yaml_reader import BOOL, FLOAT, INT, NULL

WIDTH = 110
COMMENT_WIDTH = 100
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_PLAIN = re.compile(r"[A-Za-z0-9_/.$\\](?:[^\n\t]*[^\s:])?|--?[A-Za-z](?:[^\n\t]*[^\s:])?")
_NOT_PLAIN = re.compile(r": |:$| #|[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|^\d{4}-\d|^\.\.\.")
_FLOW_MARK = re.compile(r"[\[\]{},\"'#?]|:(?![\w/:])")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_WORDS = (NULL, BOOL, INT, FLOAT)
_MANY = 6  # entries that stand on one line


def write_yaml(data: Mapping[str, Any], comments: Mapping[Path, str] | None = None) -> str:
    """Return *data* with *comments* above the keys that they are about."""
    return "".join(f"{line}\n" for line in _Writer(comments or {}).mapping(data, (), 0))


class _Writer:
    def __init__(self, comments: Mapping[Path, str]) -> None:
        self._comments = comments
        self._commented = {path[:end] for path in comments for end in range(len(path))}

    def mapping(self, data: Mapping[str, Any], path: Path, indent: int) -> Iterator[str]:
        space = " " * indent
        for key, value in data.items():
            at = (*path, key)
            yield from self._comment(at, indent)
            yield from self._entry(f"{space}{key_text(key)}:", value, at, indent)

    def _entry(self, start: str, value: Any, path: Path, indent: int) -> Iterator[str]:
        if not isinstance(value, dict | list) or not value:
            yield from self._scalar(start, value, indent)
            return
        line = f"{start} {flow(value)}"
        if len(line) <= WIDTH and _is_small(value) and not self._has_lines(path, value):
            yield line
        elif isinstance(value, dict):
            yield start
            yield from self.mapping(value, path, indent + 2)
        else:
            yield start
            yield from self._items(value, path, indent + 2)

    def _has_lines(self, path: Path, value: Any) -> bool:
        """Whether each key has a line whatever it holds: at the top of a file, in a step, and around a comment."""
        section = len(path) == 1 and isinstance(value, dict)
        step = len(path) > 1 and path[-2] == "steps" and len(path) in (2, 4)
        return section or step or path in self._commented

    def _items(self, items: list[Any], path: Path, indent: int) -> Iterator[str]:
        space = " " * indent
        for i, item in enumerate(items):
            at = (*path, i)
            yield from self._comment(at, indent)
            if isinstance(item, dict) and item and (at in self._commented or len(flow(item)) + indent + 2 > WIDTH):
                first, *rest = self.mapping(item, at, indent + 2)
                yield f"{space}- {first.lstrip()}" if not first.lstrip().startswith("#") else f"{space}-\n{first}"
                yield from rest
            elif isinstance(item, list) and item and len(flow(item)) + indent + 2 > WIDTH:
                yield f"{space}-"
                yield from self._items(item, at, indent + 2)
            else:
                yield from self._scalar(f"{space}-", item, indent)

    def _comment(self, path: Path, indent: int) -> Iterator[str]:
        text = self._comments.get(path)
        if text is None:
            return
        space = " " * indent
        for paragraph in text.split("\n"):
            line = "#"
            for word in paragraph.split():
                if len(line) > 1 and indent + len(line) + len(word) + 1 > COMMENT_WIDTH:
                    yield space + line
                    line = "#"
                line += f" {word}"
            yield space + line

    def _scalar(self, start: str, value: Any, indent: int) -> Iterator[str]:
        if isinstance(value, str) and _is_page(value):
            ending = "" if value.endswith("\n") else "-"
            yield f"{start} |{ending}"
            for line in value.removesuffix("\n").split("\n"):
                yield f"{' ' * (indent + 2)}{line}" if line else ""
        else:
            yield f"{start} {flow(value) if isinstance(value, dict | list) else scalar_text(value)}"


def flow(data: Any) -> str:
    """Return *data* on one line."""
    match data:
        case dict():
            return f"{{{', '.join(f'{key_text(k)}: {flow(v)}' for k, v in data.items())}}}"
        case list():
            return f"[{', '.join(map(flow, data))}]"
        case str():
            return scalar_text(data, in_flow=True)
        case _:
            return scalar_text(data)


def key_text(key: str) -> str:
    """Return *key* as YAML, quoted where YAML would read something else."""
    return key if _KEY.fullmatch(key) and not any(word.fullmatch(key) for word in _WORDS) else _quoted(key)


def scalar_text(value: Any, *, in_flow: bool = False) -> str:
    """Return one value as YAML, quoted where YAML would read something else."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value)
        case str():
            return value if _is_plain(value, in_flow=in_flow) else _quoted(value)
        case _:
            raise TypeError(f"a {type(value).__name__} is no value of YAML")


def _is_plain(text: str, *, in_flow: bool) -> bool:
    if not _PLAIN.fullmatch(text) or _NOT_PLAIN.search(text) or any(word.fullmatch(text) for word in _WORDS):
        return False
    return not (in_flow and _FLOW_MARK.search(text))


def _quoted(text: str) -> str:
    escaped = _ESCAPED.sub(lambda m: f"\\u{ord(m[0]):04x}", json.dumps(text, ensure_ascii=False))
    if "\\" not in escaped or "\n" in text or _ESCAPED.search(text) or re.search("[\x00-\x1f]", text):
        return escaped
    return "'" + text.replace("'", "''") + "'"


def _is_small(data: Any) -> bool:
    """Whether *data* is read well on one line."""
    if isinstance(data, dict):
        inner = [value for value in data.values() if isinstance(value, dict | list) and value]
        return len(data) <= _MANY and all(_is_flat(value) for value in inner)
    return all(not isinstance(item, dict | list) or _is_flat(item) for item in data)


def _is_flat(data: Any) -> bool:
    values = data.values() if isinstance(data, dict) else data
    return not any(isinstance(value, dict | list) and value for value in values)


def _is_page(text: str) -> bool:
    """Whether *text* has lines that a block shows as they are."""
    if "\n" not in text.removesuffix("\n") or text.endswith("\n\n") or text[:1] in " \n":
        return False
    lines = text.split("\n")
    return not any(line != line.rstrip() or re.search(r"[\x00-\x1f]", line) or _ESCAPED.search(line) for line in lines)
