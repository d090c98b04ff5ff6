"""What a run is asked to do, checked before anything starts: parameters, data, images."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from buzzflow import ir
from buzzflow.backends.local import plan
from buzzflow.backends.local.evaluate import EvaluationError, Known, text
from buzzflow.backends.local.executor import Setting
from buzzflow.backends.local.records.origins import Origin
from buzzflow.backends.local.request import standins
from buzzflow.backends.local.request.answers import answer_problems
from buzzflow.backends.local.request.here import StepHere
from buzzflow.backends.local.request.kinds import is_answered
from buzzflow.backends.local.request.parameters import values_of
from buzzflow.backends.local.request.served import model_of, serving_image, transform_problems
from buzzflow.backends.local.request.trials import Trial, read_trials
from buzzflow.backends.local.store import AddressError, Store
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.loader.bundle import stage_bundle

BUILT = "buzzflow/built"  # images that are built from a folder of the repository


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run of *plan*.

    *contents* are the files of the code by digest. *parameters* are given as text and take the type that the plan
    declares. *data* names folders or files for addresses, *images* an image instead of another, by address or
    `framework:version`, *here* says how single steps run, by their names in the file. *state* is the folder that keeps
    runs and the store; *project* holds the pipeline's file, which is *file* from the repository's top; *origin* knows
    where both come from. *fail* and *interrupt* are what is to go wrong, as `trials` reads it; *real_time* waits before
    retries as long as the service does.
    """

    run: str
    plan: plan.RunPlan
    contents: Mapping[str, Path]
    state: Path
    project: Path
    file: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Path] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    here: Mapping[str, StepHere] = field(default_factory=dict)
    jobs: int = 4
    fail: Sequence[str] = ()
    interrupt: Sequence[str] = ()
    real_time: bool = False
    origin: Origin | None = None

    def without(self, steps: Collection[str]) -> RunRequest:
        """Return the request as if its plan did not have *steps*."""
        left = [step for step in self.plan.steps if step.name not in steps]
        return replace(self, plan=self.plan.model_copy(update={"steps": left}))

    @property
    def folder(self) -> Path:
        """The folder of this run."""
        return self.state / "runs" / self.run

    @property
    def prefix(self) -> str:
        """The address under which this run's own outputs lie."""
        return f"{self.plan.prefix}{self.run}/"

    def store(self) -> Store:
        """Return the store as this run sees it."""
        runs = self.state / "runs"
        return Store(self.state / "s3", self.prefix, self.folder / "outputs", self.data, runs)


@dataclass(frozen=True, slots=True)
class Ready:
    """A request without a mistake: values of all parameters, and what each container step runs in."""

    known: Known
    settings: Mapping[str, Setting]
    warnings: Sequence[str]
    trials: Mapping[str, Trial] = field(default_factory=dict)


def prepare(request: RunRequest, *, started: str, without: Collection[str] = ()) -> Ready:
    """Return what the run begins with; PipelineError tells all that it lacks.

    *started* is a time as text. Steps *without* which it runs lack nothing.
    """
    whole, request = request.plan, request.without(without)
    known = _known(request, started)
    trials, problems = read_trials(request.plan.steps, request.fail, request.interrupt)
    problems += answer_problems(request.plan, request.here)
    problems += transform_problems(whole, request.here, request.images)
    problems += [*_missing_data(request, known), *_missing_secrets(request)]
    settings: dict[str, Setting] = {}
    warnings: dict[str, None] = {}
    for step, image, code in _images(request):
        try:
            settings[step], told = _setting(image, code, request, known)
            warnings.update(dict.fromkeys(told))
        except standins.NoStandIn as e:
            problems.append(Diagnostic("BF503", e.summary, ("steps", step, "image"), e.hint))
        except EvaluationError as e:
            problems.append(Diagnostic("BF503", str(e), ("steps", step, "image"), "name a fixed image here"))
    if problems:
        raise PipelineError(problems)
    return Ready(known, settings, tuple(warnings), trials)


def _known(request: RunRequest, started: str) -> Known:
    """Return what is known before the first step; PipelineError for parameters that cannot be."""
    parameters, problems = values_of(request.plan.parameters, request.parameters)
    if problems:
        raise PipelineError(problems)
    run = {
        "id": request.run,
        "arn": f"local:{request.run}",
        "pipeline": request.plan.pipeline,
        "pipeline_arn": f"local:{request.plan.pipeline}",
        "start_time": started,
        "now": started,
    }
    return Known(parameters, run, find=request.store().path)


# ------------------------------------------------------------------ data


def _containers(request: RunRequest) -> Iterator[plan.ContainerStep]:
    """Yield the steps whose code runs here."""
    for step in plan.every_step(request.plan.steps):
        if isinstance(step, plan.ContainerStep) and not is_answered(step, request.here):
            training = step.container.training
            if training is None or not training.algorithm:
                yield step


def place_of(step: str, name: str) -> str:
    """Return how `local.data` names an input: for one that has no address, or instead of it."""
    return f"steps.{step}.inputs.{name}"


def _missing_secrets(request: RunRequest) -> Iterator[Diagnostic]:
    """Yield every secret that the shell does not have: here a variable of the same name stands in for it."""
    for step in _containers(request):
        for variable in step.container.secrets:
            if variable not in os.environ:
                hint = f"here it is read from the shell: export {variable}=…"
                path = ("steps", step.name, "secrets", variable)
                yield Diagnostic("BF506", f"secret {variable!r} is not set on this machine", path, hint)


