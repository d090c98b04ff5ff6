"""The graph: steps, what each needs, and the pipeline that holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Literal, get_args

from buzzflow.ir.jobs import Bundle, Job
from buzzflow.ir.values import Reference, Tree, Value
from buzzflow.ir.work import (
    AutoML,
    Callback,
    Check,
    Condition,
    Fail,
    Foreach,
    Lambda,
    Model,
    Notebook,
    Processing,
    RegisterModel,
    Service,
    Training,
    Transform,
    Tuning,
    Work,
)

_REFERENCES = frozenset(get_args(Reference))
_PLAIN = frozenset((str, int, float, bool, type(None)))


class When(StrEnum):
    """In which end of the other step this one may start."""

    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"
    ANY = "any"


class Because(StrEnum):
    """Why one step comes after another."""

    REFERENCE = "reference"  # it uses something of the other's
    ORDER = "depends_on"  # the user said so
    BRANCH = "branch"  # the other is the condition that it belongs to
    BODY = "foreach"  # the other is the foreach that runs it


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """This step comes after *step*."""

    step: str
    because: Because
    when: When = When.COMPLETED


@dataclass(frozen=True, slots=True)
class Branch:
    """The side of a condition that a step belongs to."""

    condition: str
    taken: bool  # True: `then`


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after one of *errors*; exactly one of *max_attempts* and *give_up_after* is set."""

    errors: tuple[str, ...]
    interval: int = 1
    backoff: float = 2.0
    max_attempts: int | None = None
    give_up_after: int | None = None


@dataclass(frozen=True, slots=True)
class Cache:
    """Use an earlier result of the same work; *expire_after* is None for as long as the service keeps it."""

    enabled: bool = True
    expire_after: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the graph; *inside* is the foreach step whose body it belongs to.

    *patch* lies over its request, *step_patch* over what a backend says of the step itself.
    """

    name: str
    work: Work
    needs: tuple[Need, ...] = ()
    branch: Branch | None = None
    inside: str | None = None
    display_name: str | None = None
    description: str | None = None
    retry: tuple[Retry, ...] = ()
    cache: Cache | None = None
    patch: Tree = None
    step_patch: Tree = None


ParameterType = Literal["string", "integer", "float", "boolean"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value chosen when a run starts; without default it must be given."""

    name: str
    type: ParameterType
    default: str | int | float | bool | None = None
    choices: tuple[str | int | float, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """What an environment.yaml says of the place that pipelines are deployed to."""

    name: str
    account: str | None = None
    region: str | None = None
    bucket: str | None = None
    name_prefix: str = ""
    deploy_from: tuple[str, ...] = ("laptop", "ci")
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """What one run may cost at most, in USD, and what to do where that is unknown.

    *environment* is the one that set the amount; None when the pipeline did.
    """

    max_cost_per_run: float
    unknown: Literal["warn", "fail", "allow"] = "warn"
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A whole pipeline; *steps* stand in an order in which each comes after what it needs."""

    name: str
    steps: tuple[Step, ...]
    parameters: tuple[Parameter, ...] = ()
    environment: Environment | None = None
    description: str | None = None
    owner: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    parallelism: int | None = None
    experiment: tuple[Value, Value] | None = None  # its name, and that of the run in it
    budget: Budget | None = None
    patch: Tree = None  # over the whole definition

    def step(self, name: str) -> Step:
        """Return the step called *name*; KeyError when there is none."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)


def job_of(step: Step) -> Job | None:
    """Return what *step* runs in a container that is described here, if it does."""
    match step.work:
        case Processing(job=job) | Training(job=job) | Check(job=job) | Notebook(job=job) | Transform(job=job):
            return job
        case Tuning(training=training):
            return training.job
        case (
            Model() | RegisterModel() | Condition() | Fail() | Foreach() | Lambda() | Callback() | AutoML() | Service()
        ):
            return None


def references(thing: object) -> Iterator[Reference]:
    """Yield every reference anywhere inside *thing*, in the order of its fields."""
    found: list[Reference] = []
    _collect(thing, found)
    yield from found


def _collect(thing: object, found: list[Reference]) -> None:
    kind: type = type(thing)
    if kind is tuple:
        for item in thing:  # type: ignore[attr-defined]  # it is a tuple
            if type(item) not in _PLAIN:
                _collect(item, found)
        return
    if kind in _REFERENCES:
        found.append(thing)  # type: ignore[arg-type]  # it is one of them
    for name in _parts(kind):
        part = getattr(thing, name)
        if type(part) not in _PLAIN:
            _collect(part, found)


@cache
def _parts(kind: type) -> tuple[str, ...]:
    """Return the names of the fields to look into; a bundle has many files, and no reference in them."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) and kind is not Bundle else ()
