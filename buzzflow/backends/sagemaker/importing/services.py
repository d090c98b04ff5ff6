"""Steps that other services answer, and those that keep the service's own words."""

from __future__ import annotations

import json
from typing import Any

from buzzflow.backends.sagemaker import services
from buzzflow.backends.sagemaker.importing.jobs import encryption, instance, network, tags
from buzzflow.backends.sagemaker.importing.said import (
    Fields,
    Said,
    at,
    by_name,
    given,
    inverse,
    objects,
    pairs,
    said,
    word,
)

_PROBLEMS = inverse(services.PROBLEMS)
_MONITOR_VARIABLES = ("output_path", "publish_cloudwatch_metrics", "dataset_format", "dataset_source", "analysis_type")
_ANALYSIS = ("problem_type", "inference_attribute", "probability_attribute", "ground_truth_attribute")
_OUTPUT_TYPES = {"String": "string", "Integer": "integer", "Float": "float", "Boolean": "boolean"}
# the types whose `arguments` are the request, by their names in a definition
THIN = {
    "EMR": "emr",
    "EMRServerless": "emr_serverless",
    "EndpointConfig": "endpoint_config",
    "Endpoint": "endpoint",
    "InferenceComponent": "inference_component",
    "Lineage": "lineage",
    "Job": "job",
    "Cleanup": "cleanup",
}


def lambda_call(arguments: Any, members: Any) -> Fields:
    """Return the fields of a lambda step."""
    function = said(at(members, "FunctionArn"), "text")
    return given(type_="lambda", function=function, **_call(arguments, members))


def callback(arguments: Any, members: Any) -> Fields:
    """Return the fields of a callback step."""
    return given(type_="callback", queue=said(at(members, "SqsQueueUrl"), "text"), **_call(arguments, members))


def _call(arguments: Any, members: Any) -> Fields:
    outputs = by_name(at(members, "OutputParameters"), "OutputName") or {}
    kinds = {name: word(output.get("OutputType"), _OUTPUT_TYPES, default="string") for name, output in outputs.items()}
    return {
        "arguments": Said(arguments, "tree") if arguments else None,
        "outputs": {name: given(type_=kind) for name, kind in kinds.items()} or None,
    }


def fail(arguments: Any) -> Fields:
    """Return the fields of a fail step."""
    return given(type_="fail", message=said(at(arguments, "ErrorMessage"), "text"))


def quality_check(arguments: Any, members: Any) -> Fields:
    """Return the fields of a quality_check step."""
    inputs = by_name(at(arguments, "ProcessingInputs"), "InputName") or {}
    outputs = objects(at(arguments, "ProcessingOutputConfig", "Outputs")) or [{}]
    cluster = at(arguments, "ProcessingResources", "ClusterConfig")
    variables = at(arguments, "Environment")
    variables = variables if isinstance(variables, dict) else {}
    analysis = {key: variables[key] for key in _ANALYSIS if key in variables}
    own = {key: v for key, v in variables.items() if key not in (*_MONITOR_VARIABLES, *analysis)}
    timeout = at(arguments, "StoppingCondition", "MaxRuntimeInSeconds")
    to = given(to=said(at(outputs[0], "S3Output", "S3Uri"), "text"))
    return given(
        type_="quality_check",
        check=word(at(members, "CheckType"), {"DATA_QUALITY": "data_quality", "MODEL_QUALITY": "model_quality"}),
        inputs={
            "dataset": given(
                from_=said(at(inputs.get("baseline_dataset_input"), "S3Input", "S3Uri"), "text"),
                format=_format(variables.get("dataset_format")),
            )
        },
        outputs={"report": to} if to else None,
        analysis=Said(analysis, "tree") if analysis else None,
        skip_check=said(at(members, "SkipCheck"), "boolean", default=False),
        fail_on_violation=said(at(members, "FailOnViolation"), "boolean", default=True),
        baseline=given(
            register_new=said(at(members, "RegisterNewBaseline"), "boolean", default=False),
            statistics=said(at(members, "SuppliedBaselineStatistics"), "text"),
            constraints=said(at(members, "SuppliedBaselineConstraints"), "text"),
        ),
        model_group=said(at(members, "ModelPackageGroupName"), "text"),
        role=said(at(arguments, "RoleArn"), "text"),
        instance=instance(cluster),
        encryption=encryption(cluster, at(arguments, "ProcessingOutputConfig")),
        network=network(at(arguments, "NetworkConfig")),
        environment_variables=pairs(own, "text"),
        timeout=said(timeout, "duration", default=services.DAY),
        tags=tags(arguments),
    )


def _format(told: Any) -> str | None:
    try:
        read = json.loads(told)
    except (TypeError, ValueError):
        return None
    return next((name for name, form in services.FORMATS.items() if form == read and name != "csv"), None)


def automl(arguments: Any) -> Fields:
    """Return the fields of an automl step."""
    channels = objects(at(arguments, "InputDataConfig")) or []
    config = at(arguments, "AutoMLJobConfig")
    criteria, security = at(config, "CompletionCriteria"), at(config, "SecurityConfig")
    to = given(to=said(at(arguments, "OutputDataConfig", "S3OutputPath"), "text"))
    return given(
        type_="automl",
        target=said(channels[0].get("TargetAttributeName") if channels else None, "text"),
        inputs={
            str(channel.get("ChannelType", "training")): given(
                from_=said(at(channel, "DataSource", "S3DataSource", "S3Uri"), "text"),
                content_type=said(channel.get("ContentType"), "text"),
                compression="gzip" if channel.get("CompressionType") == "Gzip" else None,
            )
            for channel in channels
        },
        outputs={"result": to} if to else None,
        problem=word(at(arguments, "ProblemType"), _PROBLEMS),
        objective=said(at(arguments, "AutoMLJobObjective", "MetricName"), "literal"),
        max_candidates=said(at(criteria, "MaxCandidates"), "number"),
        timeout=said(at(criteria, "MaxAutoMLJobRuntimeInSeconds"), "duration"),
        role=said(at(arguments, "RoleArn"), "text"),
        network=network(security),
        encryption=encryption(security, at(arguments, "OutputDataConfig")),
        tags=tags(arguments),
    )


def thin(kind: str, arguments: Any) -> Fields:
    """Return the fields of a step of our type *kind* that speaks the service's words."""
    role = {"emr_serverless": "ExecutionRoleArn", "job": "RoleArn"}.get(kind)
    if role is not None and isinstance(arguments, dict) and arguments.get(role) is not None:
        rest = {key: value for key, value in arguments.items() if key != role}
        return given(type_=kind, role=said(arguments[role], "text"), arguments=Said(rest, "tree") if rest else None)
    return given(type_=kind, arguments=Said(arguments, "tree") if arguments else None)


def raw(step_type: Any, arguments: Any, members: Any) -> Fields:
    """Return the fields of a step that is kept as it is."""
    return {
        "type": "raw",
        "step_type": Said(step_type, "literal"),
        "arguments": Said(arguments if isinstance(arguments, dict) else {}, "tree"),
        **given(members=Said(members, "tree") if members else None),
    }
