"""The whole file: pipeline.yaml, its `local:` section, and environment.yaml."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from buzzflow.config.local_steps import LocalStepConfig
from buzzflow.config.parts import (
    BudgetConfig,
    EncryptionConfig,
    ImageConfig,
    NetworkPolicyConfig,
    ParameterConfig,
    StepName,
)
from buzzflow.config.steps import StepConfig
from buzzflow.config.steps.common import Request
from buzzflow.config.values import Boolean, Config, Integer, Literally, OptionalText, Text

PipelineName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}$")]
ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,256}$")]
BucketName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]


class LocalConfig(Config):
    """What only a local run reads; it stands in pipeline.local.yaml."""

    data: dict[Literally, Literally] = Field(
        {}, description="s3://… to a folder or file of sample data, from this file."
    )
    images: dict[Literally, Literally] = Field(
        {}, description="Image or framework:version to the image to use instead."
    )
    monitoring: Boolean = Field(
        default=True, description="Measure steps in Docker with cAdvisor and Prometheus beside them."
    )
    steps: dict[Literally, LocalStepConfig] = Field({}, description="How single steps run here, by name.")


class ExperimentConfig(Config):
    """Where SageMaker Experiments files the runs."""

    name: Text = Field(description="Name of the experiment; the pipeline's by default.")
    trial: Text | None = Field(None, description="Name of the run in it; the run's id by default.")


class PipelineConfig(Config):
    """A pipeline as the user wrote it, all layers together."""

    name: PipelineName = Field(description="The folder's name by default.")
    description: Literally | None = Field(None, description="What the pipeline does, for people.")
    owner: Literally | None = Field(None, description="The team or person to ask.")
    tags: dict[str, OptionalText] = Field({}, description="Tags of the pipeline and its jobs.")
    variables: dict[str, Any] = Field(
        {}, description="Free form, for ${variables.…}; fixed when the pipeline is created."
    )
    parameters: dict[ParameterName, ParameterConfig] = Field({}, description="Values chosen when a run starts.")
    defaults: dict[str, Any] = Field({}, description="Under every step that has the field; by_type: for one step type.")
    steps: dict[StepName, StepConfig] = Field(min_length=1, description="The steps, by name.")
    parallelism: Integer | None = Field(None, ge=1, description="At most this many steps at once.")
    experiment: ExperimentConfig | None = Field(None, description="Where SageMaker Experiments files the runs.")
    budget: BudgetConfig | None = Field(None, description="What one run may cost at most.", examples=[25])
    exact_addresses: Boolean = Field(
        default=False, description="Addresses of outputs are sent as they are written, with no / put at their end."
    )
    definition_patch: Request = Field(
        {}, description="Laid over the compiled definition, last, in the service's own words; null removes."
    )
    local: LocalConfig = Field(LocalConfig(), description="Only for local runs.")


class EnvironmentConfig(Config):
    """What an environment is, and who may deploy to it. Further keys are the team's own, for ${environment.…}."""

    model_config = Config.model_config | {"extra": "allow"}

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] = Field(description="Name of the environment.")
    account: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None = Field(None, description="AWS account, quoted.")
    region: Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]+$")] | None = Field(
        None, description="AWS region."
    )
    role: Literally | None = Field(None, description="Execution role of the steps.")
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] | None = Field(
        None, description="Bucket for code and outputs."
    )
    network: NetworkPolicyConfig | None = Field(None, description="Network of every step.")
    encryption: EncryptionConfig | None = Field(None, description="Keys of every step.")
    image: ImageConfig | None = Field(None, description="Image of every step that names none.")
    tags: dict[str, OptionalText] = Field({}, description="Tags of every pipeline.")
    mlflow: dict[str, Any] = Field({}, description="The tracking server.")
    registry: Literal["mlflow", "sagemaker"] = Field("mlflow", description="Where models are registered.")
    deploy_from: list[Literal["laptop", "ci"]] = Field(["laptop", "ci"], description="Who may deploy.")
    allow_env: list[Literally] = Field([], description="Process variables that ${oc.env:…} may read.")
    not_secrets: list[Literally] = Field([], description="Texts that look like secrets and are none.")
    locked: list[Literally] = Field([], description="Fields of steps that only this file sets.")
    budget: BudgetConfig | None = Field(
        None, description="What a run of a pipeline may cost at most; the stricter of the two budgets counts."
    )
    name_prefix: Annotated[str, Field(pattern=r"^[a-zA-Z0-9-]{0,32}$")] = Field(
        "", description="Before every pipeline's name."
    )
    defaults: dict[str, Any] = Field({}, description="Under every step of the environment's pipelines.")
    images: dict[Literally, Literally] = Field({}, description="Stand-ins for local runs, as in local.images.")
