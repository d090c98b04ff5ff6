"""What steps do, by type. Durations are whole seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from buzzflow.ir.conditions import Test
from buzzflow.ir.jobs import Encryption, Image, Job, Network, Output
from buzzflow.ir.values import Number, Pairs, Reference, Tree, Value


@dataclass(frozen=True, slots=True)
class Processing:
    """A job that turns data into data."""

    type: ClassVar[str] = "processing"
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
    """A job that makes a model. Its one output, the model, has the name `model`.

    *debugger* and *profiler* are parts of the request in the service's words; *algorithm* stands in place of an image.
    """

    type: ClassVar[str] = "training"
    job: Job
    hyperparameters: Pairs = ()
    metrics: tuple[tuple[str, str], ...] = ()
    input_mode: Literal["file", "fast_file", "pipe"] = "file"
    spot: Spot | None = None
    checkpoints: Checkpoints | None = None
    algorithm: Value | None = None
    debugger: Tree = None
    profiler: Tree = None


@dataclass(frozen=True, slots=True)
class Range:
    """What a hyperparameter may be; *low* and *high* of a number, *values* of a choice."""

    name: str
    kind: Literal["integer", "continuous", "values"]
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()
    scale: str | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What a tuning job searches, and for how long."""

    metric: str
    maximize: bool
    ranges: tuple[Range, ...]
    strategy: str = "bayesian"
    max_jobs: Number | None = None
    max_parallel_jobs: Number = 1
    early_stopping: bool = False
    timeout: int | None = None
    warm_start: tuple[Value, ...] = ()
    same_data: bool = True


@dataclass(frozen=True, slots=True)
class Tuning:
    """Trainings with other hyperparameters each, of which the best wins."""

    type: ClassVar[str] = "tuning"
    training: Training
    search: Search


@dataclass(frozen=True, slots=True)
class TransformInput:
    """The records that a model is asked about."""

    source: Value
    content_type: Value | None = None
    data_type: Literal["prefix", "manifest", "augmented_manifest"] = "prefix"
    compression: Literal["none", "gzip"] = "none"
    split: Literal["none", "line", "recordio", "tfrecord"] = "none"


@dataclass(frozen=True, slots=True)
class Transform:
    """A batch of records through a model; *job* has no image: the model brings its own."""

    type: ClassVar[str] = "transform"
    model: Value
    input: TransformInput
    job: Job
    accept: Value | None = None
    assemble: Literal["none", "line"] = "none"
    input_filter: Value | None = None
    output_filter: Value | None = None
    join: bool = False
    strategy: str | None = None
    max_payload_mb: Number | None = None
    max_concurrent: Number | None = None


@dataclass(frozen=True, slots=True)
class ServingContainer:
    """A container that serves a model."""

    image: Image
    model: Value | None = None
    environment: Pairs = ()
    name: Value | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A model that transform steps and endpoints use: one container, or several in a row."""

    type: ClassVar[str] = "model"
    containers: tuple[ServingContainer, ...]
    network: Network | None = None
    role: Value | None = None
    tags: Pairs = ()


@dataclass(frozen=True, slots=True)
class RegisterModel:
    """A new version of a model in a registry; *checks* are check steps by what they check."""

    type: ClassVar[str] = "register_model"
    group: Value
    containers: tuple[ServingContainer, ...]
    registry: Literal["mlflow", "sagemaker"]
    content_types: tuple[Value, ...] = ()
    response_types: tuple[Value, ...] = ()
    realtime_instance_types: tuple[str, ...] = ()
    transform_instance_types: tuple[str, ...] = ()
    approval: Value = "pending"
    metrics: Pairs = ()
    checks: tuple[tuple[str, CheckReference], ...] = ()
    drift_baselines: Tree = None
    metadata: Pairs = ()
    task: str | None = None
    sample_payload: Value | None = None


@dataclass(frozen=True, slots=True)
class CheckReference:
    """What a check step found: addresses of its statistics and constraints, where its kind has them."""

    step: str
    statistics: Reference | None
    constraints: Reference


@dataclass(frozen=True, slots=True)
class Condition:
    """Chooses which steps run: every one named in *then* or *otherwise* belongs to that branch.

    A test of no tests, `All(())`, is said in the service's own words, in the step's patch.
    """

    type: ClassVar[str] = "condition"
    test: Test
    then: tuple[str, ...]
    otherwise: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fail:
    """Ends the run as failed, with a message."""

    type: ClassVar[str] = "fail"
    message: Value


@dataclass(frozen=True, slots=True)
class Foreach:
    """Runs the steps of *body* once for every item of a list that only the run knows."""

    type: ClassVar[str] = "foreach"
    items: Value
    max_concurrency: int
    body: tuple[str, ...]


CallOutputs = tuple[tuple[str, Literal["string", "integer", "float", "boolean"]], ...]


@dataclass(frozen=True, slots=True)
class Lambda:
    """A call of a function of AWS Lambda."""

    type: ClassVar[str] = "lambda"
    function: Value
    arguments: Tree = None
    outputs: CallOutputs = ()


@dataclass(frozen=True, slots=True)
class Callback:
    """A message in a queue of Amazon SQS, to which somebody answers."""

    type: ClassVar[str] = "callback"
    queue: Value
    arguments: Tree = None
    outputs: CallOutputs = ()


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a check compares with."""

    register_new: bool | Reference = False
    statistics: Value | None = None
    constraints: Value | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A comparison with a baseline, in an image of the service; *analysis* is in its words."""

    check: Literal["data_quality", "model_quality", "data_bias", "model_bias", "model_explainability"]
    job: Job
    dataset: Value
    format: str
    skip: bool | Reference = False
    fail_on_violation: bool | Reference = True
    baseline: Baseline = Baseline()
    model_group: Value | None = None
    model: Value | None = None
    analysis: Tree = None

    @property
    def type(self) -> str:
        """The language's word for a check of this kind."""
        return "quality_check" if self.check in ("data_quality", "model_quality") else "clarify_check"


@dataclass(frozen=True, slots=True)
class Table:
    """Data for AutoML: `training` or `validation`."""

    name: str
    source: Value
    content_type: Value | None = None
    compression: Literal["none", "gzip"] = "none"


@dataclass(frozen=True, slots=True)
class AutoML:
    """A search over algorithms for a table; *inputs* are its training and validation data."""

    type: ClassVar[str] = "automl"
    target: Value
    inputs: tuple[Table, ...]
    output: Output
    role: Value | None
    network: Network | None
    encryption: Encryption
    problem: str | None = None
    objective: str | None = None
    max_candidates: int | None = None
    timeout: Number | None = None
    tags: Pairs = ()


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook that an image of SageMaker Studio runs; *notebook* and *setup_script* are paths in the bundle."""

    type: ClassVar[str] = "notebook"
    job: Job
    notebook: str
    kernel: str
    parameters: Pairs = ()
    setup_script: str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A step in the service's own words: *type* is the language's word for it, *step_type* the definition's."""

    type: str
    step_type: str
    arguments: Tree = None
    members: Tree = None
    role: Value | None = None
    encryption: Encryption | None = None
    timeout: Number | None = None
    tags: Pairs = ()


Work = (
    Processing
    | Training
    | Tuning
    | Transform
    | Model
    | RegisterModel
    | Condition
    | Fail
    | Foreach
    | Lambda
    | Callback
    | Check
    | AutoML
    | Notebook
    | Service
)
