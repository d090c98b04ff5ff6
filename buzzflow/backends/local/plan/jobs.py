"""What jobs are made of: code, data, image, and what a training, a tuning or a model has on top."""

from __future__ import annotations

from typing import Literal

from buzzflow.backends.local.plan.expressions import Expression, Lookup, NumberExpression, PlanData


class CodeFile(PlanData):
    """A file of the repository that travels with the plan, by digest."""

    path: str
    sha256: str
    size: int
    executable: bool = False


class Files(PlanData):
    """Files of the repository, read as data."""

    digest: str
    files: list[CodeFile]


class Input(PlanData):
    """Data at *path*, from an address or from the repository; None is what only `local.data` can name."""

    name: str
    source: Expression | Files | None
    path: str
    extract: bool = False  # unpack its archives before the script starts
    distribution: Literal["replicate", "shard"] = "replicate"


class Output(PlanData):
    """Data written to *path*; *reports* are the JSON files in it, by name. *to* None is a folder of the run."""

    name: str
    path: str
    to: Expression | None = None
    reports: dict[str, str] = {}


class Framework(PlanData):
    """An image of the service, for which a local one stands in."""

    framework: str
    version: str


class Build(PlanData):
    """An image that is built from files of the repository."""

    digest: str
    files: list[CodeFile]


Image = Expression | Framework | Build


class Code(PlanData):
    """The step's bundle, and where it lies in the container."""

    digest: str
    path: str
    files: list[CodeFile]
    requirements: str | None = None  # sha256 of the requirements file in the bundle


class Training(PlanData):
    """What a training has on top."""

    hyperparameters: dict[str, Expression] = {}
    metrics: dict[str, str] = {}
    input_mode: Literal["file", "fast_file", "pipe"] = "file"
    checkpoints: str | None = None  # folder in the container
    checkpoints_to: Expression | None = None  # None is a folder of the run
    algorithm: bool = False  # one of the service stands in place of image and code


class Container(PlanData):
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


class Range(PlanData):
    """What a hyperparameter may be; *low* and *high* of a number, *values* of a choice."""

    name: str
    kind: Literal["integer", "continuous", "values"]
    low: float = 0.0
    high: float = 0.0
    values: list[str] = []
    scale: str | None = None


class Search(PlanData):
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


class ServingContainer(PlanData):
    """A container that serves a model."""

    image: Image
    model: Expression | None = None
    environment: dict[str, Expression] = {}
    name: Expression | None = None
