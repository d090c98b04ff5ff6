"""The line from a file to an artifact. Only here do a stage's paths become lines of files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TypeVar

from buzzflow import diagnostics, ir
from buzzflow.backends.backend import Artifact, Backend, find_backend
from buzzflow.config.hints import QUOTE
from buzzflow.config.parse import parse
from buzzflow.config.parts import CodeConfig, ImageConfig, NotebookCodeConfig
from buzzflow.config.pipeline import EnvironmentConfig, PipelineConfig
from buzzflow.config.steps import JobBase, NotebookConfig, default_fields
from buzzflow.config.steps.common import ImageBase
from buzzflow.config.steps.models import ServedBase
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.environment import check_environment
from buzzflow.driver.origin import origin
from buzzflow.loader.assets import AssetRequest
from buzzflow.loader.code import CodeRequest, CollectedCode, collect_code
from buzzflow.loader.load import LoadedConfig, load
from buzzflow.loader.nodes import SourceMap
from buzzflow.lower import lower

T = TypeVar("T")
_ABOUT_KEYS = frozenset(("BF203", "BF209"))  # the key itself is what is wrong
_ABOUT_FILES = frozenset(("BF204",))  # what lacks something may be the whole file


@dataclass(frozen=True, slots=True)
class Checked:
    """A pipeline in which no stage found an error, with all that the stages made of it."""

    loaded: LoadedConfig
    config: PipelineConfig
    environment: EnvironmentConfig | None
    code: CollectedCode
    pipeline: ir.Pipeline
    backend: Backend
    warnings: tuple[Diagnostic, ...]


def check(target: Path, *, backend: str | None = None, settings: Sequence[str] = (), local: bool = False) -> Checked:
    """Take the pipeline that *target* names through every stage but compile; PipelineError has all that is wrong.

    *backend* None is the one that the pipeline is for: `sagemaker` where an environment.yaml says where that is, else
    `local`. *local* adds the `.local.yaml` layer.
    """
    loaded = load(target, fields=default_fields(), settings=settings, local=local)
    environment = None
    if loaded.environment is not None and loaded.environment_source is not None:
        environment = check_environment(loaded.environment, loaded.environment_source)
    config = _located(loaded.source, lambda: parse(loaded.data, name=loaded.name))
    code = _located(
        loaded.source,
        lambda: collect_code(_code_requests(config, loaded), loaded.root, _asset_requests(config, loaded)),
    )
    lowered = _located(
        loaded.source, lambda: lower(config, code=code.code, assets=code.assets, environment=environment)
    )
    chosen = _backend(backend or ("local" if environment is None else "sagemaker"))
    found = [*with_places(chosen.check(lowered.pipeline), loaded.source)]
    if errors := [d for d in found if d.is_error]:
        raise PipelineError(errors)
    warnings = (*with_places([*code.warnings, *lowered.warnings], loaded.source), *found)
    return Checked(loaded, config, environment, code, lowered.pipeline, chosen, warnings)


@cache  # looking through all that is installed takes 5 ms
def _backend(name: str) -> Backend:
    return find_backend(name)


def compile_artifact(checked: Checked) -> Artifact:
    """Return what the backend makes of a checked pipeline."""
    return checked.backend.compile(checked.pipeline)


def _code_requests(config: PipelineConfig, loaded: LoadedConfig) -> Iterator[CodeRequest]:
    for name, step in config.steps.items():
        code = step.code if isinstance(step, JobBase | NotebookConfig) else None
        folder = _folder_of(("steps", name, "code", "entry_point"), loaded)
        match code:
            case None:
                continue
            case NotebookCodeConfig():
                yield CodeRequest(name, code.entry_point, folder, code.source_dir, tuple(code.include))
            case CodeConfig():
                yield CodeRequest(
                    step=name,
                    entry_point=code.entry_point,
                    folder=folder,
                    source_dir=code.source_dir,
                    include=tuple(code.include),
                    requirements=code.requirements,
                    interpreter=code.interpreter,
                    launcher=code.launcher,
                    distributed=code.distributed,
                    inference=code.inference,
                )


def _asset_requests(config: PipelineConfig, loaded: LoadedConfig) -> Iterator[AssetRequest]:
    for name, step in config.steps.items():
        at: diagnostics.Path = ("steps", name)
        for key, item in step.inputs.items() if isinstance(step, JobBase) else ():
            if isinstance(item.from_, str) and item.from_.startswith(("./", "../")):
                path = (*at, "inputs", key, "from")
                yield AssetRequest(path, item.from_, _folder_of(path, loaded), "data")
        images: list[tuple[diagnostics.Path, ImageConfig | None]] = []
        if isinstance(step, ImageBase):
            images.append(((*at, "image"), step.image))
        if isinstance(step, ServedBase) and isinstance(step.containers, list):
            images += [((*at, "containers", i, "image"), c.image) for i, c in enumerate(step.containers)]
        for path, image in images:
            if image is not None and image.build is not None:
                yield AssetRequest((*path, "build"), image.build, _folder_of((*path, "build"), loaded), "build")


def _folder_of(path: diagnostics.Path, loaded: LoadedConfig) -> Path:
    """Return the folder of the file in which the value at *path* is written: there its paths start."""
    written = loaded.source.file(path)
    in_file = written is not None and not written.startswith("--")
    return Path(written).parent if written and in_file else loaded.file.parent


# ------------------------------------------------------------------ places


def _located(source: SourceMap, stage: Callable[[], T]) -> T:
    try:
        return stage()
    except PipelineError as e:
        raise PipelineError(with_places(e.diagnostics, source)) from None


def with_places(diagnostics: Iterable[Diagnostic], source: SourceMap) -> Iterator[Diagnostic]:
    """Yield each diagnostic once, with its place, in the order of the file."""
    placed: dict[tuple[object, ...], list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        if diagnostic.path or diagnostic.code in _ABOUT_FILES:
            about_key = diagnostic.code in _ABOUT_KEYS and (len(diagnostic.path) > 1 or diagnostic.code == "BF203")
            find = source.find_key if about_key else source.find
            diagnostic = _quoted(diagnostic.at(find(diagnostic.path)), source)  # noqa: PLW2901  # the same, told better
        placed.setdefault((diagnostic.code, _without_step(diagnostic), diagnostic.span), []).append(diagnostic)
    told = [replace(same[0], note=same[0].note or origin([d.path for d in same], source)) for same in placed.values()]
    yield from sorted(told, key=_place)


def _without_step(diagnostic: Diagnostic) -> str:
    """Return the summary without the step's name: what is wrong with a foreach is wrong with each of its copies."""
    match diagnostic.path:
        case ("steps", name, *_):
            return diagnostic.summary.replace(repr(name), "")
        case _:
            return diagnostic.summary


def _quoted(diagnostic: Diagnostic, source: SourceMap) -> Diagnostic:
    """Show the value quoted the way it stands in the file: 1.10 is "1.10", though YAML has made it 1.1."""
    raw = source.raw(diagnostic.path)
    if diagnostic.hint != QUOTE or raw is None:
        return diagnostic
    key = f"{diagnostic.path[-1]}: " if isinstance(diagnostic.path[-1], str) else ""
    return replace(diagnostic, hint=f'{QUOTE}: {key}"{raw}"')


def _place(diagnostic: Diagnostic) -> tuple[str, int, int]:
    span = diagnostic.span
    return ("", 0, 0) if span is None else (span.file, span.line, span.column)
