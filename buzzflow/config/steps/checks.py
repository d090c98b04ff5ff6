"""Steps that compare data or a model with a baseline: quality_check, clarify_check."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from buzzflow.config.data import CheckInputConfig, DatasetConfig, ModelOutputConfig
from buzzflow.config.steps.common import (
    CacheBase,
    MachineBase,
    NetworkBase,
    Request,
    RoleBase,
    StepBase,
    TagBase,
    TimeoutBase,
    VariablesBase,
)
from buzzflow.config.values import BooleanOrReference, Config, Text, Word


class BaselineConfig(Config):
    """What the data is compared with."""

    register_new: BooleanOrReference = Field(default=False, description="Whether this result is the next baseline.")
    statistics: Text | None = Field(None, description="s3://….json; the latest registered one by default.")
    constraints: Text | None = Field(None, description="s3://….json; the latest registered one by default.")


class CheckBase(CacheBase, TagBase, TimeoutBase, RoleBase, NetworkBase, MachineBase, VariablesBase, StepBase):
    """What both kinds of checks have. The image is the service's own."""

    outputs: dict[Literal["report"], ModelOutputConfig] = Field({}, description="Only `report`, to choose its address.")
    skip_check: BooleanOrReference = Field(default=False, description="Calculate a baseline, compare nothing.")
    fail_on_violation: BooleanOrReference = Field(default=True, description="Whether a violation fails the step.")
    baseline: BaselineConfig = Field(BaselineConfig(), description="What the data is compared with.")
    model_group: Text | None = Field(None, description="Model package group whose registered baseline is used.")


class QualityCheckConfig(CheckBase):
    """Compares data, or a model's predictions, with a baseline: SageMaker Model Monitor."""

    type: Literal["quality_check"]
    inputs: dict[Literal["dataset"], CheckInputConfig] = Field(
        min_length=1, description="Only `dataset`: the data to look at."
    )
    check: Annotated[Literal["data_quality", "model_quality"], Word] = Field(description="What is looked at.")
    analysis: Request = Field(
        {},
        description="model_quality: problem_type, and inference_, probability_, ground_truth_attribute.",
    )

    @model_validator(mode="after")
    def _analysed(self) -> Self:
        if self.check == "model_quality" and "problem_type" not in self.analysis:
            raise PydanticCustomError("one_of", "check model_quality needs analysis: {problem_type: …}")
        if self.check == "data_quality" and self.analysis:
            raise PydanticCustomError("one_of", "analysis goes with check: model_quality")
        return self


class ClarifyCheckConfig(CheckBase):
    """Looks for bias, or explains a model, and compares with a baseline: SageMaker Clarify."""

    type: Literal["clarify_check"]
    inputs: dict[Literal["dataset"], DatasetConfig] = Field(
        min_length=1, description="Only `dataset`: the data to look at."
    )
    check: Annotated[Literal["data_bias", "model_bias", "model_explainability"], Word] = Field(
        description="What is looked at."
    )
    analysis: Request = Field(description="The analysis configuration of SageMaker Clarify; it becomes a file.")
    model: Text | None = Field(
        None, description="Name of the model to ask: ${step:….name} (model_bias, model_explainability)."
    )

    @model_validator(mode="after")
    def _asked(self) -> Self:
        if self.check != "data_bias" and self.model is None:
            raise PydanticCustomError("one_of", "check {check} needs model: it asks one", {"check": self.check})
        if self.baseline.statistics is not None:
            raise PydanticCustomError("one_of", "a clarify_check has constraints, and no statistics")
        return self
