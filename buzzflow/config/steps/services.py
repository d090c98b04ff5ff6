"""Steps that speak the service's own words: their `arguments` are the request, checked against the service's model.

A little language of our own for each of them would be one more thing to learn, and always behind the service.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from buzzflow.config.steps.common import (
    CacheBase,
    EncryptionBase,
    Request,
    RetryBase,
    RoleBase,
    StepBase,
    TagBase,
    TimeoutBase,
)
from buzzflow.config.values import Literally


class ServiceBase(StepBase):
    """A request in the service's own words."""

    arguments: Request = Field({}, description="The rest of the request, in the service's own words.")


class EmrConfig(CacheBase, ServiceBase):
    """Runs a step on Amazon EMR: ClusterId or ClusterConfig, and StepConfig."""

    type: Literal["emr"]


class EmrServerlessConfig(CacheBase, RetryBase, TagBase, TimeoutBase, RoleBase, ServiceBase):
    """Runs a job on Amazon EMR Serverless: ApplicationId or ApplicationConfig, and JobConfig."""

    type: Literal["emr_serverless"]


class EndpointConfigConfig(CacheBase, RetryBase, TagBase, EncryptionBase, ServiceBase):
    """Makes the configuration of an endpoint: CreateEndpointConfig."""

    type: Literal["endpoint_config"]


class EndpointConfig(CacheBase, TagBase, ServiceBase):
    """Makes or updates an endpoint: CreateEndpoint."""

    type: Literal["endpoint"]


class InferenceComponentConfig(TagBase, ServiceBase):
    """Puts a model on an endpoint: CreateInferenceComponent."""

    type: Literal["inference_component"]


class LineageConfig(ServiceBase):
    """Records where things come from: Actions, Artifacts, Contexts, Associations."""

    type: Literal["lineage"]


class ServiceJobConfig(CacheBase, RetryBase, TagBase, RoleBase, ServiceBase):
    """Runs a job of a kind that CreateJob takes (preview)."""

    type: Literal["job"]


class CleanupConfig(ServiceBase):
    """Deletes what earlier steps stored: Resources (preview)."""

    type: Literal["cleanup"]


class RawConfig(CacheBase, RetryBase, ServiceBase):
    """Any step of the service, verbatim."""

    type: Literal["raw"]
    step_type: Literally = Field(description="Type of the step in the pipeline's definition.")
    members: Request = Field({}, description="Members of the step beside Arguments, such as FunctionArn.")
