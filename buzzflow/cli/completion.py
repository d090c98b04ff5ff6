"""What the shell offers for an argument. It asks at every Tab: nothing is compiled, and a mistake is no answer."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

MAX_FOLDERS = 2_000  # looked at, nearest first
_MAX_FILES = 16
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


def complete_pull(incomplete: str) -> list[str]:
    """Return when images may be fetched."""
    return [name for name in ("always", "missing", "never") if name.startswith(incomplete)]


def complete_template(incomplete: str) -> list[str]:
    """Return the templates of `init`."""
    from buzzflow.scaffold import TEMPLATES

    return [name for name in TEMPLATES if name.startswith(incomplete)]


def complete_key(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the dotted keys of the pipeline on the command line, a level at a time: `steps.train.instance`.

    They are read from the file and from those that it extends and includes, as they stand there.
    """
    from buzzflow.diagnostics import PipelineError
    from buzzflow.loader.files import find_pipeline

    try:
        files = list(_files(find_pipeline(Path(ctx.params["what"]))))
    except PipelineError:
        return []
    parents = incomplete.split(".")[:-1]
    found = [key for key in _keys(files, parents) if key.startswith(incomplete)]
    while len(found) == 1 and (below := _keys(files, found[0].split("."))):
        found = below  # the shell would end the word after the only answer
    return found


def _keys(files: Iterable[Any], path: Sequence[str]) -> list[str]:
    """Return the keys below *path* in any of *files*, each with the path before it."""
    found: dict[str, None] = {}
    for data in files:
        for part in path:
            data = data.get(part) if isinstance(data, dict) else None  # noqa: PLW2901  # a step down
        if isinstance(data, dict):
            found |= dict.fromkeys(".".join((*path, key)) for key in data if isinstance(key, str) and "." not in key)
    return list(found)


def _files(file: Path) -> Iterator[Any]:
    """Yield what stands in *file*, and in the files that it extends and includes."""
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
            yield data
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
