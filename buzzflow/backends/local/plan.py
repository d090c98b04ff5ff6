"""The run plan: a pipeline compiled for this machine, as data that travels as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from buzzflow.backends.local.expressions import (
    PLAIN_DATA,
    Compare,
    DescribePath,
    Every,
    Expression,
    Items,
    ItemValue,
    Join,
    Lookup,
    Member,
    Members,
    Negation,
    NumberExpression,
    OutputAddress,
    ParameterValue,
    ReportValue,
    RunValue,
    Scalar,
    Some,
    StepProperty,
    StoredValue,
    Test,
    Tree,
)

__all__ = [
    "Branch",
    "Build",
    "CallbackStep",
    "Code",
    "CodeFile",
    "Compare",
    "ConditionStep",
    "Container",
    "ContainerStep",
    "DescribePath",
    "Every",
    "Expression",
    "FailStep",
    "Files",
    "ForeachStep",
    "Framework",
    "Image",
    "Input",
    "ItemValue",
    "Items",
    "Join",
    "LambdaStep",
    "Lookup",
    "Member",
    "Members",
    "ModelStep",
    "Need",
    "Negation",
    "NumberExpression",
    "Output",
    "OutputAddress",
    "Parameter",
    "ParameterValue",
    "ProcessingStep",
    "Range",
    "RegisterModelStep",
    "ReportValue",
    "RunPlan",
    "RunValue",
    "Scalar",
    "Search",
    "ServiceStep",
    "ServiceType",
    "ServingContainer",
    "Some",
    "Step",
    "StepProperty",
    "StoredValue",
    "Test",
    "Training",
    "TrainingStep",
    "TransformStep",
    "Tree",
    "TuningStep",
    "every_step",
]


class _Data(BaseModel):
    model_config = PLAIN_DATA


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
    distribution: Literal["replicate", "shard"] = "replicate"


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


Image = Expression | Framework | Build


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
    algorithm: bool = False  # one of the service stands in place of image and code


class Container(_Data):
    """What a processing or training step runs."""

    image: Image
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
    """What all steps have; *copy_of* is the step of a foreach's body that this one is a copy of."""

    name: str
    needs: list[Need] = []
    branch: Branch | None = None
    retry: list[Retry] = []
    cache: Caching | None = None
    copy_of: str | None = None

    @property
    def written(self) -> str:
        """The name that the step has in the file."""
        return self.copy_of or self.name


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


class Range(_Data):
    """What a hyperparameter may be; *low* and *high* of a number, *values* of a choice."""

    name: str
    kind: Literal["integer", "continuous", "values"]
    low: float = 0.0
    high: float = 0.0
    values: list[str] = []
    scale: str | None = None


class Search(_Data):
    """What a tuning searches, and for how long."""

    metric: str
    maximize: bool
    ranges: list[Range]
    strategy: str = "bayesian"
    max_jobs: NumberExpression | None = None
    max_parallel_jobs: NumberExpression = 1
    early_stopping: bool = False
    warm_start: bool = False
    timeout: int | None = None


class TuningStep(_Step):
    """Trainings with other hyperparameters each, of which the best wins."""

    type: Literal["tuning"] = "tuning"
    container: Container
    search: Search


class ServingContainer(_Data):
    """A container that serves a model."""

    image: Image
    model: Expression | None = None
    environment: dict[str, Expression] = {}
    name: Expression | None = None


class ModelStep(_Step):
    """A model that transform steps and endpoints use."""

    type: Literal["model"] = "model"
    containers: list[ServingContainer]
    isolation: bool | Lookup = False


class TransformStep(_Step):
    """A batch of records through a model; *timeout* is for one request."""

    type: Literal["transform"] = "transform"
    model: Expression
    source: Expression
    content_type: Expression | None = None
    data_type: Literal["prefix", "manifest", "augmented_manifest"] = "prefix"
    compression: Literal["none", "gzip"] = "none"
    split: Literal["none", "line", "recordio", "tfrecord"] = "none"
    accept: Expression | None = None
    assemble: Literal["none", "line"] = "none"
    input_filter: Expression | None = None
    output_filter: Expression | None = None
    join: bool = False
    strategy: str | None = None
    max_payload_mb: NumberExpression | None = None
    max_concurrent: NumberExpression | None = None
    timeout: NumberExpression | None = None
    environment: dict[str, Expression] = {}
    output: Output


class RegisterModelStep(_Step):
    """A new version of a model in a registry; *details* are the rest of the request, for people."""

    type: Literal["register_model"] = "register_model"
    registry: Literal["mlflow", "sagemaker"]
    group: Expression
    containers: list[ServingContainer]
    approval: Expression = "PendingManualApproval"
    metadata: dict[str, Expression] = {}
    details: Tree = None


class LambdaStep(_Step):
    """A call of a function."""

    type: Literal["lambda"] = "lambda"
    function: Expression
    arguments: Tree = None
    outputs: dict[str, Literal["string", "integer", "float", "boolean"]] = {}


class CallbackStep(_Step):
    """A message in a queue, to which somebody answers."""

    type: Literal["callback"] = "callback"
    queue: Expression
    arguments: Tree = None
    outputs: dict[str, Literal["string", "integer", "float", "boolean"]] = {}


ServiceType = Literal[
    "quality_check",
    "clarify_check",
    "automl",
    "notebook",
    "emr",
    "emr_serverless",
    "endpoint_config",
    "endpoint",
    "inference_component",
    "lineage",
    "job",
    "cleanup",
    "raw",
]


class ServiceStep(_Step):
    """What only the service does; *request* is in its words, where the language has none of its own."""

    type: ServiceType
    request: Tree = None


class ForeachStep(_Step):
    """Runs the steps of *body* once for every item of a list that only the run knows."""

    type: Literal["foreach"] = "foreach"
    items: Expression
    max_concurrency: int = 1
    body: list[Step]


ContainerStep = ProcessingStep | TrainingStep | TuningStep
Step = Annotated[
    ProcessingStep
    | TrainingStep
    | TuningStep
    | TransformStep
    | ModelStep
    | RegisterModelStep
    | ConditionStep
    | FailStep
    | ForeachStep
    | LambdaStep
    | CallbackStep
    | ServiceStep,
    Field(discriminator="type"),
]


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


def every_step(steps: list[Step]) -> Iterator[Step]:
    """Yield the steps, and after each foreach those of its body."""
    for step in steps:
        yield step
        if isinstance(step, ForeachStep):
            yield from every_step(step.body)
