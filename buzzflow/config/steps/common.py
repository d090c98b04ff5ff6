"""Groups of fields that several step types have; each means the same wherever it stands."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from buzzflow.config.parts import (
    CacheConfig,
    DependencyConfig,
    EncryptionConfig,
    ImageConfig,
    InstanceConfig,
    NetworkPolicyConfig,
    RetryConfig,
)
from buzzflow.config.values import Config, DurationOrReference, Literally, OptionalText, Text, refuse

DataName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=256)]


def _request(value: Any) -> Any:
    if not isinstance(value, dict):
        raise refuse("a mapping", value)
    return value


# a part of a request in the service's own words; references may stand in its texts
Request = Annotated[dict[str, Any], BeforeValidator(_request)]


class StepBase(Config):
    """What every step may have."""

    display_name: Literally | None = Field(None, description="Name on the console.")
    description: Literally | None = Field(None, description="What the step is for.")
    depends_on: list[DependencyConfig] = Field(
        [],
        description="Steps to wait for that no reference names.",
        examples=["extract", {"step": "train", "when": "failed"}],
    )
    arguments_patch: Request = Field(
        {}, description="Laid over the compiled request, last, in the service's own words; null removes."
    )
    step_patch: Request = Field(
        {}, description="The same for the members of the step beside its request, such as CacheConfig."
    )


class RetryBase(Config):
    """Steps that may be tried again."""

    retry: list[RetryConfig] = Field(
        [],
        description="Try again after some errors.",
        examples=[{"errors": ["throttling", "capacity_error"], "max_attempts": 3, "interval": "1m"}],
    )


class CacheBase(Config):
    """Steps whose earlier result may be used."""

    cache: CacheConfig | None = Field(
        None, description="Use an earlier result of the same work.", examples=["30d", True]
    )


class RoleBase(Config):
    """Steps that act as a role."""

    role: Text | None = Field(None, description="ARN of the execution role.")


class TagBase(Config):
    """Steps that make something which carries tags."""

    tags: dict[str, OptionalText] = Field({}, description="Tags of the job, added to the pipeline's.")


class ImageBase(Config):
    """Steps that name a container image."""

    image: ImageConfig | None = Field(
        None,
        description="The container image.",
        examples=["sklearn:1.4-2", {"framework": "pytorch", "version": "2.6.0"}, {"build": "docker"}],
    )


class EncryptionBase(Config):
    """Steps that encrypt what they hold and what they write."""

    encryption: EncryptionConfig = Field(EncryptionConfig(), description="KMS keys.")


class MachineBase(EncryptionBase):
    """Steps that run on machines of their own."""

    instance: InstanceConfig = Field(
        InstanceConfig(),
        description="The machines.",
        examples=["ml.m5.xlarge", {"type": "ml.g5.xlarge", "count": 2, "volume_size_gb": 100}],
    )


class NetworkBase(Config):
    """Steps whose containers connect to something."""

    network: NetworkPolicyConfig | None = Field(
        None, description="Where it may connect.", examples=[{"isolation": True}]
    )


class TimeoutBase(Config):
    """Steps that end after a time."""

    timeout: DurationOrReference | None = Field(None, description="Stop after this long.", examples=["2h", "90m"])


class VariablesBase(Config):
    """Steps with variables in their containers."""

    environment_variables: dict[VariableName, OptionalText] = Field(
        {}, description="Set in the container.", examples=[{"LOG_LEVEL": "info"}]
    )
