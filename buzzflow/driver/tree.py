"""Validate many pipelines: each for itself, over the cores of the machine; what has not changed is not done again."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from buzzflow.diagnostics import PipelineError
from buzzflow.driver.cache import Cache, open_cache
from buzzflow.driver.changes import Changes, changes_since
from buzzflow.driver.validated import Validated
from buzzflow.loader.disk import Memory, remembering
from buzzflow.loader.files import find_pipelines, shown

ONE_PROCESS = 8  # so many pipelines are validated before a second process would have started
_BATCH = 32  # so many ask about what they share once


@dataclass(frozen=True, slots=True)
class ValidatedTree:
    """What became of the pipelines that count, of *all* that there are."""

    results: tuple[Validated, ...]
    all: int


@dataclass(frozen=True, slots=True)
class _Way:
    """How to validate one pipeline; *changes* None means that every one counts."""

    backend: str | None
    settings: tuple[str, ...]
    cache: Cache | None
    changes: Changes | None


def validate_all(
    targets: Sequence[Path],
    *,
    backend: str | None,
    settings: Sequence[str],
    cached: bool = True,
    since: str | None = None,
) -> ValidatedTree:
    """Validate every pipeline that *targets* name, in their order; PipelineError when one names none.

    *cached* takes and keeps results in the user's cache, which changes nothing but the time. With *since*, only those
    count of which an answer, and so the result, may have been another at that Git revision.
    """
    files = [*dict.fromkeys(file for target in targets for file in find_pipelines(target))]
    changes = None if since is None else changes_since(since, {file.parent for file in files})
    cache = open_cache(backend=backend, settings=settings) if cached else None
    way = _Way(backend, tuple(settings), cache, changes)
    found = dict(_known(files, way))
    missing = [file for file in files if file not in found]
    found |= zip(missing, _validated(missing, way), strict=True)
    if cache is not None and missing:
        cache.prune()
    return ValidatedTree(tuple(v for file in files if (v := found[file]) is not None), len(files))


def _known(files: Iterable[Path], way: _Way) -> Iterator[tuple[Path, Validated | None]]:
    """Yield each file of which the cache knows the result; None in its place when it does not count."""
    if way.cache is None:
        return
    for batch in _batches(files):
        with remembering() as memory:
            for file in batch:
                if (known := way.cache.find(file, memory)) is not None:
                    result, asked = known
                    yield file, result if way.changes is None or way.changes.touch(asked, memory) else None


def _validated(files: Sequence[Path], way: _Way) -> Iterable[Validated | None]:
    some = partial(_validate_some, way=way)
    if len(files) <= ONE_PROCESS:
        return some(files)
    from concurrent.futures import ProcessPoolExecutor

    import buzzflow.driver.stages  # noqa: F401  # once, and not in each process

    processes = min(os.cpu_count() or 1, len(files) // ONE_PROCESS + 1)
    with ProcessPoolExecutor(processes, initializer=gc.freeze) as pool:  # what a process has imported stays
        return [result for batch in pool.map(some, _batches(files)) for result in batch]


@contextmanager
def _looking_for_cycles_seldom() -> Iterator[None]:
    """Spare a twelfth of the time: what a pipeline needs is mostly trees."""
    before = gc.get_threshold()
    gc.set_threshold(50_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _validate_some(files: Sequence[Path], way: _Way) -> list[Validated | None]:
    with _looking_for_cycles_seldom(), remembering() as memory:
        return [_validate(file, way, memory) for file in files]


def _validate(file: Path, way: _Way, memory: Memory) -> Validated | None:
    if way.cache is None and way.changes is None:
        return _result(file, way)
    with memory.asked() as asked:
        result = _result(file, way)
    if way.cache is not None:
        way.cache.keep(file, result, asked, memory.identities)
    return result if way.changes is None or way.changes.touch(asked, memory) else None


def _result(file: Path, way: _Way) -> Validated:
    from buzzflow.driver.stages import check

    try:
        checked = check(file, backend=way.backend, settings=way.settings)
    except PipelineError as e:
        return Validated(shown(file), e.diagnostics)
    return Validated(shown(file), checked.warnings, checked.backend.name, len(checked.pipeline.steps))


def _batches(files: Iterable[Path]) -> Iterator[tuple[Path, ...]]:
    every = tuple(files)
    return (every[i : i + _BATCH] for i in range(0, len(every), _BATCH))
