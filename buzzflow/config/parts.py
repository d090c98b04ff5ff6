"""The parts that step types share: image, code, machine, network, inputs, outputs, retry, cache."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from buzzflow.config.values import (
    Boolean,
    BooleanOrReference,
    Config,
    Duration,
    Integer,
    IntegerOrReference,
    Literally,
    Number,
    Text,
    Word,
    scalar_text,
)

StepName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class ImageConfig(Config):
    """Where a step's container comes from: an address, a framework of the service, or a folder to build."""

    uri: Text | None = Field(None, description="Address of a container image.")
    build: Literally | None = Field(
        None, description="Folder with a Dockerfile, relative to this file: built here, pushed when deployed."
    )
    framework: Literally | None = Field(None, description="A framework image of the service: sklearn, xgboost, …")
    version: Literally | None = Field(None, description="The framework's version, quoted.", examples=["1.4-2"])
    python: Literally | None = Field(
        None, description="The image's Python, when there are several.", examples=["py310"]
    )
    accelerator: Literal["cpu", "gpu"] | None = Field(None, description="Follows from the instance when not given.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(source is not None for source in (self.uri, self.framework, self.build)) != 1:
            raise PydanticCustomError("one_of", "an image is either uri, or framework with version, or build")
        if self.framework is not None and self.version is None:
            raise PydanticCustomError(
                "one_of", "framework {framework} needs a version, quoted", {"framework": self.framework}
            )
        if self.framework is None and (self.version or self.python or self.accelerator):
            raise PydanticCustomError(
                "one_of",
                "version, python and accelerator belong to framework, not to {other}",
                {"other": "uri" if self.uri is not None else "build"},
            )
        return self


class CodeConfig(Config):
    """What of the repository runs in the container."""

    entry_point: Literally = Field(description="The script to start, relative to this file, or to source_dir.")
    source_dir: Literally | None = Field(
        None, description="The folder that travels along; the entry point's by default."
    )
    include: list[Literally] = Field(
        [], description="More files, as globs relative to this file, or to the repository."
    )
    requirements: Literally | None = Field(
        None, description="What pip installs first; requirements.txt beside the entry point by default."
    )
    interpreter: Literally | None = Field(None, description="Follows from the ending: python3 for .py, sh for .sh.")
    launcher: Literal["buzzflow", "image"] = Field(
        "buzzflow", description="What starts the script: our entry script, or the toolkit in a framework image."
    )
    distributed: Literal["torchrun"] | None = Field(
        None, description="torchrun starts the script on every machine and GPU (training)."
    )
    inference: Literally | None = Field(
        None, description="Folder with serving code, put beside the model as model/code (training)."
    )

    @model_validator(mode="after")
    def _one_launcher(self) -> Self:
        if self.launcher == "image" and self.distributed is not None:
            raise PydanticCustomError("one_of", "distributed is our entry script's: not together with launcher: image")
        if self.launcher == "image" and self.interpreter is not None:
            raise PydanticCustomError("one_of", "with launcher: image the image chooses the interpreter")
        return self


class NotebookCodeConfig(Config):
    """The notebook that runs, and what travels with it."""

    entry_point: Literally = Field(description="The notebook, relative to this file, or to source_dir.")
    source_dir: Literally | None = Field(None, description="The folder that travels along; the notebook's by default.")
    include: list[Literally] = Field(
        [], description="More files, as globs relative to this file, or to the repository."
    )


class InstanceConfig(Config):
    """The machines that a step runs on."""

    type: Text = Field("ml.m5.xlarge", description="SageMaker instance type.")
    count: IntegerOrReference = Field(1, description="How many of them.")
    volume_size_gb: IntegerOrReference = Field(30, description="Disk of each, in GB.")
    keep_alive: Duration | None = Field(None, description="Keep the machines warm for the next job (training).")
    fallbacks: list[Literally] = Field(
        [], max_length=4, description="Other instance types to take when the first has no capacity, in this order."
    )


class NetworkPolicyConfig(Config):
    """Where a step may connect, in one shape for every step type."""

    subnets: list[Text] = Field([], description="Subnets of the VPC.")
    security_group_ids: list[Text] = Field([], description="Security groups of the VPC.")
    isolation: BooleanOrReference = Field(default=False, description="No network at all inside the container.")
    encrypt_traffic: BooleanOrReference = Field(default=False, description="Encrypt what the machines of one job send.")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.subnets) != bool(self.security_group_ids):
            raise PydanticCustomError("one_of", "subnets and security_group_ids go together")
        return self


class EncryptionConfig(Config):
    """KMS keys."""

    volume_key: Text | None = Field(None, description="For the machines' disks.")
    output_key: Text | None = Field(None, description="For what the step writes.")


class DependencyConfig(Config):
    """A step to wait for, when no reference says so."""

    step: Literally = Field(description="Name of the other step.")
    when: Annotated[Literal["completed", "failed", "stopped", "any"], Word] = Field(
        "completed", description="How it must have ended."
    )


