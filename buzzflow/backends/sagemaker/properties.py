"""How the words of `${step:name.word}` are spelled in a pipeline's definition: paths into the service's answers.

Sources: the Describe operations of the Amazon SageMaker API Reference, and for the steps that have none the SageMaker
Python SDK 3.27 (its checks, lambda, callback, lineage and foreach steps).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MODEL_FILE = "/output/model.tar.gz"  # below `<output path><job name>`: how the service stores what a training made


@dataclass(frozen=True, slots=True)
class Part:
    """A path below the step, or text that stands between two of them."""

    text: str
    literal: bool = False


_TUNING_OUTPUT = "TrainingJobDefinition.OutputDataConfig.S3OutputPath"
_PATHS: Mapping[str, Mapping[str, str]] = {
    "processing": {"job_name": "ProcessingJobName", "arn": "ProcessingJobArn"},
    "training": {
        "model": "ModelArtifacts.S3ModelArtifacts",
        "output_uri": "OutputDataConfig.S3OutputPath",
        "image": "AlgorithmSpecification.TrainingImage",
        "job_name": "TrainingJobName",
        "arn": "TrainingJobArn",
    },
    "tuning": {
        "best.job_name": "BestTrainingJob.TrainingJobName",
        "best.metric": "BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value",
        "job_name": "HyperParameterTuningJobName",
        "arn": "HyperParameterTuningJobArn",
    },
    "transform": {"job_name": "TransformJobName", "arn": "TransformJobArn"},
    "model": {"name": "ModelName", "arn": "ModelArn"},
    "register_model": {"arn": "ModelPackageArn"},
    "condition": {"outcome": "Outcome"},
    "foreach": {
        "status": "Status",
        "items": "InputItemCount",
        "succeeded": "SucceededStepCount",
        "failed": "FailedStepCount",
        "stopped": "StoppedStepCount",
    },
    "quality_check": {
        "statistics": "CalculatedBaselineStatistics",
        "constraints": "CalculatedBaselineConstraints",
        "used_statistics": "BaselineUsedForDriftCheckStatistics",
        "used_constraints": "BaselineUsedForDriftCheckConstraints",
    },
    "clarify_check": {
        "constraints": "CalculatedBaselineConstraints",
        "used_constraints": "BaselineUsedForDriftCheckConstraints",
    },
    "automl": {
        "best.model": "BestCandidate.InferenceContainers[0].ModelDataUrl",
        "best.image": "BestCandidate.InferenceContainers[0].Image",
        "job_name": "AutoMLJobName",
        "arn": "AutoMLJobArn",
    },
    "notebook": {
        "output_uri": "OutputDataConfig.S3OutputPath",
        "job_name": "TrainingJobName",
        "arn": "TrainingJobArn",
    },
    "endpoint_config": {"name": "EndpointConfigName", "arn": "EndpointConfigArn"},
    "endpoint": {"name": "EndpointName", "arn": "EndpointArn"},
    "inference_component": {"name": "InferenceComponentName", "arn": "InferenceComponentArn"},
    "job": {"job_name": "JobName", "arn": "JobArn"},
}
_AUTOML_VARIABLE = r"BestCandidate\.InferenceContainers\[0\]\.Environment\['(\w+)'\]"
_LINEAGE = {"actions": "ActionArns", "artifacts": "ArtifactArns", "contexts": "ContextArns"}


def property_path(step_type: str, word: str) -> tuple[Part, ...]:
    """Return what *word* of a step of *step_type* is made of; KeyError when the service knows no such thing."""
    if (path := _PATHS.get(step_type, {}).get(word)) is not None:
        return (Part(path),)
    head, _, name = word.partition(".")
    match step_type, head:
        case ("training", "metrics"):
            return (Part(f"FinalMetricDataList['{name}'].Value"),)
        case ("automl", "best"):
            variable = name.removeprefix("environment_variables.")
            return (Part(f"BestCandidate.InferenceContainers[0].Environment['{variable}']"),)
        case ("lineage", "actions" | "artifacts" | "contexts"):
            return (Part(f"{_LINEAGE[head]}['{name}']"),)
        case ("tuning", "best" | "rank"):
            return _ranked(word)
        case _:
            raise KeyError(word)


def word_of(step_type: str, path: str) -> str | None:
    """Return the word that stands for *path* alone; None where the language has none."""
    for word, known in _PATHS.get(step_type, {}).items():
        if known == path:
            return word
    for head, member in _LINEAGE.items() if step_type == "lineage" else ():
        if match := re.fullmatch(rf"{member}\['([A-Za-z0-9_-]+)'\]", path):
            return f"{head}.{match[1]}"
    if step_type == "tuning" and (match := re.fullmatch(r"TrainingJobSummaries\[(\d{1,2})\]\.TrainingJobName", path)):
        return f"rank.{int(match[1]) + 1}.job_name"
    if step_type == "automl" and (match := re.fullmatch(_AUTOML_VARIABLE, path)):
        return f"best.environment_variables.{match[1]}"
    return None


def _ranked(word: str) -> tuple[Part, ...]:
    """Return the job of a rank, or its model: below the output path that all tries share, in its job's folder."""
    match = re.fullmatch(r"(?:best|rank\.(\d+))\.(model|job_name)", word)
    if match is None:
        raise KeyError(word)
    job = Part(f"TrainingJobSummaries[{int(match[1] or 1) - 1}].TrainingJobName")
    return (job,) if match[2] == "job_name" else (Part(_TUNING_OUTPUT), job, Part(MODEL_FILE, literal=True))


def output_path(step_type: str, output: str) -> str:
    """Return where the address, or the value, of a declared output stands."""
    match step_type:
        case "training":
            return _PATHS["training"]["model"]
        case "transform":
            return "TransformOutput.S3OutputPath"
        case "lambda" | "callback":
            return f"OutputParameters['{output}']"
        case _:
            return f"ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri"
