"""The steps of a run plan, by kind, and the plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from buzzflow.backends.local.plan.expressions import Expression, Lookup, NumberExpression, PlanData, Test, Tree
from buzzflow.backends.local.plan.jobs import Container, Output, Search, ServingContainer


class Need(PlanData):
    """The step comes after another."""

    step: str
    because: Literal["reference", "depends_on", "branch", "foreach"]
    when: Literal["completed", "failed", "stopped", "any"] = "completed"


class Branch(PlanData):
    """The side of a condition that the step belongs to."""

    condition: str
    taken: bool


class Retry(PlanData):
    """Try again after one of *errors*; durations are in seconds, *max_attempts* counts further tries."""

    errors: list[str]
    interval: int = 1
    backoff: float = 2.0
    max_attempts: int | None = None
    give_up_after: int | None = None


class Caching(PlanData):
    """An earlier result counts when *fields* are equal, and it is not older than *expire_after*, in seconds."""

    expire_after: int | None = None
    fields: dict[str, Expression]


class _Step(PlanData):
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


class TuningStep(_Step):
    """Trainings with other hyperparameters each, of which the best wins."""

    type: Literal["tuning"] = "tuning"
    container: Container
    search: Search


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


class Parameter(PlanData):
    """A value chosen at start."""

    name: str
    type: Literal["string", "integer", "float", "boolean"]
    default: str | int | float | bool | None = None
    choices: list[str | int | float] = []


class RunPlan(PlanData):
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
