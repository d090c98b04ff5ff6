"""Collect the code of each step: what its script imports and reads, as a bundle addressed by its content.

A bundle holds `entry.sh` and `entry.py`, the step's own files under `src/`, the shared packages under `shared/`, and
`requirements.txt`. For a Python script the step's own files are those that it imports; for any other, all of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from buzzflow import diagnostics, ir
from buzzflow.diagnostics import Diagnostic, PipelineError, Severity, closest, did_you_mean
from buzzflow.entry import entry_files
from buzzflow.loader import disk
from buzzflow.loader.assets import AssetRequest, asset_files
from buzzflow.loader.bundle import Measured, stage_bundle
from buzzflow.loader.files import shown
from buzzflow.loader.imports import ImportReader, SearchPath, packages_of
from buzzflow.loader.source_files import SourceFiles, included

__all__ = ["SHARED_PACKAGES", "CodeRequest", "CollectedCode", "collect_code", "stage_bundle"]

SHARED_PACKAGES = ("global_common", "experiment_manager")
_REQUIREMENTS = "requirements.txt"
_INTERPRETERS = {".py": "python3", ".sh": "sh", ".ipynb": "python3"}
INFERENCE = "inference"  # the folder of serving code in a bundle
_INSTALLED = Path(__file__).resolve().parents[2]  # the folder in which the package buzzflow lies
_NESTED_REQUIREMENTS = re.compile(r"^\s*(?:-r|--requirement|-c|--constraint)[\s=]*([^\s#]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """What a step says of its code; paths and globs start at *folder*, or at the repository when nothing is there."""

    step: str
    entry_point: str
    folder: Path
    source_dir: str | None = None
    include: tuple[str, ...] = ()
    requirements: str | None = None
    interpreter: str | None = None
    launcher: Literal["buzzflow", "image"] = "buzzflow"
    distributed: Literal["torchrun"] | None = None
    inference: str | None = None


@dataclass(frozen=True, slots=True)
class CollectedCode:
    """The code of every step by its name, and where on this machine each content lies, by its SHA-256.

    *assets* are other files of the repository, by the path of the value that names them.
    """

    code: Mapping[str, ir.Code]
    contents: Mapping[str, Path]
    warnings: tuple[Diagnostic, ...]
    assets: Mapping[diagnostics.Path, ir.Bundle] = field(default_factory=dict)


def collect_code(requests: Iterable[CodeRequest], root: Path, assets: Iterable[AssetRequest] = ()) -> CollectedCode:
    """Return the bundles of *requests* and *assets*; each file of the repository *root* is read once for all."""
    collector = _Collector(disk.real(root))
    code: dict[str, ir.Code] = {}
    problems: list[Diagnostic] = []
    for request in requests:
        try:
            code[request.step] = collector.code(request)
        except PipelineError as e:
            problems += (_of_step(d, request.step) for d in e.diagnostics)
    bundles: dict[diagnostics.Path, ir.Bundle] = {}
    for asset in assets:
        try:
            bundles[asset.path] = collector.asset(asset)
        except PipelineError as e:
            problems += (replace(d, path=asset.path) for d in e.diagnostics)
    if problems:
        raise PipelineError(_once(problems))
    return CollectedCode(code, collector.contents, tuple(_once(collector.warnings)), bundles)


def _of_step(diagnostic: Diagnostic, step: str) -> Diagnostic:
    return replace(diagnostic, path=("steps", step, "code", *diagnostic.path))


def _once(diagnostics: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Drop what was said of the same file for another step; what stands in a field is said of each step."""
    seen = set[object]()
    for diagnostic in diagnostics:
        key = (diagnostic.code, diagnostic.summary, diagnostic.span, diagnostic.path if diagnostic.path[3:] else ())
        if key not in seen:
            seen.add(key)
            yield diagnostic


@dataclass(frozen=True, slots=True)
class _Located:
    """A request whose paths have been found."""

    script: Path
    source: Path
    interpreter: str
    requirements: Path | None
    included: tuple[Path, ...]
    inference: Path | None = None


