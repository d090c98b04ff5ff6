"""Find what a step asks of others: every expression in a part of the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from buzzflow.backends.local import plan

StepLookup = plan.OutputAddress | plan.StepProperty | plan.DescribePath | plan.ReportValue
_STEP_LOOKUPS = (plan.OutputAddress, plan.StepProperty, plan.DescribePath, plan.ReportValue)


def step_lookups(part: object) -> Iterator[StepLookup]:
    """Yield each expression in *part* that another step answers, in the order of the fields."""
    if isinstance(part, _STEP_LOOKUPS):
        yield part
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from step_lookups(getattr(part, name))
    elif isinstance(part, Mapping):
        for inner in part.values():
            yield from step_lookups(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from step_lookups(inner)


def word_of(lookup: StepLookup) -> str:
    """Return what stands after the step's name in the reference."""
    match lookup:
        case plan.OutputAddress(name=name):
            return f"outputs.{name}"
        case plan.StepProperty(word=word):
            return word
        case plan.DescribePath(path=path):
            return f"properties.{'.'.join(path)}"
        case plan.ReportValue(report=report, path=path):
            return f"{report}.{'.'.join(path)}"
