"""What a local run is told of single steps: `local.steps` in pipeline.local.yaml."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from buzzflow.config.parts import ParameterValue
from buzzflow.config.values import Config, Integer, Literally, Number

Plain = Annotated[ParameterValue, WithJsonSchema({"type": ["string", "number", "boolean"]})]


class ResultConfig(Config):
    """What a step answers with that is not run; paths start at this file."""

    outputs: dict[Literally, Plain] = Field(
        {}, description="By output: a folder or file; of lambda and callback steps the value."
    )
    model: Literally | None = Field(None, description="A model.tar.gz, or the folder that is packed as one.")
    metrics: dict[Literally, Number] = Field({}, description="Values for ${step:….metrics.name}.")
    properties: dict[Literally, Plain] = Field(
        {}, description="By what stands after the step's name in ${step:…} or ${step:….properties.…}."
    )


class LocalStepConfig(Config):
    """How one step runs here."""

    result: ResultConfig | None = Field(None, description="Do not run the step: answer with this.")
    function: Literally | None = Field(
        None,
        description="Python in place of a Lambda function: file.py:handler.",
        examples=["newest.py:handler"],
    )
    max_jobs: Integer | None = Field(None, ge=1, description="At most this many trainings of a tuning; 4 if not given.")

    @model_validator(mode="before")
    @classmethod
    def _empty_result(cls, data: Any) -> Any:
        """Take `result:` with nothing behind it for an answer that says nothing."""
        if isinstance(data, dict) and "result" in data and data["result"] is None:
            return {**data, "result": {}}
        return data

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.result is not None and (self.function is not None or self.max_jobs is not None):
            raise PydanticCustomError("one_of", "with result the step is not run, so nothing else counts: remove it")
        return self