class RetryConfig(Config):
    """Try again after some errors."""

    errors: list[
        Annotated[
            Literal["throttling", "service_fault", "job_internal_error", "capacity_error", "resource_limit"], Word
        ]
    ] = Field(min_length=1, description="Which errors.")
    interval: Duration = Field(1, description="Wait before the first retry.")
    backoff: Number = Field(2.0, ge=1, description="Each wait is this many times the one before.")
    max_attempts: Integer | None = Field(None, ge=1, le=20, description="At most this many further tries.")
    give_up_after: Duration | None = Field(None, description="No further try after this long.")

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if (self.max_attempts is None) == (self.give_up_after is None):
            raise PydanticCustomError("one_of", "give either max_attempts or give_up_after")
        return self


class CacheConfig(Config):
    """Use an earlier result of the same work."""

    enabled: Boolean = Field(default=True, description="false turns a default off.")
    expire_after: Duration | None = Field(None, description="Results older than this do not count.")


class BudgetConfig(Config):
    """What one run may cost at most: the machines of its jobs, at the on-demand price, until their timeouts."""

    max_cost_per_run: Number = Field(gt=0, description="In USD.", examples=[25, 7.5])
    unknown: Literal["warn", "fail", "allow"] = Field(
        "warn", description="What to do where nobody can tell what a run costs at most."
    )


class SpotConfig(Config):
    """Cheaper machines that may be taken away."""

    wait: Duration = Field(description="For capacity, on top of the timeout.")


class CheckpointsConfig(Config):
    """Where a training keeps what it needs to go on."""

    to: Text | None = Field(None, description="s3://…; one folder for each run by default.")
    path: Literally = Field("/opt/ml/checkpoints", description="Folder in the container.")


RangeValue = Annotated[str, BeforeValidator(scalar_text)]


class RangeConfig(Config):
    """What a hyperparameter may be: exactly one of integer, continuous and values."""

    integer: list[Integer] | None = Field(None, min_length=2, max_length=2, description="Lowest and highest.")
    continuous: list[Number] | None = Field(None, min_length=2, max_length=2, description="Lowest and highest.")
    values: list[RangeValue] | None = Field(None, min_length=1, max_length=30, description="One of these.")
    scale: Annotated[Literal["auto", "linear", "logarithmic", "reverse_logarithmic"], Word] | None = Field(
        None, description="How the range is searched (integer, continuous)."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(k is not None for k in (self.integer, self.continuous, self.values)) != 1:
            raise PydanticCustomError("one_of", "a range is either integer: [a, b], or continuous: [a, b], or values")
        bounds = self.integer or self.continuous
        if bounds is not None and bounds[0] >= bounds[1]:
            raise PydanticCustomError("one_of", "a range goes from its lowest to its highest value")
        if self.values is not None and self.scale is not None:
            raise PydanticCustomError("one_of", "scale goes with integer and continuous, not with values")
        return self


class ObjectiveConfig(Config):
    """The metric that decides which try is best."""

    maximize: Literally | None = Field(None, description="Metric of which more is better.")
    minimize: Literally | None = Field(None, description="Metric of which less is better.")

    @model_validator(mode="after")
    def _one_direction(self) -> Self:
        if (self.maximize is None) == (self.minimize is None):
            raise PydanticCustomError("one_of", "an objective is either maximize: metric, or minimize: metric")
        return self


class WarmStartConfig(Config):
    """Earlier tuning jobs to learn from."""

    jobs: list[Text] = Field(min_length=1, max_length=5, description="Their names.")
    same_data: Boolean = Field(default=True, description="Whether data and algorithm are the same as theirs.")


class SearchConfig(Config):
    """What a tuning job searches, and for how long."""

    objective: ObjectiveConfig = Field(description="The metric to maximize or minimize.")
    ranges: dict[Annotated[str, Field(max_length=256)], RangeConfig] = Field(
        min_length=1, description="What each hyperparameter may be."
    )
    strategy: Annotated[Literal["bayesian", "random", "grid", "hyperband"], Word] = Field(
        "bayesian", description="How the next try is chosen."
    )
    max_jobs: IntegerOrReference | None = Field(None, description="At most this many tries; grid has as many as cells.")
    max_parallel_jobs: IntegerOrReference = Field(1, description="So many at once.")
    early_stopping: Boolean = Field(default=False, description="Stop tries that will not win.")
    timeout: Duration | None = Field(None, description="Start no further try after this long.")
    warm_start: WarmStartConfig | None = Field(None, description="Earlier tuning jobs to learn from.")

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.max_jobs is None and self.strategy != "grid":
            raise PydanticCustomError("one_of", "a search needs max_jobs: how many tries there are at most")
        if self.strategy == "grid" and any(r.values is None for r in self.ranges.values()):
            raise PydanticCustomError(
                "one_of", "strategy grid searches values only: integer and continuous have no cells"
            )
        return self


def _parameter_value(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) else _literal_only(value)


def _literal_only(_value: Any) -> Any:
    raise PydanticCustomError(
        "wrong_kind",
        "{wanted} is wanted here, not {found}",
        {"wanted": "text, a number or a truth value", "found": "something else"},
    )


ParameterValue = Annotated[str | int | float | bool, BeforeValidator(_parameter_value)]


class ParameterConfig(Config):
    """A value chosen when a run starts."""

    type: Annotated[Literal["string", "integer", "float", "boolean"], Word] | None = Field(
        None, description="Follows from the default when not given."
    )
    default: ParameterValue | None = Field(None, description="Without it, the value must be given at each start.")
    choices: list[ParameterValue] = Field([], description="The only values allowed.")
    description: Literally | None = Field(None, description="What it changes.")
