"""Follow the imports of Python files through the repository, by reading and never by running them."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import decode_source
from pathlib import Path
from typing import NamedTuple

from buzzflow.diagnostics import Diagnostic, Severity, Span
from buzzflow.loader import disk
from buzzflow.loader.files import shown

_MOST_BYTES = 8 * 1024**2  # a syntax tree takes a hundred times as much memory
_LOADERS = ("__import__", "import_module")
_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")  # the fields that hold statements, or what holds them


@dataclass(frozen=True, slots=True)
class SearchPath:
    """Where Python will look in the container: *folders* one after the other, then *packages* that all steps share."""

    folders: tuple[Path, ...]
    packages: Mapping[str, Path]

    def holds(self, file: Path) -> bool:
        """Whether *file* lies where an import may find it."""
        return any(file.is_relative_to(folder) for folder in (*self.folders, *self.packages.values()))


@dataclass(frozen=True, slots=True)
class Closure:
    """Files that import one another, with what is wrong in them; *dynamic* are warnings."""

    files: frozenset[Path]
    problems: tuple[Diagnostic, ...]
    dynamic: tuple[Diagnostic, ...]


class _Import(NamedTuple):
    level: int  # the number of leading dots
    module: tuple[str, ...]
    names: tuple[str, ...] = ()  # each may be an attribute or a module


@dataclass(frozen=True, slots=True)
class _Module:
    imports: tuple[_Import, ...] = ()
    exports: tuple[str, ...] = ()  # what `__all__` lists
    dynamic: tuple[Diagnostic, ...] = ()
    problem: Diagnostic | None = None


class ImportReader:
    """Reads each file once, however many steps import it; *readable* says which files may be opened."""

    def __init__(self, readable: Callable[[Path], bool]) -> None:
        self._readable = readable
        self._modules: dict[Path, _Module] = {}
        self._names: dict[Path, frozenset[str] | None] = {}
        self._found: dict[tuple[object, ...], dict[Path, tuple[Path, ...]]] = {}  # by the search path

    def closure(self, roots: Iterable[Path], path: SearchPath) -> Closure:
        """Return *roots* and every local file that they import, directly or not.

        Conditional imports and those in functions count. A name that could be an attribute or a module is taken for the
        module when there is one. What is not found is a package of the image, and none of our business.
        """
        todo, seen = list(roots), set[Path]()
        found = self._found.setdefault((path.folders, *path.packages.items()), {})
        problems: list[Diagnostic] = []
        dynamic: list[Diagnostic] = []
        while todo:
            file = todo.pop()
            if file in seen:
                continue
            seen.add(file)
            module = self._module(file)
            problems += [module.problem] if module.problem else []
            dynamic += module.dynamic
            if file not in found:
                found[file] = self._imported_by(file, module, path)
            todo += found[file]
        return Closure(frozenset(seen), tuple(sorted(problems, key=_place)), tuple(sorted(dynamic, key=_place)))

    def _imported_by(self, file: Path, module: _Module, path: SearchPath) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(f for imported in module.imports for f in self._imported(imported, file, path)))

    def _imported(self, imported: _Import, file: Path, path: SearchPath) -> Iterator[Path]:
        if imported.level:
            base = file.parents[min(imported.level, len(file.parents)) - 1]
            if not path.holds(base):
                return
            start: Sequence[Path] = (base,)
            packages: Mapping[str, Path] = {}
        else:
            start, packages = path.folders, path.packages
        files, folders = self._walk(imported.module, start, packages)
        yield from files
        names = imported.names
        if "*" in names and folders:
            names = tuple(n for f in (files[-1:] or [folders[0] / "__init__.py"]) for n in self._module(f).exports)
        for name in names:
            if (found := self._find(name, folders)) and found[0]:
                yield found[0]

    def _walk(
        self, parts: Sequence[str], start: Sequence[Path], packages: Mapping[str, Path]
    ) -> tuple[list[Path], Sequence[Path]]:
        """Return the files that importing *parts* runs, and the folders in which its submodules lie."""
        files: list[Path] = []
        folders = start
        for number, part in enumerate(parts):
            found = self._find(part, folders)
            if number == 0 and part in packages and (found is None or found[0] is None):
                package = packages[part] / "__init__.py"
                found = package if disk.is_file(package) else None, (packages[part],)
            if found is None:
                return files, ()
            file, folders = found
            files += [file] if file else []
        return files, folders

    def _find(self, name: str, folders: Sequence[Path]) -> tuple[Path | None, Sequence[Path]] | None:
        """Return the module *name* and, for a package, its folders; one without `__init__.py` is folders alone."""
        portions = []
        for folder in folders:
            names = self._names_in(folder)
            if (names is None or name in names) and disk.is_file(package := folder / name / "__init__.py"):
                return package, (folder / name,)
            if (names is None or f"{name}.py" in names) and disk.is_file(module := folder / f"{name}.py"):
                return module, ()
            if (names is None or name in names) and disk.is_folder(folder / name):
                portions.append(folder / name)
        return (None, portions) if portions else None

    def _names_in(self, folder: Path) -> frozenset[str] | None:
        """Return the names in *folder*, or None when they cannot be listed and have to be tried one by one."""
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(entry.name for entry in disk.entries(folder))
            except OSError:
                self._names[folder] = None
        return self._names[folder]

    def _module(self, file: Path) -> _Module:
        if file not in self._modules:
            self._modules[file] = _read(file) if self._readable(file) else _Module()
        return self._modules[file]


def packages_of(file: Path, below: Path) -> list[Path]:
    """Return the `__init__.py` of each package around *file*, up to but without the folder *below*."""
    around = [p / "__init__.py" for p in file.parents if p != below and p.is_relative_to(below)]
    return [init for init in around if disk.is_file(init)]


# ------------------------------------------------------------------ one file


def _read(file: Path) -> _Module:
    try:
        size, _ = disk.facts(file)
        if size > _MOST_BYTES:
            return _Module(problem=_unreadable(shown(file), f"it is larger than {_MOST_BYTES // 1024**2} MiB"))
        return _parse(disk.read(file), shown(file))
    except OSError:
        return _Module()  # whoever puts the file into a bundle says so


@lru_cache(maxsize=128)  # the shared packages are read for every pipeline of a tree
def _parse(content: bytes, file: str) -> _Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python thinks of '\d' is no matter of ours
            source = decode_source(content)
            tree = ast.parse(source, file.rpartition("/")[2])
    except SyntaxError as e:
        return _Module(problem=_unreadable(file, e.msg, e.lineno, e.offset))
    except UnicodeDecodeError as e:
        problem = f"it is not {e.encoding.upper()}, byte 0x{e.object[e.start]:02x}"
        return _Module(problem=_unreadable(file, problem, e.object.count(b"\n", 0, e.start) + 1))
    except (ValueError, RecursionError, MemoryError) as e:
        return _Module(problem=_unreadable(file, str(e) or "it is nested too deeply"))
    calls = [*_loading_calls(tree, source)]
    imports = [i for statement in _statements(tree) for i in _statement(statement)]
    return _Module(
        imports=(*imports, *(i for call in calls for i in _literal(call))),
        exports=tuple(name for node in tree.body for name in _exports(node)),
        dynamic=tuple(_dynamic(file, call) for call in calls if not [*_literal(call)]),
    )


def _loading_calls(tree: ast.Module, source: str) -> Iterator[ast.Call]:
    """Yield the calls that load a module; a name of other letters than ASCII may stand for one of ASCII letters."""
    if source.isascii() and not any(name in source for name in _LOADERS):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _loads_a_module(node.func):
            yield node


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield every statement, however deep; expressions, where most of a tree is, hold none."""
    todo: list[ast.AST] = [*tree.body]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.stmt):
            yield node
        for block in _BLOCKS:
            todo += getattr(node, block, ())


