"""Write the placeholders of a definition as references: `{"Get": "Parameters.p"}` is `${param:p}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from buzzflow.backends.sagemaker.patch import is_reference
from buzzflow.backends.sagemaker.properties import output_path, word_of
from buzzflow.backends.sagemaker.semantics import normal, parts_of
from buzzflow.backends.sagemaker.service.describe import UnknownPath, describe_path
from buzzflow.backends.sagemaker.text import RUN_FIELDS, property_text
from buzzflow.backends.sagemaker.verify import RESPONSES
from buzzflow.loader.escapes import escaped

_RUN = {theirs: ours for ours, theirs in RUN_FIELDS.items()}
_PLAIN = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_TYPED_WORD = re.compile(r"(?:true|false|null|nan|inf)", re.IGNORECASE)
_PART = re.compile(r"""\.?([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]|\['([^']*)'\]""")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_WITHOUT_PROPERTIES = frozenset(("condition", "fail", "cleanup"))


@dataclass(frozen=True, slots=True)
class Offer:
    """What one step of the YAML gives to references; *inside* is the foreach step that runs it."""

    type: str
    outputs: frozenset[str] = frozenset()
    reports: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()
    inside: str | None = None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What references of a pipeline can name. *inside* is the foreach step in whose body they stand.

    An *opaque* one names nothing: every placeholder stays as it is.
    """

    parameters: frozenset[str] = frozenset()
    steps: Mapping[str, Offer] = field(default_factory=dict)
    inside: str | None = None
    opaque: bool = False

    def text(self, value: Any) -> str | None:
        """Return the text that a literal or a placeholder is written as; None where there is none."""
        if isinstance(value, str):
            return escaped(value) if "${" in value else value
        if not is_reference(value):
            return None
        parts = parts_of(value)
        if "Std:Join" in value and len(parts) == 1 and not isinstance(parts[0], str):
            return None  # a text of one reference: alone, it would be that reference
        found = ""
        for i, part in enumerate(parts):
            if isinstance(part, str):
                found += escaped(part, before_reference=i + 1 < len(parts))
            elif (written := self.reference(part)) is None:
                return None
            else:
                found += written
        return found

    def reference(self, value: Any) -> str | None:
        """Return `${…}` for a `Get` or `Std:JsonGet`; None where the language has no word for it."""
        if self.opaque:
            return None
        match normal(value):
            case {"Get": str(path)}:
                return self._get(path)
            case {"Std:JsonGet": {"PropertyFile": {"Get": str(file)}, "Path": str(path), **more}} if not more:
                return self._json(file, path)
            case {"Std:JsonGet": {"S3Uri": str(uri), "Path": str(path), **more}} if not more:
                return self._stored_json(uri, path)
            case _:
                return None

    def _get(self, path: str) -> str | None:
        head, _, rest = path.partition(".")
        match head:
            case "Parameters" if rest in self.parameters:
                return _written("param", rest)
            case "Execution" if rest in _RUN:
                return _written("run", _RUN[rest])
            case "Steps":
                name, _, tail = rest.partition(".")
                return self._of_step(name, tail)
            case "ForEach" if self.inside is not None and (rest == "CurrentItem" or rest.startswith("CurrentItem.")):
                item = rest.removeprefix("CurrentItem").removeprefix(".")
                return "${each:}" if not item else _written("each", item) if _PLAIN.fullmatch(item) else None
            case _:
                return None

    def _offer(self, name: str) -> Offer | None:
        offer = self.steps.get(name)
        return None if offer is None or offer.inside not in (None, self.inside) else offer

    def _of_step(self, name: str, path: str) -> str | None:
        offer = self._offer(name)
        if offer is None:
            return None
        for output in offer.outputs:
            if output_path(offer.type, output) == path:
                return _written("step", f"{name}.outputs.{output}")
        for metric in offer.metrics:
            if path == f"FinalMetricDataList['{metric}'].Value" and _NAME.fullmatch(metric):
                return _written("step", f"{name}.metrics.{metric}")
        if (word := word_of(offer.type, path)) is not None:
            return _written("step", f"{name}.{word}")
        parts = None if offer.type in _WITHOUT_PROPERTIES else _parts(path)
        if parts is None or not _is_told(offer.type, parts):
            return None
        return _written("step", f"{name}.properties{_dotted(parts)}")

    def _json(self, file: str, path: str) -> str | None:
        match = re.fullmatch(r"Steps\.([^.]+)\.PropertyFiles\.(.+)", file)
        offer = self._offer(match[1]) if match else None
        parts = _parts(path)
        if match is None or offer is None or match[2] not in offer.reports or parts is None:
            return None
        longer = [r for r in offer.reports if r != match[2] and f"{match[2]}{_dotted(parts)}".startswith(f"{r}.")]
        return None if longer else _written("json", f"{match[1]}.{match[2]}{_dotted(parts)}")

    def _stored_json(self, uri: str, path: str) -> str | None:
        parts = _parts(path)
        if parts is None or "'" in f"{uri}{path}" or "$" in uri or "\\" in uri:
            return None
        return f"${{json:'{uri}','{_dotted(parts)[1:]}'}}"


def _is_told(step_type: str, parts: tuple[str, ...]) -> bool:
    """Whether the service says something at that path of a step, as far as its model is known."""
    response = RESPONSES.get(step_type)
    try:
        return response is None or bool(describe_path(response, parts) or True)
    except UnknownPath:
        return False


def _parts(path: str) -> tuple[str, ...] | None:
    """Return the parts of `a.b[0]['c d']`; None where the language would spell it in another way."""
    parts, end = [], 0
    for match in _PART.finditer(path):
        if match.start() != end:
            return None
        parts.append(next(group for group in match.groups() if group is not None))
        end = match.end()
    return tuple(parts) if parts and end == len(path) and property_text(tuple(parts)) == path else None


def _dotted(parts: tuple[str, ...]) -> str:
    return "".join(f".{part}" if _NAME.fullmatch(part) else f'["{part}"]' for part in parts)


def _written(form: str, argument: str) -> str | None:
    if _PLAIN.fullmatch(argument) and not _TYPED_WORD.match(argument):
        return f"${{{form}:{argument}}}"
    return None if "'" in argument or "\\" in argument or "${" in argument else f"${{{form}:'{argument}'}}"
