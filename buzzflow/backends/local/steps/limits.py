"""Refuse here what the service would refuse of a job once its references are known, and tell what its disk is for.

What stands in the file is checked when the pipeline is compiled for the service; here it is what a parameter, a report
or another step has made of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from buzzflow.backends import service
from buzzflow.backends.local import evaluate
from buzzflow.backends.local.executor import Mount
from buzzflow.backends.local.steps.results import ContainerStep, StepPlace

_GIB = 2**30


class RefusedError(Exception):
    """The service would not take the job; the text says why."""


def refuse(place: StepPlace[ContainerStep]) -> None:
    """Raise RefusedError with all that the service would not take of the step, now that everything is known."""
    container, known = place.step.container, place.known
    training = container.training
    limits = service.PROCESSING if training is None else service.TRAINING
    environment = {k: evaluate.text(v, known) for k, v in container.environment.items()}
    hyperparameters = {k: evaluate.text(v, known) for k, v in training.hyperparameters.items()} if training else {}
    timeout = 1 if container.timeout is None else evaluate.number(container.timeout, known)
    problems = [
        *_words("argument", [evaluate.text(a, known) for a in container.arguments]),
        *_words("word of the entrypoint", [evaluate.text(w, known) for w in container.entrypoint or ()]),
        *_too_many("environment variables", len(environment), service.VARIABLES),
        *(p for k, v in environment.items() for p in _too_long(f"variable {k}", v, limits.variable)),
        *_too_many("inputs", len(container.inputs) + (container.code is not None), limits.inputs),
        *_too_many("hyperparameters", len(hyperparameters), service.HYPERPARAMETERS),
        *(p for k, v in hyperparameters.items() for p in _one_line(f"hyperparameter {k}", v, service.HYPERPARAMETER)),
        *_out_of_range("instances", evaluate.number(container.instance_count, known), limits.count),
        *_out_of_range("GB of disk", _gigabytes(place), limits.volume),
        *_out_of_range("seconds of timeout", timeout, limits.timeout),
    ]
    if training is None:
        problems += _too_many("outputs", len(container.outputs), service.OUTPUTS)
    if problems:
        raise RefusedError("; ".join(problems))


def too_large(place: StepPlace[ContainerStep], mounts: Sequence[Mount]) -> Iterator[str]:
    """Yield a warning when what the step read and wrote would not fit the disk that it asks for."""
    asked = _gigabytes(place)
    used = sum(_bytes_below(mount.source) for mount in mounts)
    if used > asked * _GIB:
        told = f"{used / _GIB:.1f} GB of inputs, outputs and files"
        yield f"{told} do not fit the disk that it asks for on SageMaker, instance.volume_size_gb: {asked}"


def _gigabytes(place: StepPlace[ContainerStep]) -> int:
    return evaluate.number(place.step.container.volume_size_gb, place.known)


def _bytes_below(place: Path) -> int:
    if place.is_file():
        return place.stat().st_size
    found = 0
    for folder, _, files in os.walk(place):
        found += sum(Path(folder, name).lstat().st_size for name in files)
    return found


def _words(what: str, words: Sequence[str]) -> Iterator[str]:
    yield from _too_many(f"{what}s" if what == "argument" else "words of the entrypoint", len(words), service.WORDS)
    for number, word in enumerate(words, 1):
        yield from _one_line(f"{what} {number}", word, service.WORD)


def _one_line(what: str, value: str, limit: int) -> Iterator[str]:
    yield from _too_long(what, value, limit)
    if "\n" in value or "\r" in value:
        yield f"{what} has several lines, and SageMaker takes one"


def _too_long(what: str, value: str, limit: int) -> Iterator[str]:
    if len(value) > limit:
        yield f"{what} has {len(value)} characters, and SageMaker takes {limit}"


def _too_many(what: str, number: int, limit: int) -> Iterator[str]:
    if number > limit:
        yield f"{number} {what} are more than the {limit} that SageMaker takes"


def _out_of_range(what: str, value: int, bounds: tuple[int, int | None]) -> Iterator[str]:
    low, high = bounds
    if value < low or (high is not None and value > high):
        allowed = f"at least {low}" if high is None else f"{low} to {high}"
        yield f"{value} {what} are outside of what SageMaker takes, {allowed}"
