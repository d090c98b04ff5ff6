"""Steps that ask something outside of SageMaker and wait for its answer: lambda, callback."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from buzzflow.config.data import CallOutputConfig
from buzzflow.config.steps.common import CacheBase, DataName, Request, StepBase
from buzzflow.config.values import Text


class CallBase(CacheBase, StepBase):
    """What both kinds of calls have."""

    arguments: Request = Field({}, description="Given to it, as JSON.")
    outputs: dict[DataName, CallOutputConfig] = Field({}, description="What it gives back, by name.")


class LambdaConfig(CallBase):
    """Calls a function of AWS Lambda."""

    type: Literal["lambda"]
    function: Text = Field(description="ARN of the function, or its name in the environment's account.")


class CallbackConfig(CallBase):
    """Puts a message into a queue of Amazon SQS and waits until somebody calls back."""

    type: Literal["callback"]
    queue: Text = Field(description="URL of the queue.")
