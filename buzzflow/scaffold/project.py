"""Plan a new project: the files of a template under the project's own name, and what stands in their way."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from buzzflow.diagnostics import Diagnostic, PipelineError, did_you_mean
from buzzflow.loader.files import PIPELINE, find_root, shown

TEMPLATES: Mapping[str, str] = {
    "minimal": "two steps in plain Python",
    "sklearn": "train, evaluate, and a gate, with scikit-learn",
    "xgboost": "train, evaluate, and a gate, with XGBoost",
    "pytorch": "train, evaluate, and a gate, with PyTorch",
    "batch-transform": "train, and score a folder of files",
}
_FOLDER = Path(__file__).with_name("templates")
_NAME = re.compile(r"[A-Za-z0-9](?:-*[A-Za-z0-9]){0,255}")  # of a pipeline, here and on SageMaker
_ENVIRONMENT = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_READ_AS_TEXT = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z][A-Za-z-]*[A-Za-z0-9-]*", re.IGNORECASE)
_SCHEMA = Path("schemas", "pipeline.schema.json")
_NAMED = 6


def projects_folder(here: Path) -> Path | None:
    """Return the folder `projects` of the repository that *here* lies in, if it has one."""
    folder = find_root(here / PIPELINE) / "projects"
    return folder if folder.is_dir() else None


def plan_project(
    folder: Path, template: str, *, name: str | None = None, environment: str | None = None, force: bool = False
) -> dict[str, bytes]:
    """Return the content of each file by its path in *folder*.

    PipelineError tells every bad name, or what stands in *folder*: anything at all, with *force* what cannot be
    overwritten. *environment* is only looked at.
    """
    name = folder.resolve().name if name is None else name
    if problems := [*_bad_names(name, template, environment)]:
        raise PipelineError(problems)
    try:
        files = dict(_contents(template, name, folder))
        problems = [*_in_the_way(folder, files, force=force)]
    except OSError as e:
        raise PipelineError([Diagnostic("BF142", f"cannot read {shown(folder)[:200]}: {e.strerror}")]) from None
    if problems:
        raise PipelineError(problems)
    return files


def _bad_names(name: str, template: str, environment: str | None) -> Iterator[Diagnostic]:
    if not _NAME.fullmatch(name):
        better = re.sub(r"[^A-Za-z0-9]+", "-", name[:256]).strip("-") or "churn"
        hint = f"letters, digits and - between them: --name {better}"
        yield Diagnostic("BF141", f"{name[:80]!r} cannot be the name of a pipeline", hint=hint)
    if environment is not None and not _ENVIRONMENT.fullmatch(environment):
        hint = "small letters, digits and -, 32 at most: research"
        yield Diagnostic("BF141", f"{environment[:80]!r} cannot be the name of an environment", hint=hint)
    if template not in TEMPLATES:
        hint = did_you_mean(template, TEMPLATES) or "minimal"
        yield Diagnostic("BF141", f"there is no template {template[:80]!r}", hint=hint)


def _in_the_way(folder: Path, files: Mapping[str, bytes], *, force: bool) -> Iterator[Diagnostic]:
    if not folder.is_dir():
        above = next(p for p in (folder, *folder.parents) if os.path.lexists(p))
        if not above.is_dir():
            yield Diagnostic("BF140", f"{shown(above)} is a file", hint="choose another folder")
        return
    there = sorted(p.name for p in folder.iterdir())
    if there and not force:
        lost = [name for name in files if os.path.lexists(folder / name)]
        told = f"--force overwrites {_list(lost)} and keeps" if lost else "--force overwrites nothing and keeps"
        hint = f"choose another folder; or {told} all else"
        yield Diagnostic("BF140", f"{shown(folder)} is not empty: it holds {_list(there)}", hint=hint)
    if force:
        for path, wanted in dict.fromkeys(_places(files)):
            if os.path.lexists(folder / path) and (folder / path).is_dir() != (wanted == "folder"):
                what = f"{shown(folder / path)} is in the way: a {wanted} is to stand there"
                yield Diagnostic("BF140", what, hint="move it away, or choose another folder")


def _places(files: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield every path that is to be written, with what it is to be."""
    for name in files:
        yield name, "file"
        yield from ((str(parent), "folder") for parent in Path(name).parents if parent.name)


def _list(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _contents(template: str, name: str, folder: Path) -> Iterator[tuple[str, bytes]]:
    base = _FOLDER / template
    for file in sorted(base.rglob("*")):
        path = file.relative_to(base)
        if not file.is_file() or "__pycache__" in path.parts:  # pip compiles what it installs
            continue
        content = file.read_bytes()
        yield path.as_posix(), _named(content, template, name, folder) if path == Path(PIPELINE) else content


def _named(content: bytes, template: str, name: str, folder: Path) -> bytes:
    """Return a template's pipeline.yaml under the name of the project, with a line for editors where they use one."""
    first = f"name: {template}\n"
    text = content.decode()
    assert text.startswith(first)
    written = name if _READ_AS_TEXT.fullmatch(name) else f'"{name}"'
    schema = find_root(folder / PIPELINE) / _SCHEMA
    line = ""
    if schema.is_file():
        line = f"# yaml-language-server: $schema={Path(os.path.relpath(schema, folder.resolve())).as_posix()}\n"
    return f"{line}name: {written}\n{text.removeprefix(first)}".encode()
