"""Write `service/models.json`: what SageMaker and EMR take and tell, from botocore's service models.

    python tools/refresh_service_model.py

Of requests it keeps every limit, of responses only names and types. One line holds one shape.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import botocore
import botocore.loaders

TARGET = Path(__file__).parents[1] / "buzzflow/backends/sagemaker/service/models.json"
LIMITS = ("pattern", "min", "max", "enum")

REQUESTS = {
    "sagemaker": (
        "CreateAutoMLJob",
        "CreateAutoMLJobV2",
        "CreateEndpoint",
        "CreateEndpointConfig",
        "CreateHyperParameterTuningJob",
        "CreateInferenceComponent",
        "CreateJob",
        "CreateModel",
        "CreateModelPackage",
        "CreateModelPackageGroup",
        "CreatePipeline",
        "CreateProcessingJob",
        "CreateTrainingJob",
        "CreateTransformJob",
    ),
    "emr": (),
    "emr-serverless": (),
}
RESPONSES = {
    "sagemaker": (
        "DescribeAutoMLJob",
        "DescribeAutoMLJobV2",
        "DescribeEndpoint",
        "DescribeEndpointConfig",
        "DescribeHyperParameterTuningJob",
        "DescribeInferenceComponent",
        "DescribeJob",
        "DescribeModel",
        "DescribeModelPackage",
        "DescribeProcessingJob",
        "DescribeTrainingJob",
        "DescribeTransformJob",
    ),
    "emr": (),
    "emr-serverless": ("GetJobRun",),
}
# The arguments of these steps are no operation's own: sagemaker.mlops.workflow.emr_step and .emr_serverless_step.
STEP_REQUESTS = {
    "sagemaker": ("CleanupStep", "LineageStep"),  # .cleanup_step, .lineage_step
    "emr": ("EMRStep",),
    "emr-serverless": ("EMRServerlessStep",),
}
# What a callback or a Lambda function gives back is its own; an EMR step is described without the response around it.
STEP_RESPONSES = {
    "sagemaker": ("CallbackStep", "CheckStep", "ForEachStep", "LambdaStep", "LineageArns"),
    "emr": ("DescribeStep",),
}


def main() -> None:
    """Write the models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--date", type=date.fromisoformat, default=date.today(), help="the day to write into the file")
    TARGET.write_text(as_text(models(parser.parse_args().date)), "utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


def models(day: date) -> dict[str, Any]:
    """Return the models of every service, and of which botocore they are."""
    services = {service: _service(service) for service in REQUESTS}
    return {"source": "botocore", "version": botocore.__version__, "date": str(day), "services": services}


def _service(name: str) -> dict[str, Any]:
    description = botocore.loaders.create_loader().load_service_model(name, "service-2")
    operations, shapes = description["operations"], description["shapes"]
    requests = {o: operations[o]["input"]["shape"] for o in REQUESTS[name]}
    responses = {o: operations[o]["output"]["shape"] for o in RESPONSES[name]}
    shapes |= _steps_own(name, shapes)
    requests |= {step: step for step in STEP_REQUESTS.get(name, ())}
    responses |= {step: step for step in STEP_RESPONSES.get(name, ())}
    sent = _reachable([*requests.values()], shapes)
    told = _reachable([*responses.values()], shapes)
    kept = {shape: _trimmed(shapes[shape], limits=shape in sent) for shape in sorted(sent | told)}
    return {"requests": requests, "responses": responses, "shapes": kept}


def _steps_own(service: str, shapes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the shapes that only a pipeline has, by name."""
    match service:
        case "emr":
            return _emr(shapes)
        case "emr-serverless":
            return _emr_serverless(shapes)
        case _:
            return _sagemaker(shapes)


def _sagemaker(shapes: Mapping[str, Any]) -> dict[str, Any]:
    tuning, best = "DescribeHyperParameterTuningJobResponse", "BestCandidateProperties"
    jobs = shapes["ListTrainingJobsForHyperParameterTuningJobResponse"]["members"]
    parameters = _structure(OutputParameters="OutputParameters")
    return {
        # A tuning step tells of its jobs too: sagemaker.mlops.workflow.steps.TuningStep
        tuning: _with(shapes[tuning], TrainingJobSummaries=jobs["TrainingJobSummaries"]["shape"]),
        # sagemaker.mlops.workflow.automl_step.AutoMLStep
        "DescribeAutoMLJobResponse": _with(shapes["DescribeAutoMLJobResponse"], **{best: best}),
        best: _structure(ModelInsightsJsonReportPath="String", ExplainabilityJsonReportPath="String"),
        "CallbackStep": parameters,
        "LambdaStep": parameters,
        **_lineage(),
        "CleanupStep": {**_structure(Resources="CleanupResources"), "required": ["Resources"]},
        "CleanupResources": {**_structure(S3="CleanupSources"), "required": ["S3"]},
        "CleanupSources": {"type": "list", "member": {"shape": "CleanupSource"}, "min": 1},
        "CleanupSource": {**_structure(StepName="String", S3Uris="CleanupUris"), "required": ["StepName"]},
        "CleanupUris": {"type": "list", "member": {"shape": "S3Uri"}, "min": 1},
        # sagemaker.mlops.workflow.quality_check_step and .clarify_check_step
        "CheckStep": _structure(
            CalculatedBaselineConstraints="String",
            CalculatedBaselineStatistics="String",
            BaselineUsedForDriftCheckConstraints="String",
            BaselineUsedForDriftCheckStatistics="String",
        ),
        # sagemaker.mlops.workflow.for_each_step
        "ForEachStep": _structure(
            Status="String",
            InputItemCount="Integer",
            TotalStepCount="Integer",
            SucceededStepCount="Integer",
            FailedStepCount="Integer",
            StoppedStepCount="Integer",
            IterationOutputs="Unknown",
        ),
        "Unknown": {"type": "unknown"},
        "OutputParameters": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "OutputParameter"}},
        "OutputParameter": {"type": "unknown"},
    }


def _lineage() -> dict[str, Any]:
    """Return the arguments of a lineage step, and what it tells: the ARNs of what it made, by name."""
    kinds = ("Action", "Artifact", "Context")
    lists = {f"{kind}s": f"Lineage{kind}s" for kind in kinds}
    return {
        "LineageStep": _structure(**lists, Associations="LineageAssociations"),
        **{f"Lineage{k}s": {"type": "list", "member": {"shape": f"Create{k}Request"}, "min": 1} for k in kinds},
        "LineageAssociations": {"type": "list", "member": {"shape": "LineageAssociation"}, "min": 1},
        "LineageAssociation": {
            **_structure(Source="LineageEntity", Destination="LineageEntity", AssociationType="AssociationEdgeType"),
            "required": ["Source", "Destination"],
        },
        "LineageEntity": {**_structure(Arn="AssociationEntityArn", Name="String", Type="LineageEntityType")},
        "LineageEntityType": {"type": "string", "enum": [*kinds]},
        "LineageArns": _structure(**{f"{kind}Arns": "LineageArnMap" for kind in kinds}),
        "LineageArnMap": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "String"}},
    }


def _emr(shapes: Mapping[str, Any]) -> dict[str, Any]:
    instances = ("KeepJobFlowAliveWhenNoSteps", "TerminationProtected")
    cluster = _without(shapes["RunJobFlowInput"], "Name", "Steps", "AutoTerminationPolicy", required=["Instances"])
    cluster["members"]["Instances"] = {"shape": "ClusterInstances"}
    return {
        "EMRStep": {
            **_structure(
                ClusterId="XmlStringMaxLen256",
                ClusterConfig="ClusterConfig",
                ExecutionRoleArn="ArnType",
                StepConfig="ClusterStep",
            ),
            "required": ["StepConfig"],
            "one_of": ["ClusterId", "ClusterConfig"],
        },
        "ClusterStep": _without(shapes["StepConfig"], required=["HadoopJarStep"]),
        "ClusterConfig": cluster,
        "ClusterInstances": _without(shapes["JobFlowInstancesConfig"], *instances, required=[]),
        "DescribeStep": _with(shapes["Step"], ClusterId="String"),
    }


def _emr_serverless(shapes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "EMRServerlessStep": {
            **_structure(
                ExecutionRoleArn="IAMRoleArn",
                JobConfig="JobConfig",
                ApplicationId="ApplicationId",
                ApplicationConfig="ApplicationConfig",
            ),
            "required": ["ExecutionRoleArn", "JobConfig"],
            "one_of": ["ApplicationId", "ApplicationConfig"],
        },
        "JobConfig": _without(shapes["StartJobRunRequest"], required=["executionRoleArn"]),
        "ApplicationConfig": {"type": "unknown"},  # the SDK passes on whatever it is given, and nothing tells more
    }


def _structure(**members: str) -> dict[str, Any]:
    return {"type": "structure", "members": {name: {"shape": shape} for name, shape in members.items()}}


def _with(shape: Mapping[str, Any], **members: str) -> dict[str, Any]:
    return {**shape, "members": {**shape["members"], **_structure(**members)["members"]}}


def _without(shape: Mapping[str, Any], *names: str, required: list[str]) -> dict[str, Any]:
    members = {name: member for name, member in shape["members"].items() if name not in names}
    return {"type": "structure", "members": members, "required": required}


def _reachable(names: list[str], shapes: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    while names:
        if (name := names.pop()) not in found:
            found.add(name)
            shape = shapes[name]
            names += [member["shape"] for member in shape.get("members", {}).values()]
            names += [shape[part]["shape"] for part in ("member", "key", "value") if part in shape]
    return found


def _trimmed(shape: Mapping[str, Any], *, limits: bool) -> dict[str, Any]:
    """Return what is checked of *shape*; botocore itself fills in a member that is an idempotency token."""
    members = shape.get("members", {})
    trimmed: dict[str, Any] = {"type": shape["type"]}
    if "members" in shape:
        trimmed["members"] = {name: members[name]["shape"] for name in sorted(members)}
    trimmed |= {part: shape[part]["shape"] for part in ("member", "key", "value") if part in shape}
    if shape.get("sensitive"):
        trimmed["sensitive"] = True
    if limits:
        required = [name for name in shape.get("required", ()) if not members[name].get("idempotencyToken")]
        alternatives = sorted(members) if shape.get("union") else shape.get("one_of", ())
        trimmed |= {"required": sorted(required)} if required else {}
        trimmed |= {"one_of": [*alternatives]} if alternatives else {}
        trimmed |= {limit: shape[limit] for limit in LIMITS if limit in shape}
    return trimmed


def as_text(found: Mapping[str, Any]) -> str:
    """Return JSON without spaces in which each shape has a line of its own: a new limit is one line in the diff."""
    services = []
    for name, service in found["services"].items():
        operations = ",\n".join(f'"{part}":{_compact(service[part])}' for part in ("requests", "responses"))
        shapes = ",\n".join(f"{json.dumps(shape)}:{_compact(value)}" for shape, value in service["shapes"].items())
        services.append(f'{json.dumps(name)}:{{\n{operations},\n"shapes":{{\n{shapes}\n}}}}')
    head = "".join(f'"{key}":{json.dumps(found[key])},\n' for key in ("source", "version", "date"))
    return f'{{{head}"services":{{\n{",".join(services)}\n}}}}\n'


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    main()
