"""The pipeline as sagerender's users write it: hiera.yaml and common.yaml, in terms of the SageMaker SDK 2."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from benchmarks.peers.pipelines import (
    BUCKET,
    GROUP,
    IMAGE,
    PARAMETERS,
    REGION,
    REJECTED,
    ROLE,
    SUBNET,
    From,
    Job,
)

HIERA = """\
backends: [yaml]
context: [env]
hierarchy: [common]
yaml: {datadir: .}
"""
TYPES = {str: "ParameterString", int: "ParameterInteger", float: "ParameterFloat"}


def files(name: str, jobs: Sequence[Job]) -> dict[str, str]:
    """Return the files of the pipeline, by path; JSON is YAML, and every step's values stand on one line."""
    account = {"region": REGION, "execution_role": ROLE, "security_group_ids": [GROUP], "subnets": [SUBNET]}
    top = {"session_bucket": BUCKET, "tags": [], "resource_config": account}
    steps = {job.name: _processing(job) if job.kind == "processing" else _training(job) for job in jobs}
    if any(job.report for job in jobs):
        steps |= {"reject": {"error_message": REJECTED}, "gate": _gate()}
    pipeline = {"name": name, "parameters": _parameters(), "property_files": _reports(jobs), **steps}
    lines = [f"{key}: {json.dumps(value)}" for key, value in top.items()]
    lines += [f"{name}:", *(f"  {key}: {json.dumps(value)}" for key, value in pipeline.items())]
    return {"hiera.yaml": HIERA, "common.yaml": "\n".join(lines) + "\n"}


def _parameters() -> dict[str, Any]:
    return {
        name: {"type": f"sagemaker.workflow.parameters:{TYPES[type(value)]}", "default_value": value}
        for name, value in PARAMETERS.items()
    }


def _reports(jobs: Sequence[Job]) -> dict[str, Any]:
    return {job.outputs[0]: {"output_name": job.outputs[0], "path": job.report} for job in jobs if job.report}


def _processing(job: Job) -> dict[str, Any]:
    inputs = [
        _made(
            "sagemaker.processing:ProcessingInput",
            input_name=name,
            source=_source(source),
            destination=f"/opt/ml/processing/input/{name}",
        )
        for name, source in job.inputs.items()
    ]
    outputs = [
        _made(
            "sagemaker.processing:ProcessingOutput",
            output_name=output,
            source=f"/opt/ml/processing/output/{output}",
            destination=job.folder(output),
        )
        for output in job.outputs
    ]
    return {
        "processor": "sagemaker.processing:ScriptProcessor",
        "processor_kwargs": {**_machine(), "command": ["python3"], "max_runtime_in_seconds": 3600},
        "step_kwargs": {
            "code": f"src/{job.script}",
            "inputs": inputs,
            "outputs": outputs,
            "arguments": ["--day", "param:day"],
        },
        "cache_config": _made("sagemaker.workflow.steps:CacheConfig", enable_caching=True, expire_after="P30D"),
        **({"property_files": [f"propertyFile:{job.outputs[0]}"]} if job.report else {}),
    }


def _training(job: Job) -> dict[str, Any]:
    return {
        "estimator": "sagemaker.estimator:Estimator",
        "estimator_kwargs": {
            **_machine(),
            "entry_point": job.script,
            "source_dir": "src",
            "output_path": job.folder("model"),
            "max_run": 3600,
            "hyperparameters": {"depth": 6, "rounds": "param:rounds"},
            "metric_definitions": [{"Name": "auc", "Regex": "auc=([0-9.]+)"}],
        },
        "fit_kwargs": {
            "inputs": {
                name: _made("sagemaker.inputs:TrainingInput", s3_data=_source(source))
                for name, source in job.inputs.items()
            }
        },
    }


def _gate() -> dict[str, Any]:
    found = _made(
        "sagemaker.workflow.functions:JsonGet",
        step_name="evaluate",
        property_file="propertyFile:report",
        json_path="auc",
    )
    passed = _made("sagemaker.workflow.conditions:ConditionGreaterThanOrEqualTo", left=found, right="param:min_auc")
    return {"conditions": [passed], "if_steps": [], "else_steps": ["reject"]}


def _machine() -> dict[str, Any]:
    return {"image_uri": IMAGE, "instance_type": "ml.m5.xlarge", "instance_count": 1}


def _made(function: str, **kwargs: Any) -> dict[str, Any]:
    return {"factory_function": function, "kwargs": kwargs}


def _source(source: From | str) -> str:
    match source:
        case From(step, "model"):
            return f"{step}.properties.ModelArtifacts.S3ModelArtifacts"
        case From(step, output):
            return f"{step}.properties.ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri"
        case str():
            return source
