"""Which files of the repository travel beside the imports: the data of a source folder, and what `include` names."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from buzzflow.diagnostics import Diagnostic, PipelineError, Span
from buzzflow.loader import disk
from buzzflow.loader.files import ENVIRONMENT, PIPELINE, inside, shown

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".buzzflowignore"
MOST_FILES = 20_000  # a walk ends here: a bundle may hold far fewer
_PIPELINE_ENDINGS = (".pipeline.yaml", ".local.yaml")
_PYTHON_ENDINGS = (".py", ".pyi", ".pyc", ".pyo")
_WILD = frozenset("*?[")


class SourceFiles:
    """The files below *source*, less what stays at home.

    At home stay pipeline files, `tests` folders, dot files, byte code, virtual environments, `requirements*.txt`,
    `README*`, the folders *apart*, the folder `data` (scripts that run alone keep their files there), and what a
    `.buzzflowignore` in *source* or *root* names. Its rules are Git's, the nearer file has the last word, and `!`
    fetches back what would stay by default.
    """

    def __init__(self, source: Path, root: Path, apart: Collection[Path]) -> None:
        self._root = root
        self._bare_data = source / "data"
        self._apart = frozenset(apart)
        folders = [source] if source == root else [source, root]
        self._ignored = [(folder, spec) for folder in folders if (spec := _ignore_rules(folder))]
        files = []
        for file in self._walk(source, (str(disk.real(source)),)):
            files.append(file)
            if len(files) > MOST_FILES:
                break
        self.python = tuple(sorted(f for f in files if f.suffix == ".py"))
        self.data = tuple(sorted(f for f in files if not f.name.endswith(_PYTHON_ENDINGS)))

    def _walk(self, folder: Path, above: tuple[str, ...]) -> Iterator[Path]:
        for entry in _entries(folder):
            path = folder / entry.name
            real = str(disk.real(path)) if entry.is_link else f"{above[-1]}{os.sep}{entry.name}"
            # A link that leads out or nowhere is handed on as a file, and refused when the bundle is made.
            is_folder = entry.is_folder and Path(real).is_relative_to(self._root)
            if real in above or path in self._apart or self._stays(path, is_folder=is_folder):
                continue
            if is_folder:
                yield from self._walk(path, (*above, real))
            else:
                yield path

    def _stays(self, path: Path, *, is_folder: bool) -> bool:
        for folder, spec in self._ignored:
            relative = path.relative_to(folder).as_posix() + "/" * is_folder
            if (verdict := spec.check_file(relative).include) is not None:
                return verdict
        if is_folder:
            return path == self._bare_data or _folder_stays(path)
        return _file_stays(path.name)


def _entries(folder: Path) -> list[disk.Entry]:
    try:
        return disk.entries(folder)
    except OSError as e:
        raise PipelineError([Diagnostic("BF131", f"cannot read the folder {shown(folder)}: {e.strerror}")]) from None


def _folder_stays(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in ("__pycache__", "tests") or disk.exists(folder / "pyvenv.cfg")


def _file_stays(name: str) -> bool:
    return (
        name.startswith((".", "README"))
        or name in (PIPELINE, ENVIRONMENT)
        or name.endswith(_PIPELINE_ENDINGS)
        or (name.startswith("requirements") and name.endswith(".txt"))
    )


def _ignore_rules(folder: Path) -> GitIgnoreSpec | None:
    file = folder / IGNORE_FILE
    if not disk.is_file(file):
        return None
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(disk.read(file).decode("utf-8-sig").splitlines())
    except (OSError, ValueError) as e:
        problem = Diagnostic("BF132", f"cannot read {shown(file)}: {e}", span=Span(shown(file), 1, 1))
        raise PipelineError([problem]) from None


# ------------------------------------------------------------------ include


def included(pattern: str, bases: Sequence[Path], root: Path) -> list[Path] | Diagnostic:
    """Return the files that *pattern* matches below the first of *bases* where it matches any.

    A folder stands for all its files. Dot files and byte code come only when the pattern writes the dot itself.
    """
    literal, wild = _split(pattern)
    if not pattern.strip() or "\0" in pattern or ".." in wild:
        return Diagnostic("BF135", f"{pattern!r} is not a pattern of files", hint="write `..` only at its start")
    outside = True
    for base in bases:
        start = _start(base.joinpath(*literal), wild)
        if not start.is_relative_to(root):
            continue
        outside = False
        hidden = any(part.startswith(".") for part in wild) or start.name.startswith(".")
        try:
            found = [*_glob(start, wild, root, hidden=hidden)]
        except ValueError as e:
            return Diagnostic("BF135", f"{pattern!r} is not a pattern of files: {e}")
        if found:
            return sorted(found)
    if outside:
        return Diagnostic("BF131", f"{pattern!r} leads out of the repository {shown(root)}")
    return Diagnostic(
        "BF135",
        f"{pattern!r} matches no file",
        hint="it is looked for from the folder of the pipeline file, then from the repository",
    )


def _split(pattern: str) -> tuple[list[str], list[str]]:
    """Return the parts of *pattern* before the first wildcard, and the rest."""
    parts = Path(pattern).parts
    first = next((i for i, part in enumerate(parts) if _WILD & set(part)), len(parts))
    return [*parts[:first]], [*parts[first:]]


def _start(path: Path, wild: Sequence[str]) -> Path:
    """Return *path* without links, but a file by its own name and not by that of what it links to."""
    if wild or path.name == "..":
        return disk.real(path)
    return disk.real(path.parent) / path.name


def _glob(start: Path, wild: Sequence[str], root: Path, *, hidden: bool) -> Iterator[Path]:
    seen = set[Path]()
    for match in disk.glob(start, "/".join(wild), hidden=hidden) if wild else [start]:
        # A link that leads out is handed on as a file, and refused when the bundle is made.
        is_folder = disk.is_folder(match) and inside(match, root)
        for path in disk.glob(match, "**/*", hidden=hidden) if is_folder else [match]:
            if path not in seen and disk.is_there(path) and (path == match or not disk.is_folder(path)):
                seen.add(path)
                yield path
            if len(seen) > MOST_FILES:
                return
