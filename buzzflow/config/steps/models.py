"""Steps with models: model, register_model, transform."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from buzzflow.config.data import TransformInputConfig, TransformOutputConfig
from buzzflow.config.parts import ImageConfig
from buzzflow.config.steps.common import (
    CacheBase,
    DataName,
    ImageBase,
    MachineBase,
    NetworkBase,
    Request,
    RetryBase,
    RoleBase,
    StepBase,
    TagBase,
    VariableName,
    VariablesBase,
)
from buzzflow.config.values import Config, DurationOrReference, IntegerOrReference, Literally, OptionalText, Text, Word
from buzzflow.template import Template


class ServingContainerConfig(Config):
    """A container that serves a model."""

    image: ImageConfig | None = Field(None, description="That of the training step by default.")
    model: Text | None = Field(None, description="Artifact: ${step:train.model} or s3://….tar.gz.")
    environment_variables: dict[VariableName, OptionalText] = Field({}, description="Set in the container.")
    name: Text | None = Field(None, description="Host name of the container, where there are several.")


def _is_reference(value: Any) -> str:
    return "reference" if isinstance(value, str | Template) else "list"


def _to_a_step(value: Any) -> Any:
    if not isinstance(value, Template) or value.only is None or value.only.form != "step":
        raise PydanticCustomError(
            "one_of", "containers is a list, or a reference to the step whose containers are copied"
        )
    return value


# a list, or a reference to the step whose containers are copied
Containers = Annotated[
    Annotated[list[ServingContainerConfig], Tag("list")]
    | Annotated[Template, BeforeValidator(_to_a_step), WithJsonSchema({"type": "string"}), Tag("reference")],
    Discriminator(_is_reference),
]


class ServedBase(RetryBase, VariablesBase, ImageBase, StepBase):
    """Steps that say how a model is served: by one container, or by several in a row."""

    model: Text | None = Field(None, description="Artifact: ${step:train.model} or s3://….tar.gz.")
    containers: Containers | None = Field(
        None, description="Several containers in a row, or ${step:name} for those of another step."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.containers is not None and (self.model is not None or self.environment_variables):
            raise PydanticCustomError("one_of", "containers stands in place of model and environment_variables")
        if self.containers is None and self.model is None and self.image is None:
            raise PydanticCustomError("one_of", "name a model, or containers")
        if self.containers == []:
            raise PydanticCustomError("one_of", "containers is empty")
        return self


class ModelConfig(TagBase, RoleBase, NetworkBase, ServedBase):
    """Makes a model that transform steps and endpoints can use."""

    type: Literal["model"]


class RegisterModelConfig(ServedBase):
    """Registers a version of a model."""

    type: Literal["register_model"]
    model_group: Text = Field(description="The model's name in the registry.")
    registry: Literal["mlflow", "sagemaker"] | None = Field(None, description="The environment's by default.")
    content_types: list[Text] = Field([], description="MIME types that it takes.")
    response_types: list[Text] = Field([], description="MIME types that it answers with.")
    realtime_instance_types: list[Literally] = Field([], description="For endpoints.")
    transform_instance_types: list[Literally] = Field([], description="For transform steps.")
    approval: Text = Field(
        "pending", description="pending, approved, rejected, or a parameter with the service's own words."
    )
    metrics: dict[DataName, Text] = Field(
        {}, description="Reports of evaluations: model_quality: s3://….json or ${step:…}."
    )
    checks: dict[
        Literal["data_quality", "model_quality", "data_bias", "model_bias", "model_explainability"], Literally
    ] = Field({}, description="The check steps whose results are its metrics.")
    drift_baselines: Request = Field({}, description="DriftCheckBaselines, in the service's words.")
    metadata: dict[str, OptionalText] = Field({}, description="Further facts about it, for people.")
    task: Literally | None = Field(None, description="What it does, such as REGRESSION.")
    sample_payload: Text | None = Field(None, description="s3://… of an archive with sample requests.")


class FilterConfig(Config):
    """Which parts of a record travel, as JSONPath."""

    input: Text | None = Field(None, description="What of a record the model sees.")
    output: Text | None = Field(None, description="What of the joined record is stored.")
    join: Annotated[Literal["none", "input"], Word] = Field(
        "none", description="input puts the record beside the answer."
    )


class BatchConfig(Config):
    """How records are sent."""

    strategy: Annotated[Literal["single_record", "multi_record"], Word] | None = Field(
        None, description="One record in a request, or as many as fit."
    )
    max_payload_mb: IntegerOrReference | None = Field(None, description="Largest request, in MB.")
    max_concurrent: IntegerOrReference | None = Field(None, description="Requests at once.")
    timeout: DurationOrReference | None = Field(None, description="How long one request may take, 1 h at most.")


class TransformerConfig(CacheBase, RetryBase, TagBase, MachineBase, VariablesBase, StepBase):
    """Sends data to a model and stores its answers: SageMaker's batch transform."""

    type: Literal["transform"]
    model: Text = Field(description="Name of the model: ${step:name-of-model-step.name}.")
    inputs: dict[DataName, TransformInputConfig] = Field(description="One input: the records.")
    outputs: dict[Literal["predictions"], TransformOutputConfig] = Field(
        {}, description="Only `predictions`, to choose its address and form."
    )
    filter: FilterConfig | None = Field(None, description="Which parts of a record travel.")
    batch: BatchConfig = Field(BatchConfig(), description="How records are sent.")

    @model_validator(mode="after")
    def _one_input(self) -> Self:
        if len(self.inputs) != 1:
            raise PydanticCustomError(
                "one_of", "a transform step has one input, not {count}", {"count": str(len(self.inputs))}
            )
        return self
