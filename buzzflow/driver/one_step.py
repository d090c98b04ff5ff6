"""Run one step of a pipeline on this machine with data that the caller names: for a project's own tests."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from buzzflow import ir
from buzzflow.backends.backend import find_backend
from buzzflow.backends.local import plan
from buzzflow.backends.local.events import Event
from buzzflow.backends.local.executor import Setting
from buzzflow.backends.local.request.request import Ready, place_of
from buzzflow.diagnostics import Diagnostic, PipelineError, did_you_mean
from buzzflow.driver.executors import choose_executor
from buzzflow.driver.local import LocalOptions, LocalRun, prepared_request, run_prepared
from buzzflow.driver.stages import Checked, with_places


@dataclass(frozen=True, slots=True)
class StepRequest:
    """Run *step* alone.

    *inputs* are files or folders by the input's name, *environment* variables and *hyperparameters* lie over the step's
    own. *state* keeps the run, *cache* what several runs share. Without *install*, a process finds the packages of this
    Python, and the step's own requirements are not looked at.
    """

    step: str
    state: Path
    cache: Path
    inputs: Mapping[str, Path] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    executor: str = "process"
    install: bool = False


def run_one_step(checked: Checked, request: StepRequest, emit: Callable[[Event], None]) -> LocalRun:
    """Run a step of *checked*, which was loaded with its local layer; PipelineError tells what is missing."""
    alone = _alone(checked, request)
    [step] = alone.pipeline.steps
    if problems := [*_problems(step, request)]:
        raise PipelineError(with_places(problems, checked.loaded.source))
    found = _copied(request) if request.executor == "docker" else request.inputs
    data = {place_of(step.name, name): path.resolve() for name, path in found.items()}
    options = LocalOptions(request.executor, request.parameters, jobs=1)
    asked = prepared_request(alone, options, request.state, data=data, change=_changed_by(request))
    own_python = request.executor == "process" and not request.install
    ready = _without_requirements(asked.ready) if own_python else asked.ready
    executor = choose_executor(request.executor, asked.request.run, request.cache, ready, emit)
    return run_prepared(replace(asked, ready=ready), executor, emit, threading.Event())


def _alone(checked: Checked, request: StepRequest) -> Checked:
    """Return the pipeline with this step only, that waits for nothing, for the local backend."""
    steps = {step.name: step for step in checked.pipeline.steps}
    if request.step not in steps:
        hint = did_you_mean(request.step, steps, label="steps")
        raise PipelineError([Diagnostic("BF171", f"there is no step {request.step!r} to run", hint=hint)])
    step = replace(steps[request.step], needs=(), branch=None, inside=None)
    if not isinstance(step.work, ir.Processing | ir.Training):
        what = f"step {step.name!r} is a {step.work.type} step, and no code of yours runs in it"
        raise PipelineError([Diagnostic("BF171", what, ("steps", step.name, "type"), "run one that has code")])
    if any(isinstance(reference, ir.ItemReference) for reference in ir.references(step.work)):
        what = f"step {step.name!r} uses ${{each:…}}, which only its foreach step knows"
        raise PipelineError([Diagnostic("BF171", what, ("steps", step.name), "run the whole pipeline")])
    local = find_backend("local")
    pipeline = replace(checked.pipeline, steps=(step,))
    found = [*with_places(local.check(pipeline), checked.loaded.source)]
    if errors := [d for d in found if d.is_error]:
        raise PipelineError(errors)
    said = checked.config.local.model_copy(update={"steps": {}})  # the step is to run, whatever stands in for it
    config = checked.config.model_copy(update={"local": said})
    return replace(checked, config=config, pipeline=pipeline, backend=local)


def _problems(step: ir.Step, request: StepRequest) -> Iterator[Diagnostic]:
    """Yield each named input that the step does not have or that is not there, and each that nobody names."""
    job = ir.job_of(step)
    inputs = {} if job is None else {item.name: item for item in job.inputs}
    for name, path in request.inputs.items():
        if name not in inputs:
            hint = did_you_mean(name, inputs, label="inputs") or "it has none"
            yield Diagnostic("BF171", f"step {step.name!r} has no input {name!r}", ("steps", step.name), hint)
        elif not path.exists():
            hint = "name the file or folder that the step is to read"
            yield Diagnostic("BF171", f"for input {name!r} there is no file or folder {path}", hint=hint)
    for name, item in inputs.items():
        of_a_step = any(isinstance(r, ir.StepReference) for r in ir.references(item.source))
        if of_a_step and name not in request.inputs:
            where = ("steps", step.name, "inputs", name)
            hint = f'name one: run_step("{step.name}", inputs={{"{name}": path}})'
            yield Diagnostic("BF171", f"input {name!r} of step {step.name!r} has no data in this test", where, hint)


def _copied(request: StepRequest) -> dict[str, Path]:
    """Return copies of the inputs that anybody may read: a container's user does not enter a folder like tmp_path."""
    found = {}
    for name, path in request.inputs.items():
        target = request.state / "inputs" / name / path.name
        if path.is_dir():
            shutil.copytree(path, target)
        else:
            target.parent.mkdir(parents=True)
            shutil.copyfile(path, target)
        for item in (target, *target.rglob("*")):
            item.chmod(0o755 if item.is_dir() else 0o644)
        found[name] = target
    return found


def _changed_by(request: StepRequest) -> Callable[[plan.RunPlan], plan.RunPlan]:
    """Return what lays the request's variables and hyperparameters over those of the one step of a plan."""
    environment = dict(request.environment)
    if request.executor == "process" and not request.install:
        environment.setdefault("PYTHONPATH", ":".join(_packages()))

    def change(whole: plan.RunPlan) -> plan.RunPlan:
        [step] = whole.steps
        assert isinstance(step, plan.ProcessingStep | plan.TrainingStep)  # `_alone` lets no other pass
        container = step.container
        update: dict[str, object] = {
            "environment": {**container.environment, **environment},
            "secrets": [name for name in container.secrets if name not in environment],
        }
        if container.training is not None:
            parameters = {**container.training.hyperparameters, **request.hyperparameters}
            update["training"] = container.training.model_copy(update={"hyperparameters": parameters})
        changed = step.model_copy(update={"container": container.model_copy(update=update)})
        return whole.model_copy(update={"steps": [changed]})

    return change


def _packages() -> Iterator[str]:
    """Yield the folders in which this Python finds installed packages; tests may have put others on the path."""
    for folder in dict.fromkeys(sys.path):
        if Path(folder).name in ("site-packages", "dist-packages"):
            yield folder


def _without_requirements(ready: Ready) -> Ready:
    settings = {name: Setting(setting.image) for name, setting in ready.settings.items()}
    return replace(ready, settings=settings, warnings=())
