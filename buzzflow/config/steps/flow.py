"""Steps that direct the others: condition, fail, and foreach over what only a run knows."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from buzzflow.config.steps.common import StepBase
from buzzflow.config.values import Integer, Literally, Text


class ConditionConfig(StepBase):
    """Chooses which steps run."""

    type: Literal["condition"]
    if_: list[Text] = Field(
        alias="if",
        description="A comparison, or a list of which all must hold.",
        examples=["${json:evaluate.report.auc} >= ${param:min_auc}"],
    )
    then: list[Literally] = Field([], description="Steps that run when it holds.", examples=[["register"]])
    else_: list[Literally] = Field(
        [], alias="else", description="Steps that run when it does not.", examples=[["reject"]]
    )

    @model_validator(mode="before")
    @classmethod
    def _said_in_a_patch(cls, data: Any) -> Any:
        """Take a test in the service's own words in place of `if`."""
        patch = data.get("arguments_patch") if isinstance(data, dict) and "if" not in data else None
        return {**data, "if": []} if isinstance(patch, dict) and "Conditions" in patch else data

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.then and not self.else_:
            raise PydanticCustomError("one_of", "a condition needs steps in then or else")
        if not self.if_ and "Conditions" not in self.arguments_patch:
            raise PydanticCustomError("one_of", "a condition needs if: what it compares")
        return self


class FailConfig(StepBase):
    """Ends the run as failed."""

    type: Literal["fail"]
    message: Text = Field(
        description="What went wrong, for people.", examples=["AUC is only ${json:evaluate.report.auc}"]
    )


class ForeachConfig(StepBase):
    """Runs its steps once for every item of a list that only a run knows (preview)."""

    type: Literal["foreach"]
    items: Text = Field(description="${param:…} or ${step:…} that gives a JSON list.")
    max_concurrency: Integer = Field(1, ge=1, le=50, description="So many items at once.")
    steps: list[Literally] = Field(min_length=1, description="The steps to run for each item.")
