"""Find pipeline files, their environment and their repository, and read them as text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from buzzflow.diagnostics import Diagnostic, PipelineError, Span, did_you_mean
from buzzflow.loader import disk
from buzzflow.loader.nodes import Node
from buzzflow.loader.yaml_reader import MAX_BYTES, read_yaml

PIPELINE = "pipeline.yaml"
SUFFIX = ".pipeline.yaml"
ENVIRONMENT = "environment.yaml"
_ROOT_MARKS = (".git", "global_common", "projects")


def find_pipeline(target: Path) -> Path:
    """Return the pipeline file that *target* names: the file itself, or the one in that folder."""
    try:
        return _find_pipeline(target)
    except OSError as e:
        raise PipelineError([Diagnostic("BF100", f"cannot read {shown(target)[:200]}: {e.strerror}")]) from None


def find_pipelines(target: Path) -> list[Path]:
    """Return every pipeline that *target* names: the file, those in the folder, or else those in the tree below it."""
    try:
        if not disk.is_folder(target):
            return [_find_pipeline(target)]
        found = _in_folder(target) or [p for folder in _folders_below(target) for p in _in_folder(folder)]
    except OSError as e:
        raise PipelineError([Diagnostic("BF100", f"cannot read {shown(target)[:200]}: {e.strerror}")]) from None
    if not found:
        raise _missing(target, f"no {PIPELINE} in {shown(target)}, nor in a folder below it")
    return found


def _folders_below(folder: Path) -> Iterator[Path]:
    """Yield the folders of a tree by name, without hidden ones and virtual environments; links are not followed."""
    for here, names, files in os.walk(folder):
        names[:] = (
            [] if "pyvenv.cfg" in files else sorted(n for n in names if not n.startswith(".") and n != "node_modules")
        )
        yield from (Path(here, name) for name in names)


def _in_folder(folder: Path) -> list[Path]:
    found = [folder / n for n, _, _ in disk.entries(folder) if n == PIPELINE or n.endswith(SUFFIX)]
    return [p for p in found if disk.exists(p)]  # not a link that leads nowhere, or to itself


def _find_pipeline(target: Path) -> Path:
    if disk.is_folder(target):
        found = _in_folder(target)
        if len(found) == 1:
            return found[0]
        if not found:
            raise _missing(target, f"no {PIPELINE} in {shown(target)}")
        names = ", ".join(p.name for p in found)
        raise PipelineError(
            [Diagnostic("BF100", f"{shown(target)} holds {len(found)} pipelines", hint=f"name one of them: {names}")]
        )
    if not disk.exists(target):
        raise _missing(target, f"there is no file {shown(target)}")
    if target.name != PIPELINE and not target.name.endswith(SUFFIX):
        hint = f"a pipeline is called {PIPELINE} or <name>{SUFFIX}"
        raise PipelineError([Diagnostic("BF100", f"{shown(target)} is not called like a pipeline", hint=hint)])
    return target


def _missing(target: Path, summary: str) -> PipelineError:
    parent = next((p for p in (target, *target.parents) if disk.is_folder(p)), Path())
    if parent == target:
        near = [p.parent.name for p in disk.glob(parent, f"*/{PIPELINE}", hidden=True)]
        hint = (
            f"there is one in: {', '.join(sorted(near)[:5])}" if near else "buzzflow runs a folder with a pipeline.yaml"
        )
        return PipelineError([Diagnostic("BF100", summary, hint=hint)])
    known = [e.name for e in disk.entries(parent) if e.is_folder or e.name.endswith(".yaml")]
    missing = target.relative_to(parent).parts[0]
    return PipelineError([Diagnostic("BF100", summary, hint=did_you_mean(missing, known, label=f"in {shown(parent)}"))])


def pipeline_name(file: Path) -> str:
    """Return the name that a pipeline has when it gives none: its folder's, or its file's."""
    return disk.real(file).parent.name if file.name == PIPELINE else file.name.removesuffix(SUFFIX)


def local_layer(file: Path) -> Path | None:
    """Return the layer that a local run lays over *file*, if there is one."""
    layer = file.with_name(file.name.removesuffix(".yaml") + ".local.yaml")
    return layer if disk.exists(layer) else None


def find_root(file: Path) -> Path:
    """Return the repository that *file* belongs to, or its folder when there is none."""
    folder = disk.real(file).parent
    return next((parent for parent in (folder, *folder.parents) if is_root(parent)), folder)


def is_root(folder: Path) -> bool:
    """Whether *folder* looks like the top of a repository."""
    return any(disk.exists(folder / mark) for mark in _ROOT_MARKS)


def find_environment(file: Path, root: Path) -> Path | None:
    """Return the nearest environment.yaml above *file*, inside the repository."""
    folder = disk.real(file).parent
    for parent in (folder, *folder.parents):
        if disk.is_file(candidate := parent / ENVIRONMENT):
            return candidate
        if parent == root:
            return None
    return None


def find_environments(folder: Path) -> list[Path]:
    """Return every environment.yaml in *folder* and the tree below it, by name."""
    return [file for here in (folder, *_folders_below(folder)) if disk.is_file(file := here / ENVIRONMENT)]


def read_file(file: Path) -> Node:
    """Return the tree of a YAML file."""
    return read_yaml(read_text(file), shown(file))


def read_text(file: Path) -> str:
    """Return the text of an ordinary file that is not too large."""
    span = Span(shown(file), 1, 1)
    try:
        disk.real(file)  # who extends whom is compared without links
        size, _ = disk.facts(file)
        if not disk.is_file(file):
            raise PipelineError([Diagnostic("BF100", f"{shown(file)} is not an ordinary file")])
        if size > 4 * MAX_BYTES:
            raise PipelineError([Diagnostic("BF102", f"the file is larger than {MAX_BYTES // 1024} KiB", span=span)])
        return disk.read(file).decode("utf-8-sig")
    except UnicodeDecodeError as e:
        problem = f"the file is not UTF-8: byte {e.start + 1} is 0x{e.object[e.start]:02x}"
        raise PipelineError([Diagnostic("BF101", problem, hint="save it as UTF-8", span=span)]) from None
    except OSError as e:
        raise PipelineError([Diagnostic("BF100", f"cannot read {shown(file)}: {e.strerror}")]) from None


def shown(path: Path) -> str:
    """Return *path* as people want to see it: from where they stand, when it is below."""
    absolute = os.path.abspath(path)  # noqa: PTH100  # resolve() would show what a link points to, not its name
    here = os.getcwd()  # noqa: PTH109  # quick, often asked
    return "." if absolute == here else absolute.removeprefix(f"{here.rstrip('/')}/")


def is_file(path: Path) -> bool:
    """Whether *path* is a file; a name that no file can have, or that cannot be looked at, is none."""
    try:
        return disk.is_file(path)
    except OSError:
        return False


def inside(path: Path, folder: Path) -> bool:
    """Whether *path*, links followed, lies in *folder*."""
    return disk.real(path).is_relative_to(disk.real(folder))


def line_of(span: Span) -> str | None:
    """Return the text of the line that *span* points at, or None when it is in no file that can be read."""
    try:
        lines = Path(span.file).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError, ValueError):
        return None
    return lines[span.line - 1] if span.line <= len(lines) else None