class _Collector:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._shared = {name: folder for name in SHARED_PACKAGES if (folder := _shared_package(name, root))}
        self._entry = entry_files()
        self._measured = Measured([root, *self._shared.values(), *(path for _, path in self._entry)])
        self._imports = ImportReader(lambda file: self._measured.problem(file) is None)
        self._searches: dict[tuple[Path, ...], SearchPath] = {}
        self._sources: dict[Path, SourceFiles] = {}
        self._done: dict[_Located, tuple[ir.Code, tuple[Diagnostic, ...]]] = {}
        self.contents = self._measured.contents
        self.warnings: list[Diagnostic] = []

    def code(self, request: CodeRequest) -> ir.Code:
        located = _locate(request, self._root)
        if located not in self._done:
            self._done[located] = self._collect(located)
        code, warnings = self._done[located]
        self.warnings += (_of_step(warning, request.step) for warning in warnings)
        return replace(code, launcher=request.launcher, distributed=request.distributed)

    def asset(self, request: AssetRequest) -> ir.Bundle:
        return self._measured.bundle(asset_files(request, self._root), ())

    def _collect(self, located: _Located) -> tuple[ir.Code, tuple[Diagnostic, ...]]:
        if located.source not in self._sources:
            self._sources[located.source] = SourceFiles(located.source, self._root, self._shared.values())
        source = self._sources[located.source]
        python, warnings, problems = self._python(located, source)
        placed = _Places(located.source, self._root, self._shared)
        placed.add_all(sorted(python))
        placed.add_all(source.data)
        placed.add_all(located.included)
        for path, file in (*self._entry, *_requirement_files(located.requirements)):
            placed.add(path, file)
        for file in _glob_all(located.inference):
            placed.add(f"{INFERENCE}/{file.relative_to(located.inference or file).as_posix()}", file)
        # An installed package does not keep the executable bit, so what comes with buzzflow never has it.
        plain = [p for p in placed.files if not p.startswith("src/")]
        try:
            placed.check()
            bundle = self._measured.bundle(placed.files, plain)
        except PipelineError as e:
            raise PipelineError([*problems, *e.diagnostics]) from None
        if problems:
            raise PipelineError(problems)
        requirements = _REQUIREMENTS if located.requirements else None
        entry_point = placed.path_of(located.script)
        inference = located.inference is not None
        return ir.Code(entry_point, located.interpreter, bundle, requirements, inference=inference), warnings

    def _python(
        self, located: _Located, source: SourceFiles
    ) -> tuple[frozenset[Path], tuple[Diagnostic, ...], tuple[Diagnostic, ...]]:
        """Return the Python files of the step, warnings, and problems.

        What the script imports must be readable. What comes by name, or because nobody can see what a shell script
        calls, may be a template or for another Python.
        """
        folders = tuple(dict.fromkeys((located.script.parent, located.source)))
        search = self._searches.setdefault(folders, SearchPath(folders, self._shared))
        is_python = located.script.suffix == ".py"
        own = self._imports.closure([located.script] if is_python else [], search)
        named = [file for file in located.included if file.suffix == ".py"]
        packages = [init for file in named for init in packages_of(file, self._import_base(file, located.source))]
        more = self._imports.closure([*named, *packages, *(() if is_python else source.python)], search)
        # Who has included modules has seen the warning. The shared packages are not the step's to mend.
        shared = tuple(f"{shown(folder)}{os.sep}" for folder in self._shared.values())
        dynamic = [] if named else [d for d in own.dynamic if d.span and not d.span.file.startswith(shared)]
        unread = [replace(d, severity=Severity.WARNING) for d in more.problems if d not in own.problems]
        return own.files | more.files | {located.script}, (*dynamic, *unread), own.problems

    def _import_base(self, file: Path, source: Path) -> Path:
        folders = (*self._shared.values(), source)
        found = next((folder for folder in folders if file.is_relative_to(folder)), self._root)
        return found.parent if found in self._shared.values() else found


def _shared_package(name: str, root: Path) -> Path | None:
    """Return the folder of a package that all steps share: the repository's, or the one installed with buzzflow."""
    return next((folder / name for folder in (root, _INSTALLED) if disk.is_folder(folder / name)), None)


class _Places:
    """Where each file lies in the bundle; what is not in the source folder keeps its path in the repository."""

    def __init__(self, source: Path, root: Path, shared: Mapping[str, Path]) -> None:
        shared_folders = [(folder, f"shared/{name}/") for name, folder in shared.items()]
        folders = [*shared_folders, (source, "src/"), (root, "src/")]
        self._prefixes = [(f"{str(folder).rstrip('/')}/", place) for folder, place in folders]
        self._clashes: list[Diagnostic] = []
        self.files: dict[str, Path] = {}

    def path_of(self, file: Path) -> str:
        text = str(file)
        prefix, place = next((prefix, place) for prefix, place in self._prefixes if text.startswith(prefix))
        return f"{place}{text[len(prefix) :]}"

    def add_all(self, files: Iterable[Path]) -> None:
        for file in files:
            self.add(self.path_of(file), file)

    def add(self, path: str, file: Path) -> None:
        if (other := self.files.setdefault(path, file)) != file:
            summary = f"{shown(file)} and {shown(other)} would both be {path} in the bundle"
            self._clashes.append(Diagnostic("BF135", summary, hint="rename one of them"))

    def check(self) -> None:
        if self._clashes:
            raise PipelineError(self._clashes)


# ------------------------------------------------------------------ where things are


