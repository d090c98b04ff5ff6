"""Plan what an editor needs to know a pipeline.yaml: the schemas, and VS Code's settings that point at them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.loader.files import shown

EXTENSION = "redhat.vscode-yaml"
GLOBS = {
    "pipeline": ("pipeline.yaml", "*.pipeline.yaml", "pipeline.local.yaml", "*.pipeline.local.yaml"),
    "environment": ("environment.yaml",),
}
_SETTINGS, _EXTENSIONS = ".vscode/settings.json", ".vscode/extensions.json"
_INDENT = re.compile(r'\A\s*\{[ \t]*\r?\n([ \t]+)"')
Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EditorPlan:
    """The files to write by their paths in the repository, what to tell of each, and those that people must edit."""

    files: Mapping[str, bytes]
    told: tuple[str, ...]
    problems: tuple[Diagnostic, ...]


def schema_text(name: str) -> str:
    """Return the JSON Schema of a `pipeline` or an `environment` file, as it is committed."""
    from buzzflow.config.schema import environment_schema, pipeline_schema

    schema = {"pipeline": pipeline_schema, "environment": environment_schema}[name]()
    return json.dumps(schema, indent=2) + "\n"


def plan_editor(root: Path) -> EditorPlan:
    """Return what is missing or stale in the repository *root*; nothing is written yet."""
    files: dict[str, bytes] = {}
    told: list[str] = []
    problems: list[Diagnostic] = []
    for name in GLOBS:
        path, text = f"schemas/{name}.schema.json", schema_text(name).encode()
        if (root / path).parent.is_symlink():
            what = f"{shown(root / path)} is left as it is: its folder is a link"
            problems.append(Diagnostic("BF145", what, hint="put a folder of the repository there"))
            continue
        before = _content(root / path)
        if before != text:
            files[path] = text
            told.append(f"{path}: {'written' if before is None else 'brought up to date'}")
    base = "projects/**/" if (root / "projects").is_dir() else "**/"
    where = f"yaml.schemas for the pipelines {'below projects' if base != '**/' else 'of this folder'}"
    wanted = {f"./schemas/{name}.schema.json": [base + glob for glob in globs] for name, globs in GLOBS.items()}
    for path, change, by_hand, what in (
        (_SETTINGS, lambda data: _with_schemas(data, wanted), {"yaml.schemas": wanted}, where),
        (_EXTENSIONS, _with_extension, {"recommendations": [EXTENSION]}, f"recommends {EXTENSION}"),
    ):
        try:
            content = _edited(root / path, change, by_hand)
        except PipelineError as e:
            problems += e.diagnostics
            continue
        if content is not None:
            files[path] = content
            told.append(f"{path}: {what}")
    return EditorPlan(files, tuple(told), tuple(problems))


class _NotEditable(Exception):
    """Why a file is left to people."""


def _edited(file: Path, change: Callable[[Data], Data], by_hand: Data) -> bytes | None:
    """Return the new content of a JSON file, or None when it needs none.

    VS Code also reads comments and trailing commas. What Python's reader refuses or would lose is left to people.
    """
    before = _content(file)
    try:
        text, data = _parsed(file, before or b"{}")
        after = change(data)
    except _NotEditable as e:
        if before is not None and all(json.dumps(word).encode() in before for word in _words(by_hand)):
            return None  # people have done it
        lines = json.dumps(by_hand, indent=2).splitlines()[1:-1]
        hint = "add these lines by hand:\n" + "\n".join(lines)
        raise PipelineError([Diagnostic("BF145", f"{shown(file)} is left as it is: {e}", hint=hint)]) from None
    if after == data and before is not None:
        return None
    found = _INDENT.match(text)
    return (json.dumps(after, indent=found[1] if found else 2, ensure_ascii=False) + "\n").encode()


def _parsed(file: Path, content: bytes) -> tuple[str, Data]:
    if file.is_symlink() or file.parent.is_symlink():
        raise _NotEditable("it is a link, or in a folder that is one")
    try:
        text = content.decode("utf-8-sig")
        data = json.loads(text, object_pairs_hook=_unique) if text.strip() else {}
    except ValueError as e:
        raise _NotEditable(f"it is no plain JSON ({e}); perhaps it has comments or trailing commas") from None
    return text, _mapping(data, "it")


def _unique(pairs: list[tuple[str, Any]]) -> Data:
    if len(data := dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return data


def _mapping(value: Any, what: str) -> Data:
    if not isinstance(value, dict):
        raise _NotEditable(f"{what} is no mapping")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise _NotEditable(f"{what} is no list")
    return value


def _words(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for key, item in value.items():
                yield key
                yield from _words(item)
        case list():
            yield from value


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes() if file.exists() else None
    except OSError as e:
        raise PipelineError([Diagnostic("BF142", f"cannot read {shown(file)}: {e.strerror}")]) from None


def _with_schemas(data: Data, wanted: Mapping[str, list[str]]) -> Data:
    schemas = _mapping(data.get("yaml.schemas", {}), "yaml.schemas")
    added = {}
    for schema, globs in wanted.items():
        given = schemas.get(schema, [])
        there = _list([given] if isinstance(given, str) else given, f"yaml.schemas: {schema}")
        more = [glob for glob in globs if glob not in there]
        added[schema] = [*there, *more] if more else given  # a single glob may be plain text, and stays so
    return {**data, "yaml.schemas": {**schemas, **added}}


def _with_extension(data: Data) -> Data:
    there = _list(data.get("recommendations", []), "recommendations")
    if EXTENSION in [*there, *_list(data.get("unwantedRecommendations", []), "unwantedRecommendations")]:
        return data
    return {**data, "recommendations": [*there, EXTENSION]}
