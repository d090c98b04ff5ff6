"""Validate many pipelines: each for itself, over the cores of the machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.stages import check, compile_artifact
from buzzflow.loader.files import find_pipelines, shown

ONE_PROCESS = 8  # so many pipelines are validated before a second process would have started


@dataclass(frozen=True, slots=True)
class Validated:
    """What became of one pipeline; *backend* and *steps* are unknown where an error came before them."""

    file: str
    diagnostics: tuple[Diagnostic, ...]
    backend: str | None = None
    steps: int | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with it."""
        return not any(d.is_error for d in self.diagnostics)


def validate_all(targets: Sequence[Path], *, backend: str | None, settings: Sequence[str]) -> list[Validated]:
    """Validate every pipeline that *targets* name, in their order; PipelineError when one names none."""
    files = [*dict.fromkeys(file for target in targets for file in find_pipelines(target))]
    one = partial(_validate, backend=backend, settings=tuple(settings))
    if len(files) <= ONE_PROCESS:
        return [one(file) for file in files]
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(files) // ONE_PROCESS + 1)) as pool:
        return list(pool.map(one, files, chunksize=ONE_PROCESS))


def _validate(file: Path, backend: str | None, settings: tuple[str, ...]) -> Validated:
    try:
        checked = check(file, backend=backend, settings=settings)
        compile_artifact(checked)
    except PipelineError as e:
        return Validated(shown(file), e.diagnostics)
    return Validated(shown(file), checked.warnings, checked.backend.name, len(checked.pipeline.steps))
