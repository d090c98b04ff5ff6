"""Which models can be asked here: what a transform needs of the pipeline before it can run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from buzzflow.backends.local import plan
from buzzflow.backends.local.request.here import StepHere
from buzzflow.backends.local.request.kinds import is_answered
from buzzflow.backends.local.steps.filters import FilterError, read_filter
from buzzflow.diagnostics import Diagnostic


def model_of(step: plan.TransformStep, pipeline: plan.RunPlan) -> plan.ModelStep | None:
    """Return the model step that *step* names, None when the model is made elsewhere."""
    if isinstance(step.model, plan.StepProperty):
        for other in plan.every_step(pipeline.steps):
            if other.name == step.model.step and isinstance(other, plan.ModelStep):
                return other
    return None


def serving_image(step: plan.TransformStep, pipeline: plan.RunPlan, images: Mapping[str, str]) -> plan.Image | None:
    """Return the image that serves the model of *step*, None where nothing here does."""
    model = model_of(step, pipeline)
    image = None if model is None else model.containers[0].image
    if isinstance(image, plan.Framework) and f"{image.framework}:{image.version}" not in images:
        return None
    return image


def transform_problems(
    pipeline: plan.RunPlan, here: Mapping[str, StepHere], images: Mapping[str, str]
) -> Iterator[Diagnostic]:
    """Yield the transforms whose model cannot serve here; *images* are those to use instead of others."""
    for step in plan.every_step(pipeline.steps):
        if isinstance(step, plan.TransformStep) and not is_answered(step, here):
            for why, hint in _not_served(step, model_of(step, pipeline), here, images):
                hint = f"{hint}; or write in pipeline.local.yaml: {_predictions(step)}"  # noqa: PLW2901
                yield Diagnostic("BF534", f"transform {step.name!r} cannot run here: {why}", ("steps", step.name), hint)


def _predictions(step: plan.TransformStep) -> str:
    return f"local: {{steps: {{{step.name}: {{result: {{outputs: {{predictions: path/to/folder}}}}}}}}}}"


def _not_served(
    step: plan.TransformStep, model: plan.ModelStep | None, here: Mapping[str, StepHere], images: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    if model is None:
        yield "its model is not made by a model step of this pipeline", "name one: model: ${step:….name}"
        return
    if is_answered(model, here):
        yield f"its model {model.name!r} is answered and not made", "let the model step be"
    if len(model.containers) > 1:
        yield f"model {model.name!r} has several containers in a row", "try them one by one"
    image = model.containers[0].image
    if isinstance(image, plan.Framework) and (asked := f"{image.framework}:{image.version}") not in images:
        yield (
            f"{asked} is a private image, and what stands in for it has no server",
            f"name an image that serves: local: {{images: {{'{asked}': your-image}}}}",
        )
    for feature, is_asked in (
        (f"split: {step.split}", step.split in ("recordio", "tfrecord")),
        (f"data_type: {step.data_type}", step.data_type != "prefix"),
    ):
        if is_asked:
            yield f"{feature} is not read here", "use split: line, or none, with a prefix"
    if (step.join or step.input_filter or step.output_filter) and step.content_type is None:
        yield (
            "filter needs a content_type, to read records as CSV or JSON",
            "add inputs: {records: {content_type: text/csv}}",
        )
    for name, path in (("input", step.input_filter), ("output", step.output_filter)):
        if path is not None:
            try:
                read_filter(path if isinstance(path, str) else "$")
            except FilterError as e:
                yield f"filter.{name} cannot be evaluated: {e}", "JSONPath of names, positions and slices: $[1:], $.a.b"
