"""Take what a step left: outputs and model to the store, reports and metrics for the steps after it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from buzzflow.backends.local import evaluate, plan
from buzzflow.backends.local.records.manifest import CacheRecord, OutputRecord
from buzzflow.backends.local.request.request import BUILT, RunRequest
from buzzflow.backends.local.steps.staging import HOST, OPT_ML, Stage, pack

ContainerStep = plan.ProcessingStep | plan.TrainingStep
Key = tuple[str, str]
S_co = TypeVar("S_co", bound=plan.Step, covariant=True)
T = TypeVar("T", bound=plan.Step)


@dataclass(frozen=True)
class StepPlace(Generic[S_co]):
    """A step of a run: its folder, and how the run knows it.

    *job* is one of several that the step starts, *host* one of the machines, *hosts*, that its job has.
    """

    step: S_co
    request: RunRequest
    known: evaluate.Known
    job: str | None = None
    host: str = HOST
    hosts: tuple[str, ...] = (HOST,)

    def of(self, step: T, job: str | None = None) -> StepPlace[T]:
        """Return the place of *step* in the same run."""
        return StepPlace(step, self.request, self.known, job)

    @property
    def folder(self) -> Path:
        """The folder that holds its log and what it saw."""
        folder = self.request.folder / "steps" / self.step.name
        return folder if self.job is None else folder / "jobs" / self.job

    @property
    def stage(self) -> Stage:
        """What the step sees as `/opt/ml`, on its machine."""
        return Stage((self.folder if self.host == HOST else self.folder / "hosts" / self.host) / "opt-ml")

    @property
    def job_name(self) -> str:
        """The name that a job of the service would have."""
        tail = "" if self.job is None else f"-{self.job}"
        return f"{self.request.run}-{self.step.name}"[: 63 - len(tail)] + tail

    def address(self, output: plan.Output) -> str:
        """Return where *output* goes."""
        if output.to is None:
            return f"{self.request.prefix}{self.step.name}/{output.name}/"
        address = evaluate.text(output.to, self.known)
        return address if address.endswith("/") else address + "/"

    def checkpoints(self: StepPlace[ContainerStep]) -> Path:
        """Return where a training keeps what it goes on from: an address that it names, or a folder of the run.

        Each try of a tuning has a folder of its own in it.
        """
        training = self.step.container.training
        to = None if training is None else training.checkpoints_to
        own = f"{self.request.prefix}{self.step.name}/checkpoints/"
        place = self.request.store().path(own if to is None else evaluate.text(to, self.known))
        return place if self.job is None else place / str(self.job)


@dataclass(frozen=True, slots=True)
class Left:
    """What a step left for those after it; *outputs* and *cache* are for later runs."""

    addresses: Mapping[Key, str] = field(default_factory=dict)
    reports: Mapping[Key, Path] = field(default_factory=dict)
    properties: Mapping[Key, evaluate.Plain] = field(default_factory=dict)
    outputs: Mapping[str, OutputRecord] = field(default_factory=dict)
    cache: CacheRecord | None = None


def nothing_written(place: StepPlace[ContainerStep]) -> Iterator[str]:
    """Yield a warning for each output in which the step, just ended, left nothing."""
    for output in place.step.container.outputs:
        folder = place.stage.written(output.path)
        if not folder.is_dir() or not any(folder.iterdir()):
            what = "no model" if place.step.container.training is not None else f"nothing as output {output.name!r}"
            yield f"it left {what}: {output.path} is empty"


def take(place: StepPlace[ContainerStep], metrics: Mapping[str, float], stop: threading.Event) -> Left:
    """Move what the step wrote to where it belongs, and say where that is."""
    return _take_model(place, metrics, stop) if place.step.container.training is not None else _take_outputs(place)


def _take_outputs(place: StepPlace[ContainerStep]) -> Left:
    step, store = place.step, place.request.store()
    addresses: dict[Key, str] = {}
    reports: dict[Key, Path] = {}
    for output in step.container.outputs:
        address = place.address(output)
        store.put(place.stage.written(output.path), address)
        addresses[step.name, output.name] = address
        for report, file in output.reports.items():
            reports[step.name, report] = store.path(address) / file
    return Left(addresses, reports, dict(_names(place)))


def _take_model(place: StepPlace[ContainerStep], metrics: Mapping[str, float], stop: threading.Event) -> Left:
    """Pack the model folder where the service would: `<output>/<job>/output/model.tar.gz`."""
    step, store, stage = place.step, place.request.store(), place.stage
    output = step.container.outputs[0]
    address = place.address(output)
    model = f"{address}{place.job_name}/output/model.tar.gz"
    pack(stage.written(output.path), store.path(model), stop)
    data = stage.written(f"{OPT_ML}/output/data")
    if data.is_dir() and any(data.iterdir()):
        pack(data, store.path(f"{address}{place.job_name}/output/output.tar.gz"), stop)
    words: dict[str, evaluate.Plain] = {
        "model": model,
        "output_uri": address,
        "image": image_name(step.container.image, place.known),
        **{f"metrics.{name}": value for name, value in metrics.items()},
    }
    return Left(properties={**dict(_names(place)), **{(step.name, word): value for word, value in words.items()}})


def _names(place: StepPlace[plan.Step]) -> Iterator[tuple[Key, evaluate.Plain]]:
    """Yield what a job is called; its ARN is as local as the run's."""
    yield (place.step.name, "job_name"), place.job_name
    yield (place.step.name, "arn"), f"local:{place.job_name}"


def image_name(image: plan.Image, known: evaluate.Known) -> str:
    """Return what an image is called here."""
    match image:
        case plan.Framework(framework=framework, version=version):
            return f"{framework}:{version}"
        case plan.Build(digest=digest):
            return f"{BUILT}:{digest[:32]}"
        case _:
            return evaluate.text(image, known)
