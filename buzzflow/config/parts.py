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
    InputMode,
    Integer,
    IntegerOrReference,
    Literally,
    Number,
    Text,
    Word,
)

StepName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class ImageConfig(Config):
    """Where a step's container comes from: an address, or a framework of the service."""

    uri: Text | None = Field(None, description="Address of a container image.")
    framework: Literally | None = Field(None, description="A framework image of the service: sklearn, xgboost, …")
    version: Literally | None = Field(None, description="The framework's version, quoted.", examples=["1.4-2"])
    python: Literally | None = Field(
        None, description="The image's Python, when there are several.", examples=["py310"]
    )
    accelerator: Literal["cpu", "gpu"] | None = Field(None, description="Follows from the instance when not given.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.uri is None) == (self.framework is None):
            raise PydanticCustomError("one_of", "an image is either uri, or framework with version")
        if self.framework is not None and self.version is None:
            raise PydanticCustomError(
                "one_of", "framework {framework} needs a version, quoted", {"framework": self.framework}
            )
        if self.uri is not None and (self.version or self.python or self.accelerator):
            raise PydanticCustomError("one_of", "version, python and accelerator belong to framework, not to uri")
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


class InstanceConfig(Config):
    """The machines that a step runs on."""

    type: Text = Field("ml.m5.xlarge", description="SageMaker instance type.")
    count: IntegerOrReference = Field(1, description="How many of them.")
    volume_size_gb: IntegerOrReference = Field(30, description="Disk of each, in GB.")
    keep_alive: Duration | None = Field(None, description="Keep the machines warm for the next job (training).")


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


class InputConfig(Config):
    """Data that a step reads."""

    from_: Text = Field(alias="from", description="s3://… or ${step:…}.")
    path: Literally | None = Field(None, description="Folder in the container (processing).")
    content_type: Text | None = Field(None, description="MIME type (training).")
    distribution: Annotated[Literal["replicate", "shard"], Word] = Field(
        "replicate", description="All data to every machine, or a part."
    )
    mode: InputMode | None = Field(None, description="How the data arrives.")
    data_type: Annotated[Literal["prefix", "manifest", "augmented_manifest"], Word] = Field(
        "prefix", description="What the address names."
    )
    compression: Annotated[Literal["none", "gzip"], Word] = Field(
        "none", description="Compression of the records (training)."
    )


class OutputConfig(Config):
    """Data that a step writes."""

    to: Text | None = Field(None, description="s3://… ending in /; chosen by buzzflow when not given.")
    path: Literally | None = Field(None, description="Folder in the container.")
    upload: Annotated[Literal["end", "continuous"], Word] = Field("end", description="When the data is stored.")
    report_files: dict[str, Literally] = Field(
        {}, alias="json", description="Files in the folder whose values ${json:…} reads: a file, or {name: file}."
    )


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
    max_attempts: Integer | None = Field(None, ge=1, le=20, description="At most this many tries.")
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


class SpotConfig(Config):
    """Cheaper machines that may be taken away."""

    wait: Duration = Field(description="For capacity, on top of the timeout.")


class CheckpointsConfig(Config):
    """Where a training keeps what it needs to go on."""

    to: Text | None = Field(None, description="s3://…; one folder for each run by default.")
    path: Literally = Field("/opt/ml/checkpoints", description="Folder in the container.")


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
