"""An execution and its steps, as the service's answers describe them."""

from __future__ import annotations

from typing import Any

from tests.aws.sagemaker.executions import Execution
from tests.aws.sagemaker.pages import ordered, page
from tests.aws.sagemaker.step_runs import StepRun


def described(execution: Execution) -> dict[str, Any]:
    """Return the answer to DescribePipelineExecution."""
    request = execution.request
    found = {
        "PipelineArn": execution.pipeline_arn,
        "PipelineExecutionArn": execution.arn,
        "PipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName"),
        "PipelineExecutionStatus": execution.status,
        "PipelineExecutionDescription": request.get("PipelineExecutionDescription"),
        "PipelineExperimentConfig": {
            "ExperimentName": execution.pipeline_arn.rpartition("/")[2][:120],
            "TrialName": execution.id,
        },
        "FailureReason": execution.reason,
        "CreationTime": execution.started,
        "LastModifiedTime": execution.modified,
        "ParallelismConfiguration": request.get("ParallelismConfiguration"),
        "SelectiveExecutionConfig": request.get("SelectiveExecutionConfig"),
        "PipelineVersionId": execution.version,
    }
    return {key: value for key, value in found.items() if value is not None}


def summary(execution: Execution) -> dict[str, Any]:
    """Return one item of ListPipelineExecutions."""
    found = {
        "PipelineExecutionArn": execution.arn,
        "StartTime": execution.started,
        "PipelineExecutionStatus": execution.status,
        "PipelineExecutionDescription": execution.request.get("PipelineExecutionDescription"),
        "PipelineExecutionDisplayName": execution.request.get("PipelineExecutionDisplayName"),
        "PipelineExecutionFailureReason": execution.reason,
    }
    return {key: value for key, value in found.items() if value is not None}


def step_answers(execution: Execution, arn_prefix: str, members: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to ListPipelineExecutionSteps: what has begun, and what a selective execution took over."""
    runs = [*execution.runs.values()]
    positions = {run.step.name: n for n, run in enumerate(runs)}
    found = [_step(run, arn_prefix) for run in ordered(runs, members, lambda r: (r.started, positions[r.step.name]))]
    shown, more = page(found + _taken_over(execution), members)
    return {"PipelineExecutionSteps": shown, **more}


def _step(run: StepRun, arn_prefix: str) -> dict[str, Any]:
    found = {
        "StepName": run.step.name,
        "StepDisplayName": run.step.data.get("DisplayName"),
        "StepDescription": run.step.data.get("Description"),
        "StartTime": run.started,
        "EndTime": run.ended,
        "StepStatus": run.status,
        "CacheHitResult": {"SourcePipelineExecutionArn": run.script.cached_from} if run.script.cached_from else None,
        "FailureReason": run.reason if run.status == "Failed" else None,
        "Metadata": run.metadata(arn_prefix),
        "AttemptCount": run.attempt,
    }
    return {key: value for key, value in found.items() if value is not None}


def _taken_over(execution: Execution) -> list[dict[str, Any]]:
    selection = execution.request.get("SelectiveExecutionConfig") or {}
    if "SourcePipelineExecutionArn" not in selection:
        return []
    result = {"SourcePipelineExecutionArn": selection["SourcePipelineExecutionArn"]}
    needed = {need for name in execution.selected for need in execution.definition.steps[name].needs}
    return [
        {"StepName": name, "StepStatus": "Succeeded", "SelectiveExecutionResult": result}
        for name in sorted(needed - execution.selected)
    ]
