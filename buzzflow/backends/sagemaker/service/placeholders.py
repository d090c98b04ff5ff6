"""What of a text is known before the pipeline runs, when `Get`, `Std:Join` and `Std:JsonGet` stand for its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_WORDS = frozenset(("Get", "Std:Join", "Std:JsonGet"))
_MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class KnownText:
    """The certain beginning of a text, and how many characters it has at least; *whole*: there is nothing else."""

    start: str
    length: int
    whole: bool


class MalformedPlaceholder(Exception):
    """A placeholder that SageMaker could not read; *hint* says how it is written."""

    def __init__(self, summary: str, hint: str) -> None:
        self.summary = summary
        self.hint = hint
        super().__init__(summary)


def is_placeholder(value: object) -> bool:
    """Whether *value* stands for something that only a run knows."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _WORDS


def known_text(value: object, depth: int = 0) -> KnownText:
    """Return what is known of a text or placeholder; raise `MalformedPlaceholder` when it is none."""
    if depth > _MAX_DEPTH:
        raise MalformedPlaceholder(
            f"placeholders are nested deeper than {_MAX_DEPTH}", "join the parts in one Std:Join"
        )
    match value:
        case str():
            return KnownText(value, len(value), whole=True)
        case int() if not isinstance(value, bool) and depth:
            return known_text(str(value)) if value.bit_length() < 64 else _UNKNOWN
        case bool() | float() if depth:
            return _UNKNOWN  # how the service spells it is not documented
        case dict() if is_placeholder(value):
            [(word, content)] = value.items()
            return _placeholder(word, content, depth)
        case _:
            raise MalformedPlaceholder("a part is neither a text nor a placeholder", _HINTS["Std:Join"])


def _placeholder(word: str, content: object, depth: int) -> KnownText:
    match word, content:
        case "Get", str():
            return _UNKNOWN
        case "Std:Join", {"Values": [*values], **rest} if _is_separator(rest):
            return _joined(str(rest.get("On", "")), [known_text(v, depth + 1) for v in values])
        case "Std:JsonGet", {"Path": path, **rest} if len(rest) == 1 and rest.keys() <= {"PropertyFile", "S3Uri"}:
            for part in (path, *rest.values()):
                known_text(part, depth + 1)
            return _UNKNOWN
        case _:
            raise MalformedPlaceholder(f"SageMaker cannot read this {word}", _HINTS[word])


def _is_separator(rest: dict[object, object]) -> bool:
    return rest.keys() <= {"On"} and isinstance(rest.get("On", ""), str)


def _joined(separator: str, parts: Sequence[KnownText]) -> KnownText:
    length = sum(p.length for p in parts) + len(separator) * max(0, len(parts) - 1)
    unknown = next((i for i, p in enumerate(parts) if not p.whole), None)
    known = parts if unknown is None else parts[: unknown + 1]
    return KnownText(separator.join(p.start for p in known), length, whole=unknown is None)


_UNKNOWN = KnownText("", 0, whole=False)
_HINTS = {
    "Get": "write {Get: Parameters.name}",
    "Std:Join": "write {Std:Join: {On: '', Values: [text, {Get: Parameters.name}]}}",
    "Std:JsonGet": "write {Std:JsonGet: {PropertyFile: {Get: Steps.name.PropertyFiles.file}, Path: a.b}}",
}
