"""Steps that run containers of the user's: processing, training, tuning, AutoML, notebooks."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from buzzflow.config.data import AutoMLInputConfig, InputConfig, ModelOutputConfig, OutputConfig
from buzzflow.config.parts import CheckpointsConfig, CodeConfig, NotebookCodeConfig, SearchConfig, SpotConfig
from buzzflow.config.steps.common import (
    CacheBase,
    DataName,
    EncryptionBase,
    ImageBase,
    MachineBase,
    NetworkBase,
    Request,
    RetryBase,
    RoleBase,
    StepBase,
    TagBase,
    TimeoutBase,
    VariableName,
    VariablesBase,
)
from buzzflow.config.values import (
    DurationOrReference,
    HyperparameterText,
    InputMode,
    Integer,
    Literally,
    ScalarText,
    Text,
)


class JobBase(
    CacheBase, RetryBase, TagBase, TimeoutBase, RoleBase, NetworkBase, MachineBase, VariablesBase, ImageBase, StepBase
):
    """What every step that runs a container may have."""

    code: CodeConfig | None = Field(
        None,
        description="The script to run.",
        examples=["train.py", {"entry_point": "train.py", "source_dir": "src", "include": ["../queries/*.sql"]}],
    )
    entrypoint: list[Text] | None = Field(None, min_length=1, description="Exactly this runs; not together with code.")
    arguments: list[ScalarText] = Field(
        [],
        description="Given to the script: a list, or a map of options.",
        examples=[{"date": "${param:day}", "force": None}, ["--force"]],
    )
    secrets: dict[VariableName, Text] = Field(
        {}, description="Variable to the name or ARN of a secret in AWS Secrets Manager, read when the step starts."
    )
    inputs: dict[DataName, InputConfig] = Field(
        {}, description="Data to read.", examples=[{"train": "${step:extract.outputs.train}", "settings": "./settings"}]
    )

    @model_validator(mode="after")
    def _one_way_to_start(self) -> Self:
        if self.code is not None and self.entrypoint is not None:
            raise PydanticCustomError("one_of", "code and entrypoint do not go together: code has our own entrypoint")
        if "code" in self.inputs and self.code is not None:
            raise PydanticCustomError(
                "reserved_name", "an input may not be called code: the step's own code comes by that name"
            )
        if self.secrets and self.code is None:
            raise PydanticCustomError("one_of", "secrets are read by the script that starts code: add code")
        if both := sorted(self.secrets.keys() & self.environment_variables.keys()):
            raise PydanticCustomError(
                "one_of", "{name} stands in secrets and in environment_variables", {"name": repr(both[0])}
            )
        return self


class ProcessorConfig(JobBase):
    """Turns data into data: SageMaker's processing job."""

    type: Literal["processing"]
    outputs: dict[DataName, OutputConfig] = Field(
        {}, description="Data to write.", examples=[["train", "test"], {"report": {"json": "metrics.json"}}]
    )


class TrainingBase(JobBase):
    """What training and tuning share. What the script leaves in the model folder is its output `model`."""

    timeout: DurationOrReference = Field(
        "24h", validate_default=True, description="Stop after this long.", examples=["2h", "90m"]
    )
    outputs: dict[DataName, ModelOutputConfig] = Field({}, description="Only `model`, to choose its address.")
    hyperparameters: dict[Annotated[str, Field(max_length=256)], HyperparameterText] = Field(
        {}, description="Given to the script as --key value.", examples=[{"max_depth": 6}]
    )
    metrics: dict[str, Literally] = Field(
        {}, description="Metric name to the regular expression that finds it in the log."
    )
    spot: SpotConfig | None = Field(None, description="Cheaper machines that may be taken away.", examples=["1h"])
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


class EstimatorConfig(TrainingBase):
    """Trains a model: SageMaker's training job."""

    type: Literal["training"]
    algorithm: Text | None = Field(None, description="Name or ARN of an algorithm resource, instead of an image.")
    debugger: Request = Field({}, description="DebugHookConfig, DebugRuleConfigurations, … in the service's words.")
    profiler: Request = Field({}, description="ProfilerConfig, ProfilerRuleConfigurations, in the service's words.")

    @model_validator(mode="after")
    def _one_program(self) -> Self:
        if self.algorithm is not None and (self.image is not None or self.code is not None):
            raise PydanticCustomError("one_of", "algorithm stands in place of image and code")
        return self


class TunerConfig(TrainingBase):
    """Searches hyperparameters: SageMaker's tuning job, one training for each try."""

    type: Literal["tuning"]
    search: SearchConfig = Field(
        description="What to search, and for how long.",
        examples=[{"objective": {"maximize": "auc"}, "max_jobs": 20, "ranges": {"eta": {"continuous": [0.01, 0.3]}}}],
    )

    @model_validator(mode="after")
    def _started_by_the_image(self) -> Self:
        if self.entrypoint is not None:
            raise PydanticCustomError("one_of", "the tries of a tuning job start the image's own entrypoint: remove it")
        if self.arguments:
            raise PydanticCustomError("one_of", "the tries of a tuning job take no arguments: use hyperparameters")
        if both := sorted(self.search.ranges.keys() & self.hyperparameters.keys()):
            raise PydanticCustomError(
                "one_of", "{name} is searched, so it has no fixed value in hyperparameters", {"name": repr(both[0])}
            )
        return self


class AutoMLConfig(CacheBase, RetryBase, TagBase, TimeoutBase, RoleBase, NetworkBase, EncryptionBase, StepBase):
    """Tries algorithms on a table: SageMaker's AutoML job."""

    type: Literal["automl"]
    target: Text = Field(description="The column to predict.")
    inputs: dict[Literal["training", "validation"], AutoMLInputConfig] = Field(
        description="`training`, and `validation` if there is one: CSV or Parquet tables."
    )
    outputs: dict[Literal["result"], ModelOutputConfig] = Field({}, description="Only `result`, to choose its address.")
    problem: Literal["binary_classification", "multiclass_classification", "regression"] | None = Field(
        None, description="Found out by the service when not given; goes with objective."
    )
    objective: Literally | None = Field(None, description="Metric to optimise.", examples=["AUC"])
    max_candidates: Integer | None = Field(None, ge=1, le=750, description="At most this many models.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if "training" not in self.inputs:
            raise PydanticCustomError("one_of", "automl needs an input called training")
        if (self.problem is None) != (self.objective is None):
            raise PydanticCustomError("one_of", "problem and objective go together")
        return self


class NotebookConfig(
    RetryBase, TagBase, TimeoutBase, RoleBase, NetworkBase, MachineBase, VariablesBase, ImageBase, StepBase
):
    """Runs a notebook, as SageMaker Studio's notebook jobs do: a training job with an image of Studio."""

    type: Literal["notebook"]
    code: NotebookCodeConfig = Field(description="The notebook, and the files beside it that travel along.")
    kernel: Literally = Field("python3", description="Kernel of the image that runs it.")
    arguments: dict[str, ScalarText] = Field({}, description="Parameters of the notebook.")
    setup_script: Literally | None = Field(None, description="A script among the files that runs first.")
