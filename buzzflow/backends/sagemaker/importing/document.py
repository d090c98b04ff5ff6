"""Read what people keep a definition in: its JSON, the answer of DescribePipeline, a text in a text, a Python repr."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from buzzflow.backends.sagemaker.text import Object
from buzzflow.diagnostics import Diagnostic, Path, PipelineError, Severity, Span

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 200
MAX_WRAPPED = 4  # texts in texts
MAX_DIGITS = 19  # of a whole number in YAML
_UNWRITABLE = re.compile("[\ue000-\uf8ff\ud800-\udfff]")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Document:
    """A definition, what the service says of its pipeline beside it, and what looked wrong on the way."""

    definition: Object
    name: str | None = None
    description: str | None = None
    parallelism: int | None = None
    warnings: tuple[Diagnostic, ...] = field(default=())


def read_document(content: bytes, file: str) -> Document:
    """Return the definition in *content*; PipelineError says why there is none, with the line in *file*."""
    if len(content) > MAX_BYTES:
        _refuse("BF655", f"{file} is larger than {MAX_BYTES // 1024 // 1024} MiB", "the service takes 1 MiB")
    return _unwrapped(_text(content, file), file)


def document_of(data: Any, file: str, warnings: tuple[Diagnostic, ...] = ()) -> Document:
    """Return *data* as a definition; PipelineError says why it is none, or holds what YAML cannot say."""
    if not isinstance(data, dict) or not isinstance(data.get("Steps"), list):
        hint = "a definition is a JSON object with Version, Parameters and Steps"
        _refuse("BF651", f"{file} holds no pipeline definition", hint)
    if problems := [*_unwritable(data)]:
        raise PipelineError(problems)
    return Document(data, warnings=warnings)


def _text(content: bytes, file: str) -> str:
    if content.startswith(_UTF_16):
        _refuse("BF650", f"{file} is UTF-16", "save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = content.count(b"\n", 0, e.start) + 1
        place = Span(file, line, e.start - content.rfind(b"\n", 0, e.start))
        _refuse("BF650", f"byte {e.start + 1} is no UTF-8: 0x{content[e.start]:02x}", "save it as UTF-8", place)


def _unwrapped(text: str, file: str) -> Document:
    warnings: list[Diagnostic] = []
    about: dict[str, Any] = {}
    data: Any = text
    for depth in range(MAX_WRAPPED + 1):
        if isinstance(data, str):
            if depth > 0:
                warnings.append(_odd(f"{file} holds its definition as a JSON text inside of another"))
            data, told = _parsed(data, file, warned=bool(warnings))
            warnings += told
        elif isinstance(data, dict) and "PipelineDefinition" in data and "Steps" not in data:
            about = data
            data = data["PipelineDefinition"]
            if isinstance(data, str):
                data, told = _parsed(data, file, warned=bool(warnings))
                warnings += told
        else:
            break
    _refuse_deep(data, file)
    found = document_of(data, file, tuple(warnings))
    limits = about.get("ParallelismConfiguration")
    parallelism = limits.get("MaxParallelExecutionSteps") if isinstance(limits, dict) else None
    name, description = about.get("PipelineName"), about.get("PipelineDescription")
    return replace(
        found,
        name=name if isinstance(name, str) else None,
        description=description if isinstance(description, str) and description else None,
        parallelism=parallelism if isinstance(parallelism, int) else None,
    )


def _parsed(text: str, file: str, *, warned: bool) -> tuple[Any, list[Diagnostic]]:
    """Return what *text* says, as JSON or else as a literal of Python, and what is odd about it."""
    try:
        return json.loads(text, parse_constant=_no_number), []
    except _NoNumberError as e:
        at = text.find(str(e))
        _refuse("BF650", f"{e} is no number of JSON", "mend the definition", _place(text, at, file))
    except json.JSONDecodeError as e:
        if (literal := _literal(text)) is not None:
            told = [] if warned else [_odd(f"{file} is no JSON, but what Python prints of a definition")]
            return literal, told
        what = f"this is no JSON: {e.msg[:1].lower()}{e.msg[1:]}"
        _refuse("BF650", what, None, Span(file, e.lineno, e.colno))
    except RecursionError:
        _refuse_depth(file)
    except ValueError as e:  # a number of thousands of digits
        _refuse("BF650", f"this is no JSON: {str(e).partition(';')[0]}", None)


class _NoNumberError(Exception):
    """NaN or Infinity, which JSON does not have."""


def _no_number(text: str) -> NoReturn:
    raise _NoNumberError(text)


def _literal(text: str) -> Any:
    """Return the value of a literal of Python, None where *text* is none; nothing is executed."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return _as_json(ast.literal_eval(text.strip()))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _as_json(data: Any) -> Any:
    match data:
        case dict():
            return {str(key): _as_json(value) for key, value in data.items()}
        case list() | tuple():
            return [_as_json(item) for item in data]
        case str() | bool() | int() | float() | None:
            return data
        case _:
            raise ValueError(type(data).__name__)


# ------------------------------------------------------------------ what YAML cannot say


def _refuse_deep(data: Any, file: str) -> None:
    level = [data]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    _refuse_depth(file)


def _children(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return [*item.values()]
    return item if isinstance(item, list) else []


def _unwritable(data: Any, path: Path = ()) -> Iterator[Diagnostic]:
    match data:
        case dict():
            for key, value in data.items():
                yield from _unwritable(key, (*path, key))
                yield from _unwritable(value, (*path, key))
        case list():
            for i, item in enumerate(data):
                yield from _unwritable(item, (*path, i))
        case str():
            if found := _UNWRITABLE.search(data):
                what = f"character U+{ord(found[0]):04X} cannot stand in a pipeline.yaml"
                yield Diagnostic("BF654", what, path, "it has no meaning that two programs share: mend the definition")
            elif data == "???":
                hint = "in a pipeline.yaml ??? is a value that is missing: mend the definition"
                yield Diagnostic("BF654", "the text ??? cannot stand in a pipeline.yaml", path, hint)
        case bool():
            pass
        case int() if len(str(abs(data))) > MAX_DIGITS:
            yield Diagnostic("BF654", f"a number of {len(str(abs(data)))} digits cannot stand in a pipeline.yaml", path)
        case float() if not math.isfinite(data):
            yield Diagnostic("BF654", "a number without end cannot stand in a pipeline.yaml", path)


def _odd(what: str) -> Diagnostic:
    hint = "it is read all the same; keep definitions as JSON"
    return Diagnostic("BF652", what, hint=hint, severity=Severity.WARNING)


def _refuse_depth(file: str) -> NoReturn:
    _refuse("BF655", f"{file} is nested deeper than {MAX_DEPTH} levels", None)


def _place(text: str, at: int, file: str) -> Span:
    return Span(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _refuse(code: str, what: str, hint: str | None, span: Span | None = None) -> NoReturn:
    raise PipelineError([Diagnostic(code, what, hint=hint, span=span)])