@dataclass(frozen=True, slots=True)
class Missing:
    """An address that an input names, at *path* in the pipeline."""

    address: str
    path: tuple[str, ...]

    def diagnostic(self) -> Diagnostic:
        """Say that nothing is there."""
        bare = self.address.rstrip("/")
        named = f"name sample data in pipeline.local.yaml: local: {{data: {{{bare}: path/to/folder}}}}"
        hint = f"{named}, or fetch it: --download 1GB"
        return Diagnostic("BF501", f"there is no data for {self.address} on this machine", self.path, hint)


def used_sources(request: RunRequest, started: str) -> list[Missing]:
    """Return the addresses that steps read and that are known now, each once."""
    known = _known(request, started)
    found: dict[str, Missing] = {}
    for path, source in _sources(request):
        if source is not None and _known_at_start(source):
            with contextlib.suppress(AddressError, EvaluationError):  # `prepare` tells it
                address = text(source, known)
                found.setdefault(address, Missing(address, path))
    return [*found.values()]


def missing_sources(request: RunRequest, started: str) -> list[Missing]:
    """Return the addresses at which nothing is, besides those below a folder that the user names."""
    store = request.store()
    return [each for each in used_sources(request, started) if not store.holds(each.address)]


def _sources(request: RunRequest) -> Iterator[tuple[tuple[str, ...], plan.Expression | None]]:
    """Yield where each input stands, and its address: None for one that has none."""
    for step in _containers(request):
        for item in step.container.inputs:
            if place_of(step.name, item.name) not in request.data and not isinstance(item.source, plan.Files):
                yield ("steps", step.name, "inputs", item.name, "from"), item.source
    for other in plan.every_step(request.plan.steps):
        if isinstance(other, plan.TransformStep) and not is_answered(other, request.here):
            yield ("steps", other.name, "inputs"), other.source
            if (model := model_of(other, request.plan)) is not None:
                yield from ((("steps", model.name, "model"), c.model) for c in model.containers if c.model is not None)


def _missing_data(request: RunRequest, known: Known) -> Iterator[Diagnostic]:
    """Yield every source that is known now and not there; outputs of steps come later."""
    store = request.store()
    for path, source in _sources(request):
        if source is None:
            named = place_of(path[1], path[3])
            hint = f"name sample data in pipeline.local.yaml: local: {{data: {{{named}: path/to/folder}}}}"
            yield Diagnostic("BF501", f"input {path[3]!r} has no data on this machine", path[:-1], hint)
        elif _known_at_start(source):
            try:
                address = text(source, known)
                if not store.holds(address):
                    yield Missing(address, path).diagnostic()
            except (AddressError, EvaluationError) as e:
                yield Diagnostic("BF501", str(e), path)


def _known_at_start(expression: plan.Expression) -> bool:
    match expression:
        case str() | plan.ParameterValue() | plan.RunValue():
            return True
        case plan.Join(parts=parts):
            return all(_known_at_start(p) for p in parts)
        case _:
            return False


# ------------------------------------------------------------------ images


def _images(request: RunRequest) -> Iterator[tuple[str, plan.Image, plan.Code | None]]:
    """Yield the image of each step that runs in one, by the step's name, and the code that it gets."""
    for step in _containers(request):
        yield step.name, step.container.image, step.container.code
    for other in plan.every_step(request.plan.steps):
        match other:
            case plan.LambdaStep() if other.name in request.here and request.here[other.name].function is not None:
                yield other.name, standins.PYTHON, None
            case plan.TransformStep() if not is_answered(other, request.here):
                if (image := serving_image(other, request.plan, request.images)) is not None:
                    yield other.name, image, None
            case _:
                pass


def _setting(given: plan.Image, code: plan.Code | None, request: RunRequest, known: Known) -> tuple[Setting, list[str]]:
    wheels: tuple[str, ...] = ()
    warnings: list[str] = []
    context: Path | None = None
    match given:
        case plan.Framework(framework=framework, version=version):
            asked = f"{framework}:{version}"
            image = request.images.get(asked)
            if image is None:
                standin = standins.find(framework, version)
                image, wheels = standin.image, standin.requirements
                warnings.append(f"{image} with {wheels[0]} stands in for {asked}, a private image")
        case plan.Build() as build:
            image, context = f"{BUILT}:{build.digest[:32]}", _build_context(build, request)
        case expression:
            asked = text(expression, known)
            image = request.images.get(asked, asked)
    requirements: tuple[str, ...] = ()
    if code is not None and code.requirements is not None:
        requirements = (request.contents[code.requirements].read_text("utf-8"),)
    return Setting(image, requirements, wheels, context), warnings


def _build_context(build: plan.Build, request: RunRequest) -> Path:
    """Lay out the folder that an image is built from; equal files are laid out once."""
    folder = request.state / "cache" / "builds" / build.digest
    if not folder.exists():
        files = tuple(ir.BundleFile(f.path, f.sha256, f.size, f.executable) for f in build.files)
        stage_bundle(ir.Bundle(build.digest, files), request.contents, folder)
    return folder
