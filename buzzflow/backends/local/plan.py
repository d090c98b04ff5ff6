"""The run plan: a pipeline compiled for this machine, as data that travels as JSON.

Expressions are what only the run knows: a parameter's value, where a step put an output, a value in its report.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, strict=True)


class ParameterValue(_Data):
    """The value of a parameter."""

    get: Literal["parameter"] = "parameter"
    name: str


class OutputAddress(_Data):
    """Where a step put an output: `s3://…`, which the local store maps to a folder."""

    get: Literal["output"] = "output"
    step: str
    name: str


class StepProperty(_Data):
    """What a finished step gives, by the language's word: model, job_name, metrics.auc, outcome, …"""

    get: Literal["property"] = "property"
    step: str
    word: str


class DescribePath(_Data):
    """A raw path into what the service says of a step: known on the service only."""

    get: Literal["describe"] = "describe"
    step: str
    path: list[str]


class ReportValue(_Data):
    """A value in a JSON report of a step."""

    get: Literal["report"] = "report"
    step: str
    report: str
    path: list[str]


class StoredValue(_Data):
    """A value in a JSON file in the store."""

    get: Literal["stored"] = "stored"
    uri: Expression
    path: list[str]


class RunValue(_Data):
    """Something about the run."""

    get: Literal["run"] = "run"
    field: Literal["id", "arn", "pipeline", "pipeline_arn", "start_time", "now"]


class Join(_Data):
    """Text made of parts."""

    get: Literal["join"] = "join"
    parts: list[Expression]


Lookup = Annotated[
    ParameterValue | OutputAddress | StepProperty | DescribePath | ReportValue | StoredValue | RunValue | Join,
    Field(discriminator="get"),
]
Expression = str | Lookup
NumberExpression = int | Lookup
Scalar = str | int | float | bool | Lookup


class Compare(_Data):
    """`left operator right`."""

    test: Literal["compare"] = "compare"
    operator: Literal["==", "<", "<=", ">", ">="]
    left: Scalar
    right: Scalar


class Member(_Data):
    """Whether *value* is one of *options*."""

    test: Literal["member"] = "member"
    value: Scalar
    options: list[Scalar]


class Negation(_Data):
    """True when *of* is false."""

    test: Literal["not"] = "not"
    of: Test


class Every(_Data):
    """True when all of them are."""

    test: Literal["all"] = "all"
    of: list[Test]


class Some(_Data):
    """True when one of them is."""

    test: Literal["any"] = "any"
    of: list[Test]


Test = Annotated[Compare | Member | Negation | Every | Some, Field(discriminator="test")]


class CodeFile(_Data):
    """A file of the repository that travels with the plan, by digest."""

    path: str
    sha256: str
    size: int
    executable: bool = False


class Files(_Data):
    """Files of the repository, read as data."""

    digest: str
    files: list[CodeFile]


class Input(_Data):
    """Data at *path*, from an address or from the repository; None is what only `local.data` can name."""

    name: str
    source: Expression | Files | None
    path: str
    extract: bool = False  # unpack its archives before the script starts


class Output(_Data):
    """Data written to *path*; *reports* are the JSON files in it, by name. *to* None is a folder of the run."""

    name: str
    path: str
    to: Expression | None = None
    reports: dict[str, str] = {}


class Framework(_Data):
    """An image of the service, for which a local one stands in."""

    framework: str
    version: str


class Build(_Data):
    """An image that is built from files of the repository."""

    digest: str
    files: list[CodeFile]


class Code(_Data):
    """The step's bundle, and where it lies in the container."""

    digest: str
    path: str
    files: list[CodeFile]
    requirements: str | None = None  # sha256 of the requirements file in the bundle


class Training(_Data):
    """What a training has on top."""

    hyperparameters: dict[str, Expression] = {}
    metrics: dict[str, str] = {}
    input_mode: Literal["file", "fast_file", "pipe"] = "file"
    checkpoints: str | None = None  # folder in the container
    checkpoints_to: Expression | None = None  # None is a folder of the run


class Container(_Data):
    """What a processing or training step runs."""

    image: Expression | Framework | Build
    entrypoint: list[Expression] | None = None
    arguments: list[Expression] = []
    environment: dict[str, Expression] = {}
    secrets: list[str] = []  # variables that the shell must have: their values never stand here
    inputs: list[Input] = []
    outputs: list[Output] = []
    code: Code | None = None
    isolation: bool | Lookup = False
    timeout: NumberExpression | None = None
    instance_type: Expression = "ml.m5.xlarge"
    instance_count: NumberExpression = 1
    volume_size_gb: NumberExpression = 30
    training: Training | None = None


class Need(_Data):
    """The step comes after another."""

    step: str
    because: Literal["reference", "depends_on", "branch", "foreach"]
    when: Literal["completed", "failed", "stopped", "any"] = "completed"


class Branch(_Data):
    """The side of a condition that the step belongs to."""

    condition: str
    taken: bool


class Retry(_Data):
    """Try again after one of *errors*; durations are in seconds, *max_attempts* counts further tries."""

    errors: list[str]
    interval: int = 1
    backoff: float = 2.0
    max_attempts: int | None = None
    give_up_after: int | None = None


class Caching(_Data):
    """An earlier result counts when *fields* are equal, and it is not older than *expire_after*, in seconds."""

    expire_after: int | None = None
    fields: dict[str, Expression]


class _Step(_Data):
    name: str
    needs: list[Need] = []
    branch: Branch | None = None
    retry: list[Retry] = []
    cache: Caching | None = None


class ProcessingStep(_Step):
    """Turns data into data."""

    type: Literal["processing"] = "processing"
    container: Container


class TrainingStep(_Step):
    """Makes a model."""

    type: Literal["training"] = "training"
    container: Container


class ConditionStep(_Step):
    """Chooses a branch."""

    type: Literal["condition"] = "condition"
    test: Test


class FailStep(_Step):
    """Ends the run as failed."""

    type: Literal["fail"] = "fail"
    message: Expression


Step = Annotated[ProcessingStep | TrainingStep | ConditionStep | FailStep, Field(discriminator="type")]


class Parameter(_Data):
    """A value chosen at start."""

    name: str
    type: Literal["string", "integer", "float", "boolean"]
    default: str | int | float | bool | None = None
    choices: list[str | int | float] = []


class RunPlan(_Data):
    """A whole pipeline for this machine; *prefix* is the address under which a run's own outputs lie."""

    version: Literal[1] = 1
    pipeline: str
    prefix: str
    parameters: list[Parameter] = []
    parallelism: int | None = None
    not_tried: list[str] = []  # features that only the service has, told once
    steps: list[Step]
