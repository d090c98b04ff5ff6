"""What the service says of jobs, for all backends: the errors that retry policies know, and how much a job may have.

Sources: Amazon SageMaker AI Developer Guide, "Retry Policy for Pipeline Steps"; botocore 1.44.5, service model
sagemaker 2017-07-24, whose shapes stand beside the limits.
"""

from __future__ import annotations

from dataclasses import dataclass

# AWS's two families of exceptions; a policy may hold only one.
STEP_ERRORS = {"throttling": "Step.THROTTLING", "service_fault": "Step.SERVICE_FAULT"}
JOB_ERRORS = {
    "job_internal_error": "SageMaker.JOB_INTERNAL_ERROR",
    "capacity_error": "SageMaker.CAPACITY_ERROR",
    "resource_limit": "SageMaker.RESOURCE_LIMIT",
}


@dataclass(frozen=True, slots=True)
class JobLimits:
    """What differs between processing and training."""

    inputs: int
    variable: int
    count: tuple[int, int | None]
    volume: tuple[int, int | None]
    timeout: tuple[int, int | None]


# ProcessingInputs, ProcessingEnvironmentValue, ProcessingInstanceCount, ProcessingVolumeSizeInGB,
# ProcessingMaxRuntimeInSeconds
PROCESSING = JobLimits(10, 256, (1, 100), (1, 16_384), (1, 777_600))
# InputDataConfig, TrainingEnvironmentValue; the numbers have only a lower limit. A count or size of 0 is for jobs
# that have instance groups or no storage of their own.
TRAINING = JobLimits(20, 512, (1, None), (1, None), (1, None))

OUTPUTS = 10  # ProcessingOutputs
WORDS = 100  # ContainerEntrypoint, ContainerArguments, TrainingContainerEntrypoint, TrainingContainerArguments
WORD = 256  # ContainerArgument, ContainerEntrypointString, TrainingContainerArgument, …
VARIABLES = 100  # ProcessingEnvironmentMap, TrainingEnvironmentMap
HYPERPARAMETERS, HYPERPARAMETER_KEY, HYPERPARAMETER = 100, 256, 2500  # HyperParameters, …Key, …Value
URI = 1024  # S3Uri