def _unreadable(file: str, reason: str, line: int | None = None, column: int | None = None) -> Diagnostic:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    hint = f"buzzflow runs on Python {version} and reads the file to find what it imports"
    span = Span(file, max(line or 1, 1), max(column or 1, 1))
    return Diagnostic("BF132", f"{file.rpartition('/')[2]} is not valid Python: {reason}", hint=hint, span=span)


def _statement(node: ast.AST) -> Iterator[_Import]:
    match node:
        case ast.Import(names=names):
            yield from (_Import(0, tuple(alias.name.split("."))) for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            yield _Import(level, tuple(module.split(".")) if module else (), tuple(alias.name for alias in names))


def _loads_a_module(function: ast.expr) -> bool:
    match function:
        case ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module"):
            return True
    return False


def _literal(call: ast.Call) -> Iterator[_Import]:
    match call.args:
        case [ast.Constant(value=str(name)), *_] if name and not name.startswith("."):
            yield _Import(0, tuple(name.split(".")))


def _exports(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts=items) | ast.Tuple(elts=items)):
            yield from (item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str))


def _dynamic(file: str, call: ast.Call) -> Diagnostic:
    return Diagnostic(
        "BF134",
        f"{file.rpartition('/')[2]} imports a module whose name is known only when it runs",
        hint="if it is a module of the repository, name its file under `include`",
        span=Span(file, call.lineno, call.col_offset + 1),
        severity=Severity.WARNING,
    )


def _place(diagnostic: Diagnostic) -> tuple[str, int, int]:
    span = diagnostic.span
    return (span.file, span.line, span.column) if span else ("", 0, 0)
