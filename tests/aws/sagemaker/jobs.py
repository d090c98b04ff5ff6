"""The jobs of executions: as their Describe operations show them, and what they write to CloudWatch Logs.

Streams: "CloudWatch Logs for Amazon SageMaker AI" in the developer guide. A job's ARN has its name in lower case, its
log streams have it as it is, so that only Describe tells which streams are a job's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.aws.moto_app import Moto
from tests.aws.sagemaker.executions import Execution
from tests.aws.sagemaker.step_runs import StepRun

# Operation -> (type of step, prefix of the answer's members)
DESCRIBED = {
    "DescribeProcessingJob": ("Processing", "Processing"),
    "DescribeTrainingJob": ("Training", "Training"),
    "DescribeTransformJob": ("Transform", "Transform"),
}
_STATES = {
    "Starting": "InProgress",
    "Executing": "InProgress",
    "Stopping": "Stopping",
    "Stopped": "Stopped",
    "Failed": "Failed",
    "Succeeded": "Completed",
}
_NO_IMAGE = {"ImageUri": "111122223333.dkr.ecr.us-west-2.amazonaws.com/image:1"}
_INSTANCE = {"InstanceCount": 1, "InstanceType": "ml.m5.large"}
# What the shapes of the answers require besides, and no test asks for.
_REQUIRED: dict[str, dict[str, Any]] = {
    "Processing": {
        "ProcessingResources": {"ClusterConfig": _INSTANCE | {"VolumeSizeInGB": 30}},
        "AppSpecification": _NO_IMAGE,
    },
    "Training": {
        "ModelArtifacts": {"S3ModelArtifacts": "s3://example-bucket/model.tar.gz"},
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "ResourceConfig": {"VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
    },
    "Transform": {
        "ModelName": "model",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://example-bucket/"}}},
        "TransformResources": _INSTANCE,
    },
}


def find(operation: str, members: dict[str, Any], executions: Iterable[Execution]) -> dict[str, Any] | None:
    """Return the answer to *operation* about a job of an execution, or None if it is about another one."""
    kind, prefix = DESCRIBED[operation]
    name = members[f"{prefix}JobName"].lower()
    for execution in executions:
        for run in execution.runs.values():
            if run.step.type == kind and run.job and run.job.lower() == name:
                return _described(execution, run, prefix)
    return None


def write_logs(moto: Moto, region: str, execution: Execution, written: dict[str, int]) -> None:
    """Bring CloudWatch Logs up to date; *written* counts the lines of each job that are there."""
    for run in execution.runs.values():
        for job, lines in run.logged.items():
            assert run.log_group
            if len(lines) > written.get(job, -1):
                new = lines[max(written.get(job, 0), 0) :]
                moto.write_log(region, run.log_group, f"{job}/{_host(run)}-{int(run.started)}", new)
                written[job] = len(lines)


def _described(execution: Execution, run: StepRun, prefix: str) -> dict[str, Any]:
    arns = execution.arn.partition("pipeline/")[0]
    [metadata] = run.metadata(arns).values()
    state = _STATES[run.status]
    found = {
        f"{prefix}JobName": run.job,
        f"{prefix}JobArn": metadata["Arn"],
        f"{prefix}JobStatus": state,
        "SecondaryStatus": ("Training" if state == "InProgress" else state) if prefix == "Training" else None,
        "FailureReason": run.reason if run.status == "Failed" else None,
        "CreationTime": run.began,
        f"{prefix}StartTime": run.began,
        f"{prefix}EndTime": run.ended,
    }
    return _REQUIRED[prefix] | {key: value for key, value in found.items() if value is not None}


def _host(run: StepRun) -> str:
    return "i-0123456789abcdef0" if run.step.type == "Transform" else "algo-1"