def _locate(request: CodeRequest, root: Path) -> _Located:
    problems: list[Diagnostic] = []
    folder = disk.real(request.folder)
    bases = [folder, root]

    def found(written: str, bases: Sequence[Path], field: str, *, is_folder: bool = False) -> Path | None:
        place = _find(written, bases, root, is_folder=is_folder)
        if isinstance(place, Diagnostic):
            problems.append(replace(place, path=(field,)))
            return None
        return place

    source = found(request.source_dir, bases, "source_dir", is_folder=True) if request.source_dir is not None else None
    script = None
    if request.source_dir is None or source:
        script = found(request.entry_point, [*([source] if source else []), *bases], "entry_point")
    if script and source and not script.is_relative_to(source):
        summary = f"{request.entry_point!r} does not lie in the source folder {request.source_dir!r}"
        problems.append(Diagnostic("BF131", summary, ("entry_point",)))
    requirements = found(request.requirements, bases, "requirements") if request.requirements is not None else None
    if script and request.requirements is None and disk.is_file(beside := script.with_name(_REQUIREMENTS)):
        requirements = beside
    inference = found(request.inference, bases, "inference", is_folder=True) if request.inference is not None else None
    interpreter = request.interpreter or _INTERPRETERS.get(Path(request.entry_point).suffix)
    if not interpreter:
        summary = f"what runs {request.entry_point!r} does not follow from its name"
        problems.append(Diagnostic("BF130", summary, ("entry_point",), "say it: `interpreter: Rscript`"))
    include: list[Path] = []
    for number, pattern in enumerate(request.include):
        match included(pattern, bases, root):
            case Diagnostic() as problem:
                problems.append(replace(problem, path=("include", number)))
            case files:
                include += files
    if problems or not script or not interpreter:
        raise PipelineError(problems)
    return _Located(script, source or script.parent, interpreter, requirements, tuple(include), inference)


def _glob_all(folder: Path | None) -> list[Path]:
    """Return the files of serving code: all but dot files and byte code."""
    if folder is None:
        return []
    return [p for p in disk.glob(folder, "**/*", hidden=False) if not disk.is_folder(p) or disk.is_link(p)]


def _find(written: str, bases: Sequence[Path], root: Path, *, is_folder: bool) -> Path | Diagnostic:
    """Return *written* below the first of *bases* that has it; its folder without links, its name as written."""
    outside = False
    for base in bases:
        path = _exact(base, written, is_folder=is_folder)
        if path and disk.real(path).is_relative_to(root) and path.is_relative_to(root):
            return path
        outside = outside or path is not None
    if outside or not _is_inside(written, bases, root):
        return Diagnostic("BF131", f"{written!r} leads out of the repository {shown(root)}")
    what = "folder" if is_folder else "file"
    return Diagnostic("BF130", f"there is no {what} {written!r}", hint=_nearby(written, bases, is_folder=is_folder))


def _is_inside(written: str, bases: Sequence[Path], root: Path) -> bool:
    return "\0" in written or any(Path(os.path.normpath(base / written)).is_relative_to(root) for base in bases)


def _exact(base: Path, written: str, *, is_folder: bool) -> Path | None:
    try:
        path = base / written
        real = disk.real(path if is_folder else path.parent)
        path = real if is_folder else real / path.name
        return path if (disk.is_folder(path) if is_folder else disk.is_file(path)) else None
    except (OSError, ValueError):
        return None


def _nearby(written: str, bases: Sequence[Path], *, is_folder: bool) -> str | None:
    """Name what was probably meant: a close name in the same folder, or the same name one folder further down."""
    suffix = Path(written).suffix
    for base in bases[:2]:
        parent = Path(written).parent
        if "\0" in written or not disk.is_folder(base / parent):
            continue
        found = [p for pattern in ("*", "*/*") for p in disk.glob(base / parent, pattern, hidden=True)[:1000]]
        fits = [p for p in found if (disk.is_folder(p) if is_folder else disk.is_file(p) and p.suffix == suffix)]
        names = [p.relative_to(base / parent) for p in fits if not any(part.startswith(".") for part in p.parts[-2:])]
        if same := [n for n in names if n.name == Path(written).name]:
            return f"did you mean {(parent / same[0]).as_posix()!r}?"
        known = [(parent / n).as_posix() for n in names if len(n.parts) == 1]
        if closest(written, known) or (known and base == bases[-1]):
            return did_you_mean(written, known)
    return f"it is looked for from {' and '.join(sorted({shown(base) for base in bases}))}"


def _requirement_files(file: Path | None) -> Iterator[tuple[str, Path]]:
    """Yield *file* as requirements.txt, and the files that it names with `-r` or `-c` beside it."""
    if file is None:
        return
    todo, seen = [file], set[Path]()
    while todo:
        current = todo.pop()
        seen.add(current)
        yield (_REQUIREMENTS if current == file else current.relative_to(file.parent).as_posix()), current
        for name in _NESTED_REQUIREMENTS.findall(_text(current)):
            named = Path(os.path.normpath(current.parent / name))
            if "://" in name or "$" in name or named in seen:
                continue
            if not named.is_relative_to(file.parent) or not disk.is_file(named):
                summary = f"{shown(current)} names {name!r}, which is no file beside it"
                raise PipelineError([Diagnostic("BF130", summary, ("requirements",))])
            todo.append(named)


def _text(file: Path) -> str:
    try:
        return disk.read(file).decode("utf-8", errors="replace")
    except OSError:
        return ""  # the bundle says why it cannot be read
