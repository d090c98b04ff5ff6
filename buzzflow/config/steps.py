"""One model for each step type; the common fields have the same name and meaning in all of them."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from buzzflow.config.parts import (
    CacheConfig,
    CheckpointsConfig,
    CodeConfig,
    DependencyConfig,
    EncryptionConfig,
    ImageConfig,
    InputConfig,
    InstanceConfig,
    NetworkPolicyConfig,
    OutputConfig,
    RetryConfig,
    SpotConfig,
)
from buzzflow.config.values import (
    Config,
    DurationOrReference,
    HyperparameterText,
    InputMode,
    Literally,
    OptionalText,
    ScalarText,
    Text,
)

DataName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=256)]


class _StepConfig(Config):
    """What every step may have."""

    display_name: Literally | None = Field(None, description="Name on the console.")
    description: Literally | None = Field(None, description="What the step is for.")
    depends_on: list[DependencyConfig] = Field([], description="Steps to wait for that no reference names.")


class _JobConfig(_StepConfig):
    """What every step that runs a container may have."""

    image: ImageConfig | None = Field(None, description="The container image.")
    code: CodeConfig | None = Field(None, description="The script to run.")
    entrypoint: list[Text] | None = Field(None, min_length=1, description="Exactly this runs; not together with code.")
    arguments: list[ScalarText] = Field([], description="Given to the script: a list, or a map of options.")
    environment_variables: dict[VariableName, OptionalText] = Field({}, description="Set in the container.")
    inputs: dict[DataName, InputConfig] = Field({}, description="Data to read.")
    instance: InstanceConfig = Field(InstanceConfig(), description="The machines.")
    network: NetworkPolicyConfig | None = Field(None, description="Where it may connect.")
    encryption: EncryptionConfig = Field(EncryptionConfig(), description="KMS keys.")
    role: Text | None = Field(None, description="ARN of the execution role.")
    timeout: DurationOrReference | None = Field(None, description="Stop after this long.")
    tags: dict[str, OptionalText] = Field({}, description="Tags of the job, added to the pipeline's.")
    retry: list[RetryConfig] = Field([], description="Try again after some errors.")
    cache: CacheConfig | None = Field(None, description="Use an earlier result of the same work.")

    @model_validator(mode="after")
    def _one_way_to_start(self) -> Self:
        if self.code is not None and self.entrypoint is not None:
            raise PydanticCustomError("one_of", "code and entrypoint do not go together: code has our own entrypoint")
        if "code" in self.inputs and self.code is not None:
            raise PydanticCustomError(
                "reserved_name", "an input may not be called code: the step's own code comes by that name"
            )
        return self


class ProcessorConfig(_JobConfig):
    """Turns data into data: SageMaker's processing job."""

    type: Literal["processing"]
    outputs: dict[DataName, OutputConfig] = Field({}, description="Data to write.")


class EstimatorConfig(_JobConfig):
    """Trains a model: SageMaker's training job. What it leaves in the model folder is its output `model`."""

    type: Literal["training"]
    outputs: dict[DataName, OutputConfig] = Field({}, description="Only `model`, to choose its address.")
    hyperparameters: dict[Annotated[str, Field(max_length=256)], HyperparameterText] = Field(
        {}, description="Given to the script as --key value."
    )
    metrics: dict[str, Literally] = Field(
        {}, description="Metric name to the regular expression that finds it in the log."
    )
    spot: SpotConfig | None = Field(None, description="Cheaper machines that may be taken away.")
    checkpoints: CheckpointsConfig | None = Field(None, description="What to go on from after an interruption.")
    input_mode: InputMode = Field("file", description="How inputs arrive unless they say otherwise.")

    @model_validator(mode="after")
    def _only_the_model(self) -> Self:
        if others := [n for n in self.outputs if n != "model"]:
            raise PydanticCustomError(
                "training_output",
                "a training step has one output, its model: {name} is none",
                {"name": repr(others[0])},
            )
        if self.spot is not None and self.instance.keep_alive is not None:
            raise PydanticCustomError("one_of", "spot and instance.keep_alive do not go together")
        return self


class ConditionConfig(_StepConfig):
    """Chooses which steps run."""

    type: Literal["condition"]
    if_: list[Text] = Field(alias="if", min_length=1, description="A comparison, or a list of which all must hold.")
    then: list[Literally] = Field([], description="Steps that run when it holds.")
    else_: list[Literally] = Field([], alias="else", description="Steps that run when it does not.")

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if not self.then and not self.else_:
            raise PydanticCustomError("one_of", "a condition needs steps in then or else")
        return self


class FailConfig(_StepConfig):
    """Ends the run as failed."""

    type: Literal["fail"]
    message: Text = Field(description="What went wrong, for people.")


StepConfig = Annotated[
    ProcessorConfig | EstimatorConfig | ConditionConfig | FailConfig,
    Field(discriminator="type"),
]
STEP_MODELS: tuple[type[_StepConfig], ...] = get_args(get_args(StepConfig)[0])


def fields_by_type() -> dict[str, frozenset[str]]:
    """Return the names that each step type's fields have in the YAML."""
    return {
        get_args(model.model_fields["type"].annotation)[0]: frozenset(
            f.alias or n for n, f in model.model_fields.items()
        )
        for model in STEP_MODELS
    }
