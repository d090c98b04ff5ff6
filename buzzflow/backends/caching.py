"""What an earlier result of a step depends on, for every backend that keeps results.

The service compares members of the request (Amazon SageMaker AI Developer Guide, "Default cache key attributes by
pipeline step type"). A change elsewhere, of machines, outputs or timeouts, lets an earlier result count.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import assert_never

from buzzflow import ir
from buzzflow.backends import contract

_TUNED = (
    "AlgorithmSpecification",
    "HyperParameterRanges",
    "InputDataConfig",
    "StaticHyperParameters",
    "TuningObjective",
)
# By the service's type of step. Of types that are not here, every change counts.
COMPARED_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    "Tuning": (
        "HyperParameterTuningJobConfig",
        *(f"TrainingJobDefinition.{member}" for member in _TUNED),
        "TrainingJobDefinitions",
    ),
    "AutoML": ("AutoMLJobConfig", "AutoMLJobObjective", "InputDataConfig", "ProblemType"),
    "Transform": ("DataProcessing", "Environment", "ModelName", "TransformInput"),
}
CHECKPOINTS = "checkpoints.to"
Field = tuple[str, ir.Value]


def compared_fields(step: ir.Step) -> dict[str, ir.Value] | None:
    """Return what the service compares of a cached processing or training step, in the language's words.

    Code is its files, `code.src/train.py`, by digest: the service compares the address of the bundle, which says the
    same. None is a step that is not cached, or of another type.
    """
    if step.cache is None or not step.cache.enabled:
        return None
    match step.work:
        case ir.Processing(job=job):
            found = [*_image(job), *_command(step), *_inputs(job), *_code(job)]
            return dict([*found, *_patched(step.patch, COMPARED_MEMBERS["Processing"])])
        case ir.Training() as work:
            return dict([*_training(step, work), *_patched(step.patch, COMPARED_MEMBERS["Training"])])
        case _:
            return None


def _training(step: ir.Step, work: ir.Training) -> Iterator[Field]:
    if work.algorithm is None:
        yield from _image(work.job)
    else:
        yield "algorithm", work.algorithm
    yield "input_mode", work.input_mode
    yield from ((f"metrics.{name}", regex) for name, regex in work.metrics)
    yield from _command(step)
    yield from ((f"hyperparameters.{name}", value) for name, value in work.hyperparameters)
    yield from _inputs(work.job, default_mode=work.input_mode, is_channel=True)
    yield from _code(work.job)
    if work.checkpoints is not None:
        yield "checkpoints.path", work.checkpoints.path
        # the default place has the run's id in it, so no later run compares equal
        yield CHECKPOINTS, work.checkpoints.to or ir.Text((ir.RunReference("id"),))
    for part in (work.debugger, work.profiler):
        yield from _patched(part, COMPARED_MEMBERS["Training"])


def _image(job: ir.Job) -> Iterator[Field]:
    match job.image:
        case ir.ImageUri(uri=uri):
            yield "image", uri
        case ir.BuiltImage(context=context):
            yield from ((f"image.{file.path}", _content(file)) for file in context.files)
        case ir.FrameworkImage() as image:
            yield "image", f"{image.framework}:{image.version}"
            if image.python is not None:
                yield "image.python", image.python
            if (accelerator := image.accelerator or accelerator_of(job.instance.type)) is not None:
                yield "image.accelerator", accelerator
        case _:
            assert_never(job.image)


def accelerator_of(instance: ir.Value | None) -> str | None:
    """Return what machines of the family have, as `sagemaker.core.image_uris` decides it: without one, a cpu."""
    if instance is None:
        return "cpu"
    if not isinstance(instance, str):
        return None
    family = instance.removeprefix("ml.").partition(".")[0]
    for special in ("inf", "trn"):
        if family.startswith(special):
            return special
    return "gpu" if family[:1] in ("g", "p") else "cpu"


def _command(step: ir.Step) -> Iterator[Field]:
    job = ir.job_of(step)
    assert job is not None  # callers come with processing and training only
    yield from ((f"entrypoint.{i}", part) for i, part in enumerate(contract.container_entrypoint(step) or ()))
    yield from ((f"arguments.{i}", part) for i, part in enumerate(job.arguments))
    yield from ((f"environment_variables.{name}", value) for name, value in contract.container_environment(step))


def _inputs(job: ir.Job, *, default_mode: str = "file", is_channel: bool = False) -> Iterator[Field]:
    for item in job.inputs:
        name = f"inputs.{item.name}"
        yield from _source(name, item.source)
        yield f"{name}.mode", item.mode or default_mode
        yield f"{name}.distribution", item.distribution
        yield f"{name}.data_type", item.data_type
        yield f"{name}.compression", item.compression
        if is_channel and item.content_type is not None:
            yield f"{name}.content_type", item.content_type
        if not is_channel:  # a channel's path is its name's
            yield f"{name}.path", item.path


def _source(name: str, source: ir.Value | ir.Bundle | ir.FileSystem | ir.Athena | ir.Redshift) -> Iterator[Field]:
    match source:
        case ir.Bundle(files=files):
            yield from ((f"{name}.{file.path}", _content(file)) for file in files)
        case ir.FileSystem() | ir.Athena() | ir.Redshift():
            for part in fields(source):
                if (value := getattr(source, part.name)) is not None:
                    yield f"{name}.{part.name}", str(value).lower() if isinstance(value, bool) else value
        case value:
            yield name, value


def _code(job: ir.Job) -> Iterator[Field]:
    if job.code is None:
        return
    yield from ((f"code.{file.path}", _content(file)) for file in job.code.bundle.files)
    if job.code.launcher == "image":
        yield "code.entry_point", job.code.entry_point
        yield "code.launcher", "image"


def _content(file: ir.BundleFile) -> str:
    return f"{file.sha256}{' executable' if file.executable else ''}"


# ------------------------------------------------------------------ the service's words


def _patched(patch: ir.Tree, members: tuple[str, ...]) -> Iterator[Field]:
    """Yield the compared members in a part of the request that is in the service's words."""
    for member, value in patch.items if isinstance(patch, ir.Mapping) else ():
        if member in members:
            yield f"arguments_patch.{member}", contract.joined([*_written(value)])


def _written(tree: ir.Tree) -> Iterator[str | ir.Reference]:
    match tree:
        case ir.Mapping(items=pairs):
            for i, (key, value) in enumerate(pairs):
                yield f"{',' if i else '{'}{json.dumps(key)}:"
                yield from _written(value)
            yield "}" if pairs else "{}"
        case ir.Sequence(items=items):
            for i, value in enumerate(items):
                yield "," if i else "["
                yield from _written(value)
            yield "]" if items else "[]"
        case ir.Text(parts=parts):
            yield from ('"', *parts, '"')
        case str() | int() | float() | None:
            yield json.dumps(tree)
        case reference:
            yield reference
