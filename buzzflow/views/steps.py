"""Steps as objects for people: values are text as in pipeline.yaml; of a wrong name, a close one is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, assert_never

from buzzflow import ir
from buzzflow.config.pipeline import PipelineConfig
from buzzflow.config.steps import JobBase
from buzzflow.diagnostics import did_you_mean
from buzzflow.views.spelled import spelled

V = TypeVar("V")


class Named(dict[str, V]):
    """A dictionary that says of a missing name which one was probably meant."""

    def __init__(self, kind: str, items: Mapping[str, V]) -> None:
        super().__init__(items)
        self._kind = kind

    def __missing__(self, name: str) -> V:
        hint = did_you_mean(name, self, label="there are") or f"there is no {self._kind} at all"
        raise NameUnknown(f"there is no {self._kind} {name!r}: {hint}")


class NameUnknown(KeyError):
    """Nothing has that name."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError shows the repr, with quotes around quotes


@dataclass(frozen=True, slots=True)
class Parameter:
    """What may change at each start; *type* is string, integer, float or boolean."""

    name: str
    type: str
    default: str | int | float | bool | None = None
    choices: tuple[str | int | float, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """Data that a step reads from *path*, where it runs a container; *source* is what `from` says, or a query."""

    name: str
    source: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """Data that a step writes to *path*; *to* is None where the backend chooses the address."""

    name: str
    path: str
    to: str | None = None
    reports: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Instance:
    """The machines of a step; a count is text where it is a reference."""

    type: str
    count: int | str
    volume_size_gb: int | str


@dataclass(frozen=True, slots=True)
class Code:
    """What a step runs: *files* are the paths that travel with it, *digest* is what they are."""

    entry_point: str
    files: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step. What its type does not have is empty or None; *timeout* is in seconds.

    *needs* are the steps before it, *branch* the condition and the side that it belongs to, *inside* its foreach step.
    """

    name: str
    type: str
    needs: tuple[str, ...] = ()
    branch: tuple[str, bool] | None = None
    inside: str | None = None
    display_name: str | None = None
    description: str | None = None
    image: str | None = None
    code: Code | None = None
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Input] = field(default_factory=dict)
    outputs: Mapping[str, Output] = field(default_factory=dict)
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    instance: Instance | None = None
    timeout: int | str | None = None
    _compiled: Callable[[str], dict[str, Any]] | None = field(default=None, repr=False, compare=False)

    @property
    def definition(self) -> dict[str, Any]:
        """What the step compiles to, new each time."""
        assert self._compiled is not None  # `steps_of` sets it
        return self._compiled(self.name)


def parameters_of(pipeline: ir.Pipeline) -> Mapping[str, Parameter]:
    """Return the parameters by name."""
    found = {p.name: Parameter(p.name, p.type, p.default, p.choices, p.description) for p in pipeline.parameters}
    return Named("parameter", found)


def steps_of(
    pipeline: ir.Pipeline, config: PipelineConfig, compiled: Callable[[str], dict[str, Any]]
) -> Mapping[str, Step]:
    """Return the steps by name; *compiled* gives what one compiles to."""
    return Named("step", {step.name: _step(step, config, compiled) for step in pipeline.steps})


def _step(step: ir.Step, config: PipelineConfig, compiled: Callable[[str], dict[str, Any]]) -> Step:
    job = ir.job_of(step)
    training = _training(step.work)
    shared: dict[str, Any] = {}
    if job is not None:
        shared = {
            "image": _image(job.image),
            "code": _code(job.code),
            "arguments": tuple(map(spelled, job.arguments)),
            "environment": _pairs("variable", job.environment),
            "instance": Instance(
                spelled(job.instance.type), _number(job.instance.count), _number(job.instance.volume_size_gb)
            ),
            "timeout": None if job.timeout is None else _number(job.timeout),
        }
    return Step(
        name=step.name,
        type=step.work.type,
        needs=tuple(dict.fromkeys(need.step for need in step.needs)),
        branch=None if step.branch is None else (step.branch.condition, step.branch.taken),
        inside=step.inside,
        display_name=step.display_name,
        description=step.description,
        inputs=Named("input", dict(_inputs(step, job, config))),
        outputs=Named("output", dict(_outputs(job))),
        hyperparameters=_pairs("hyperparameter", () if training is None else training.hyperparameters),
        metrics=Named("metric", dict(() if training is None else training.metrics)),
        _compiled=compiled,
        **shared,
    )


def _training(work: ir.Work) -> ir.Training | None:
    match work:
        case ir.Training():
            return work
        case ir.Tuning(training=training):
            return training
        case _:
            return None


def _inputs(step: ir.Step, job: ir.Job | None, config: PipelineConfig) -> Iterator[tuple[str, Input]]:
    if isinstance(step.work, ir.AutoML):
        for table in step.work.inputs:
            yield table.name, Input(table.name, spelled(table.source))
    for item in () if job is None else job.inputs:
        yield item.name, Input(item.name, _source(step.name, item, config), item.path)


def _source(step: str, item: ir.Input, config: PipelineConfig) -> str:
    match item.source:
        case ir.Bundle():
            written = config.steps[step]
            given = written.inputs.get(item.name) if isinstance(written, JobBase) else None
            return str(given.from_) if given is not None else f"{len(item.source.files)} files"
        case ir.FileSystem(id=name, type=kind):
            return f"{kind}: {spelled(name)}"
        case ir.Athena(query=query):
            return f"athena: {spelled(query)}"
        case ir.Redshift(query=query):
            return f"redshift: {spelled(query)}"
        case value:
            return spelled(value)


def _outputs(job: ir.Job | None) -> Iterator[tuple[str, Output]]:
    for output in () if job is None else job.outputs:
        reports = Named("report", {report.name: report.file for report in output.reports})
        yield output.name, Output(output.name, output.path, None if output.to is None else spelled(output.to), reports)


def _image(image: ir.Image) -> str:
    match image:
        case ir.ImageUri(uri=uri):
            return spelled(uri)
        case ir.FrameworkImage(framework=framework, version=version):
            return f"{framework}:{version}"
        case ir.BuiltImage(context=context):
            return f"build:{context.digest}"
        case _:
            assert_never(image)


def _code(code: ir.Code | None) -> Code | None:
    if code is None:
        return None
    return Code(code.entry_point.removeprefix("src/"), tuple(f.path for f in code.bundle.files), code.bundle.digest)


def _number(value: ir.Number) -> int | str:
    return value if isinstance(value, int) else spelled(value)


def _pairs(kind: str, pairs: ir.Pairs) -> Mapping[str, str]:
    return Named(kind, {name: spelled(value) for name, value in pairs})
