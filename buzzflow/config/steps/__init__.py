"""One model for each step type; the common fields have the same name and meaning in all of them."""

from __future__ import annotations

from functools import cache
from typing import Annotated, get_args

from pydantic import Field

from buzzflow.config.steps.calls import CallbackConfig, LambdaConfig
from buzzflow.config.steps.checks import ClarifyCheckConfig, QualityCheckConfig
from buzzflow.config.steps.common import StepBase
from buzzflow.config.steps.flow import ConditionConfig, FailConfig, ForeachConfig
from buzzflow.config.steps.jobs import (
    AutoMLConfig,
    EstimatorConfig,
    JobBase,
    NotebookConfig,
    ProcessorConfig,
    TrainingBase,
    TunerConfig,
)
from buzzflow.config.steps.models import ModelConfig, RegisterModelConfig, TransformerConfig
from buzzflow.config.steps.services import (
    CleanupConfig,
    EmrConfig,
    EmrServerlessConfig,
    EndpointConfig,
    EndpointConfigConfig,
    InferenceComponentConfig,
    LineageConfig,
    RawConfig,
    ServiceBase,
    ServiceJobConfig,
)

__all__ = [
    "STEP_MODELS",
    "AutoMLConfig",
    "CallbackConfig",
    "ClarifyCheckConfig",
    "CleanupConfig",
    "ConditionConfig",
    "EmrConfig",
    "EmrServerlessConfig",
    "EndpointConfig",
    "EndpointConfigConfig",
    "EstimatorConfig",
    "FailConfig",
    "ForeachConfig",
    "InferenceComponentConfig",
    "JobBase",
    "LambdaConfig",
    "LineageConfig",
    "ModelConfig",
    "NotebookConfig",
    "ProcessorConfig",
    "QualityCheckConfig",
    "RawConfig",
    "RegisterModelConfig",
    "ServiceBase",
    "ServiceJobConfig",
    "StepBase",
    "StepConfig",
    "TrainingBase",
    "TransformerConfig",
    "TunerConfig",
    "default_fields",
    "fields_by_type",
    "type_of",
]

StepConfig = Annotated[
    ProcessorConfig
    | EstimatorConfig
    | TunerConfig
    | TransformerConfig
    | ModelConfig
    | RegisterModelConfig
    | ConditionConfig
    | FailConfig
    | ForeachConfig
    | LambdaConfig
    | CallbackConfig
    | QualityCheckConfig
    | ClarifyCheckConfig
    | AutoMLConfig
    | NotebookConfig
    | EmrConfig
    | EmrServerlessConfig
    | EndpointConfigConfig
    | EndpointConfig
    | InferenceComponentConfig
    | LineageConfig
    | ServiceJobConfig
    | CleanupConfig
    | RawConfig,
    Field(discriminator="type"),
]
STEP_MODELS: tuple[type[StepBase], ...] = get_args(get_args(StepConfig)[0])


def type_of(model: type[StepBase]) -> str:
    """Return what `type:` says for *model*."""
    word: str = get_args(model.model_fields["type"].annotation)[0]
    return word


@cache
def fields_by_type() -> dict[str, frozenset[str]]:
    """Return the names that each step type's fields have in the YAML."""
    return {type_of(model): frozenset(f.alias or n for n, f in model.model_fields.items()) for model in STEP_MODELS}


@cache
def default_fields() -> dict[str, frozenset[str]]:
    """Return the fields of each step type that a default reaches.

    An image for scripts serves no model and runs no notebook: those types take the image of their training step, or
    name one. Arguments of scripts are no requests.
    """
    scripts = ("processing", "training")
    return {
        name: fields
        - ({"image"} if name in ("model", "register_model", "notebook") else set())
        - (set() if name in scripts else {"arguments"})
        for name, fields in fields_by_type().items()
    }
