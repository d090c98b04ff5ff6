"""What a pipeline means, for every backend: frozen data, no service's words.

A `Value` is text that may hold references. Durations are whole seconds, sizes are in the unit that the name says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Literal


class Kind(StrEnum):
    """What a reference gives."""

    URI = "uri"  # a folder or object in the store
    ARTIFACT = "artifact"  # the store's address of a trained model
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    UNKNOWN = "unknown"  # a value in a report: known when it has been read


# ------------------------------------------------------------------ references


@dataclass(frozen=True, slots=True)
class ParameterReference:
    """The value that a parameter has in this run."""

    parameter: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class OutputReference:
    """Where a step put one of its declared outputs."""

    step: str
    output: str
    kind: Kind = Kind.URI


@dataclass(frozen=True, slots=True)
class PropertyReference:
    """What a step's type gives, by the language's word for it: `model`, `job_name`, `metrics.auc`."""

    step: str
    word: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class DescribeReference:
    """A raw path into what the service says of the finished step: `${step:S.properties.A.0.B}`."""

    step: str
    path: tuple[str, ...]
    kind: Kind = Kind.UNKNOWN


@dataclass(frozen=True, slots=True)
class JsonReference:
    """A value inside a JSON report of a step; *file* is the report's declared name."""

    step: str
    file: str
    path: tuple[str, ...]
    kind: Kind = Kind.UNKNOWN


RunField = Literal["id", "arn", "pipeline", "pipeline_arn", "start_time", "now"]


@dataclass(frozen=True, slots=True)
class RunReference:
    """Something about the run itself."""

    field: RunField
    kind: Kind = Kind.TEXT


Reference = ParameterReference | OutputReference | PropertyReference | DescribeReference | JsonReference | RunReference
StepReference = OutputReference | PropertyReference | DescribeReference | JsonReference


@dataclass(frozen=True, slots=True)
class Text:
    """Literals and references side by side: at least two parts, or one reference that must become text."""

    parts: tuple[str | Reference, ...]


Value = str | Reference | Text
Number = int | Reference
Pairs = tuple[tuple[str, Value], ...]  # a mapping, in the order of the YAML

# ------------------------------------------------------------------ conditions

Operand = Reference | str | int | float | bool
Operator = Literal["==", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`; `!=` is a `Not` around `==`."""

    operator: Operator
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether *value* is one of *options*."""

    value: Operand
    options: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when *test* is false."""

    test: Test


@dataclass(frozen=True, slots=True)
class All:
    """True when every test is: two at least."""

    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """True when a test is: two at least."""

    tests: tuple[Test, ...]


Test = Comparison | Membership | Not | All | Any

# ------------------------------------------------------------------ what a job needs


@dataclass(frozen=True, slots=True)
class ImageUri:
    """A container image by its address."""

    uri: Value


@dataclass(frozen=True, slots=True)
class FrameworkImage:
    """An image of the service for a framework; the address depends on region and instance."""

    framework: str
    version: str
    python: str | None = None
    accelerator: Literal["cpu", "gpu"] | None = None


Image = ImageUri | FrameworkImage


@dataclass(frozen=True, slots=True)
class BundleFile:
    """One file that travels with a step: its path in the bundle (posix), and its content by digest."""

    path: str
    sha256: str
    size: int
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Bundle:
    """The code of a step, addressed by content: equal files, equal digest, on every machine."""

    digest: str
    files: tuple[BundleFile, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Our entry script starts *entry_point* (its path in the bundle) with *interpreter*."""

    entry_point: str
    interpreter: str
    bundle: Bundle
    requirements: str | None = None  # its path in the bundle


@dataclass(frozen=True, slots=True)
class Instance:
    """The machines that a job runs on."""

    type: Value = "ml.m5.xlarge"
    count: Number = 1
    volume_size_gb: Number = 30
    keep_alive: int | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """Where a job may connect."""

    subnets: tuple[Value, ...] = ()
    security_group_ids: tuple[Value, ...] = ()
    isolation: bool | Reference = False
    encrypt_traffic: bool | Reference = False


@dataclass(frozen=True, slots=True)
class Encryption:
    """The keys for a job's disk and for what it writes."""

    volume_key: Value | None = None
    output_key: Value | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """Data that a job reads from *path*; *source* is an address in the store, or a reference to one."""

    name: str
    source: Value
    path: str
    content_type: Value | None = None
    distribution: Literal["replicate", "shard"] = "replicate"
    mode: Literal["file", "fast_file", "pipe"] | None = None
    data_type: Literal["prefix", "manifest", "augmented_manifest"] = "prefix"
    compression: Literal["none", "gzip"] = "none"


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A file in an output whose values `${json:…}` reads."""

    name: str
    file: str


@dataclass(frozen=True, slots=True)
class Output:
    """Data that a job writes to *path*; without *to* the backend chooses the place."""

    name: str
    path: str
    to: Value | None = None
    upload: Literal["end", "continuous"] = "end"
    reports: tuple[JsonFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """What processing and training have in common: a container, its data, its machine.

    With *code*, our entry script runs it. With *entrypoint*, exactly that runs. With neither, the image's own.
    """

    image: Image
    code: Code | None = None
    entrypoint: tuple[Value, ...] | None = None
    arguments: tuple[Value, ...] = ()
    environment: Pairs = ()
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    instance: Instance = Instance()
    network: Network | None = None
    encryption: Encryption = Encryption()
    role: Value | None = None
    timeout: Number | None = None
    tags: Pairs = ()


@dataclass(frozen=True, slots=True)
class Processing:
    """A job that turns data into data."""

    job: Job


@dataclass(frozen=True, slots=True)
class Spot:
    """Cheaper machines that may be taken away; *wait* is the time for capacity, on top of the timeout."""

    wait: int


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Where a training keeps what it needs to go on after an interruption."""

    path: str
    to: Value | None = None


@dataclass(frozen=True, slots=True)
class Training:
    """A job that makes a model. Its one output, the model, has the name `model`."""

    job: Job
    hyperparameters: Pairs = ()
    metrics: tuple[tuple[str, str], ...] = ()
    input_mode: Literal["file", "fast_file", "pipe"] = "file"
    spot: Spot | None = None
    checkpoints: Checkpoints | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Chooses which steps run: every one named in *then* or *otherwise* belongs to that branch."""

    test: Test
    then: tuple[str, ...]
    otherwise: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fail:
    """Ends the run as failed, with a message."""

    message: Value


Work = Processing | Training | Condition | Fail

# ------------------------------------------------------------------ the graph


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
    """One node of the graph."""

    name: str
    work: Work
    needs: tuple[Need, ...] = ()
    branch: Branch | None = None
    display_name: str | None = None
    description: str | None = None
    retry: tuple[Retry, ...] = ()
    cache: Cache | None = None


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

    def step(self, name: str) -> Step:
        """Return the step called *name*; KeyError when there is none."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)


def job_of(step: Step) -> Job | None:
    """Return what *step* runs in a container, if it runs anything there."""
    match step.work:
        case Processing(job=job) | Training(job=job):
            return job
        case Condition() | Fail():
            return None


def references(thing: object) -> Iterator[Reference]:
    """Yield every reference anywhere inside *thing*, in the order of its fields."""
    match thing:
        case (
            ParameterReference()
            | OutputReference()
            | PropertyReference()
            | DescribeReference()
            | JsonReference()
            | RunReference()
        ):
            yield thing
        case tuple():
            for item in thing:
                yield from references(item)
        case _ if is_dataclass(thing):
            for field in fields(thing):
                yield from references(getattr(thing, field.name))
        case _:
            return
