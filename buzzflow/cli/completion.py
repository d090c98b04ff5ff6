"""What the shell offers for an argument. It asks at every Tab: nothing is compiled, and a mistake is no answer."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

MAX_FOLDERS = 2_000  # looked at, nearest first
_MAX_FILES = 16
_TARGETS = ("target", "targets")  # what commands call their pipelines
_SKIPPED = ("node_modules", "__pycache__")


def complete_pipelines(_ctx: typer.Context, _param: Any, incomplete: str) -> list[str]:
    """Return the folders with a pipeline that *incomplete* is the start of, else those whose own name it starts."""
    base = incomplete.rpartition("/")[0] + "/" if "/" in incomplete else ""
    found = [base + path for path in _pipelines(Path(base))]
    if fitting := [path for path in found if path.startswith(incomplete)]:
        return sorted(fitting)
    return sorted(path for path in found if Path(path).name.startswith(incomplete))


def complete_local(ctx: typer.Context, param: Any, incomplete: str) -> list[str]:
    """Return the executors, and the pipelines: a parser takes what follows `--local` for its value."""
    executors = [name for name in ("docker", "process") if name.startswith(incomplete)]
    return [*executors, *complete_pipelines(ctx, param, incomplete)]


def complete_template(incomplete: str) -> list[str]:
    """Return the templates of `init`."""
    from buzzflow.scaffold import TEMPLATES

    return [name for name in TEMPLATES if name.startswith(incomplete)]


def complete_step(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the steps of the pipeline that stands earlier on the command line, or is here.

    They are read from the file and from those that it extends and includes, as they stand there.
    """
    from buzzflow.diagnostics import PipelineError
    from buzzflow.loader.files import find_pipeline

    # An option without its value, which is what is completed, leaves the arguments before it unnamed.
    given = next((value for name in _TARGETS if (value := ctx.params.get(name))), ctx.args[:1])
    target = Path(*given[:1]) if isinstance(given, list | tuple) else Path(given)
    try:
        file = find_pipeline(target)
    except PipelineError:
        return []
    return [name for name in dict.fromkeys(_steps(file)) if name.startswith(incomplete)]


def _steps(file: Path) -> Iterator[str]:
    from buzzflow.diagnostics import PipelineError
    from buzzflow.loader.files import read_file

    todo, seen = [file], set[Path]()
    while todo and len(seen) < _MAX_FILES:
        current = todo.pop()
        if current.resolve() in seen:
            continue
        seen.add(current.resolve())
        try:
            data = read_file(current).plain()
        except PipelineError:
            continue
        if isinstance(data, dict):
            yield from data["steps"] if isinstance(data.get("steps"), dict) else ()
            named = [name for key in ("extends", "include") for name in _as_list(data.get(key))]
            todo += [current.parent / name for name in named if isinstance(name, str)]


def _as_list(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]


def _pipelines(base: Path) -> Iterator[str]:
    """Yield the folders below *base* that hold one pipeline, and the files where it holds several or is *base*."""
    todo, looked_at = deque([(base, "")]), 0
    while todo and looked_at < MAX_FOLDERS:
        folder, path = todo.popleft()
        looked_at += 1
        try:
            with os.scandir(folder) as entries:
                names = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
        except OSError:
            continue
        if "pyvenv.cfg" in names:
            continue
        files = [
            n for n, is_dir in names.items() if not is_dir and (n == "pipeline.yaml" or n.endswith(".pipeline.yaml"))
        ]
        if len(files) == 1 and path:
            yield path
        else:
            yield from (f"{path}/{name}" if path else name for name in files)
        below = sorted(n for n, is_dir in names.items() if is_dir and not n.startswith(".") and n not in _SKIPPED)
        todo += [(folder / name, f"{path}/{name}" if path else name) for name in below]
