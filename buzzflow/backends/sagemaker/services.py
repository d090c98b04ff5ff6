"""Say what other services are asked: checks, AutoML, notebooks, calls, and requests in the service's own words."""

from __future__ import annotations

import json
import re

from buzzflow import ir
from buzzflow.backends import contract
from buzzflow.backends.sagemaker import places
from buzzflow.backends.sagemaker.images import service_image_uri
from buzzflow.backends.sagemaker.scope import Scope
from buzzflow.backends.sagemaker.text import Object

DAY = 86_400
FORMATS = {
    "csv": {"csv": {"header": True, "output_columns_position": "START"}},
    "csv_no_header": {"csv": {"header": False, "output_columns_position": "START"}},
    "json_lines": {"json": {"lines": True}},
    "json": {"json": {"lines": False}},
    "parquet": {"parquet": {}},
}
PROBLEMS = {
    "binary_classification": "BinaryClassification",
    "multiclass_classification": "MulticlassClassification",
    "regression": "Regression",
}
NOTEBOOK_CHANNEL = "sagemaker_headless_execution_pipelinestep"


# ------------------------------------------------------------------ checks


def check_arguments(scope: Scope, step: ir.Step, work: ir.Check) -> Object:
    """Return the request of the processing job that checks (Developer Guide, "QualityCheck" and "ClarifyCheck")."""
    job = work.job
    quality = work.type == "quality_check"
    source = scope.say(work.dataset)
    if quality:
        data = _check_input("baseline_dataset_input", source, f"{contract.PROCESSING_INPUT}/baseline_dataset_input")
        inputs, output = [data], "quality_check_output"
        variables = {**_monitor_variables(scope, work), **scope.pairs(job.environment)}
    else:
        config = places.analysis_uri(scope.pipeline, analysis_file(scope, work))
        inputs = [
            _check_input("analysis_config", config, f"{contract.PROCESSING_INPUT}/config"),
            _check_input("dataset", source, f"{contract.PROCESSING_INPUT}/data"),
        ]
        output, variables = "analysis_result", scope.pairs(job.environment)
    s3: Object = {
        "S3Uri": scope.output_uri(step, "report"),
        "LocalPath": contract.PROCESSING_OUTPUT,
        "S3UploadMode": _report_upload(scope, work),
    }
    found: Object = {
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": output, "S3Output": s3}],
            **scope.optional(KmsKeyId=job.encryption.output_key),
        },
        "ProcessingResources": {"ClusterConfig": scope.machines(job)},
        "AppSpecification": {"ImageUri": _check_image(scope, work)},
        **scope.optional(RoleArn=job.role),
        "StoppingCondition": {"MaxRuntimeInSeconds": scope.say(DAY if job.timeout is None else job.timeout)},
    }
    if variables:
        found["Environment"] = variables
    return found | scope.network_config(job.network) | scope.tags(job.tags)


def _report_upload(scope: Scope, work: ir.Check) -> str:
    """Return when the report is stored: about images it is large, and Clarify stores it bit by bit."""
    images = scope.mapping(work.analysis).get("dataset_type") == "application/x-image"
    return "Continuous" if images else "EndOfJob"


def check_members(scope: Scope, work: ir.Check) -> Object:
    """Return the members of a check beside its arguments."""
    found: Object = {
        "CheckType": work.check.upper(),
        "ModelPackageGroupName": None if work.model_group is None else scope.say(work.model_group),
        "SkipCheck": scope.say(work.skip),
        "FailOnViolation": scope.say(work.fail_on_violation),
        "RegisterNewBaseline": scope.say(work.baseline.register_new),
    }
    base = work.baseline
    if work.type == "quality_check":
        found["SuppliedBaselineStatistics"] = None if base.statistics is None else scope.say(base.statistics)
    found["SuppliedBaselineConstraints"] = None if base.constraints is None else scope.say(base.constraints)
    return found | scope.optional(ModelName=work.model)


def analysis_file(scope: Scope, work: ir.Check) -> bytes:
    """Return the analysis configuration that a clarify check reads: a file, uploaded when deployed."""
    return (json.dumps(scope.tree(work.analysis), indent=2, ensure_ascii=False) + "\n").encode()


def _check_image(scope: Scope, work: ir.Check) -> object:
    return service_image_uri("model-monitor" if work.type == "quality_check" else "clarify", scope.region)


def _check_input(name: str, uri: object, path: str) -> Object:
    s3: Object = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": s3}


def _monitor_variables(scope: Scope, work: ir.Check) -> Object:
    """Return what Model Monitor's container reads, as `sagemaker.model_monitor` sets it."""
    found: Object = {
        "output_path": contract.PROCESSING_OUTPUT,
        "publish_cloudwatch_metrics": "Disabled",
        "dataset_format": json.dumps(FORMATS[work.format]),
        "dataset_source": f"{contract.PROCESSING_INPUT}/baseline_dataset_input",
    }
    if work.check == "model_quality":
        found["analysis_type"] = "MODEL_QUALITY"
        found |= scope.mapping(work.analysis)
    return found


# ------------------------------------------------------------------ AutoML, notebooks


def automl_arguments(scope: Scope, step: ir.Step, work: ir.AutoML) -> Object:
    """Return the request of CreateAutoMLJob, but for the job's name, which the service chooses.

    A pipeline takes the mode ensembling only (sagemaker.mlops.workflow.automl_step).
    """
    channels = []
    for data in work.inputs:
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": scope.say(data.source)}}
        channel: Object = {"DataSource": source, "TargetAttributeName": scope.say(work.target)}
        if data.compression != "none":
            channel["CompressionType"] = data.compression.capitalize()
        channel["ChannelType"] = data.name
        channels.append(channel | scope.optional(ContentType=data.content_type))
    criteria = scope.optional(MaxCandidates=work.max_candidates, MaxAutoMLJobRuntimeInSeconds=work.timeout)
    security = scope.optional(VolumeKmsKeyId=work.encryption.volume_key)
    if work.network is not None:
        security["EnableInterContainerTrafficEncryption"] = scope.say(work.network.encrypt_traffic)
        security |= scope.vpc(work.network)
    config: Object = {"CompletionCriteria": criteria} if criteria else {}
    config |= {"SecurityConfig": security} if security else {}
    to = work.output.to or places.default_uri(scope.pipeline, step, work.output.name)
    found: Object = {
        "InputDataConfig": channels,
        "OutputDataConfig": {"S3OutputPath": scope.say(to), **scope.optional(KmsKeyId=work.encryption.output_key)},
        "AutoMLJobConfig": {**config, "Mode": "ENSEMBLING"},
        **scope.optional(RoleArn=work.role),
    }
    if work.problem is not None:
        found["ProblemType"] = PROBLEMS[work.problem]
        found["AutoMLJobObjective"] = {"MetricName": work.objective}
    return found | scope.tags(work.tags)


def notebook_arguments(scope: Scope, step: ir.Step, work: ir.Notebook) -> Object:
    """Return the training job that runs a notebook, as SDK 3.27's NotebookJobStep asks for it."""
    job = work.job
    assert job.code is not None  # a notebook step has one
    name = work.notebook.removeprefix(contract.SOURCE_FOLDER)
    machines = scope.machines(job)
    system: Object = {
        "AWS_DEFAULT_REGION": scope.region,
        "SM_JOB_DEF_VERSION": "1.0",
        "SM_ENV_NAME": "sagemaker-default-env",
        "SM_SKIP_EFS_SIMULATION": "true",
        "SM_EXECUTION_INPUT_PATH": f"{contract.TRAINING_INPUT}/{NOTEBOOK_CHANNEL}",
        "SM_KERNEL_NAME": work.kernel,
        "SM_INPUT_NOTEBOOK_NAME": name,
        "SM_OUTPUT_NOTEBOOK_NAME": f"{_job_name(step)}.ipynb",
    }
    if work.setup_script is not None:
        system["SM_INIT_SCRIPT"] = work.setup_script
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": places.code_uri(scope.pipeline, job.code.bundle) + contract.SOURCE_FOLDER,
        "S3DataDistributionType": "FullyReplicated",
    }
    found: Object = {
        **scope.optional(RoleArn=job.role),
        **({} if job.timeout is None else {"StoppingCondition": {"MaxRuntimeInSeconds": scope.say(job.timeout)}}),
        "AlgorithmSpecification": {
            "TrainingImage": scope.image(job.image, job.instance.type),
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["amazon_sagemaker_scheduler"],
        },
        "InputDataConfig": [{"ChannelName": NOTEBOOK_CHANNEL, "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {
            "S3OutputPath": scope.output_uri(step, "notebook"),
            **scope.optional(KmsKeyId=job.encryption.output_key),
        },
        "ResourceConfig": machines,
        **scope.vpc(job.network),
        "Environment": {**scope.pairs(job.environment), **system},
    }
    if work.parameters:
        found["HyperParameters"] = scope.pairs(work.parameters)
    if job.network is not None:
        found["EnableInterContainerTrafficEncryption"] = scope.say(job.network.encrypt_traffic)
        found["EnableNetworkIsolation"] = scope.say(job.network.isolation)
    return found | scope.tags((*job.tags, *_studio_tags(step, name, job.tags)))


def _studio_tags(step: ir.Step, notebook: str, tags: ir.Pairs) -> ir.Pairs:
    """Return the tags by which Studio finds the jobs of notebooks, as SDK 3.27's NotebookJobStep sets them."""
    given = {key for key, _ in tags}
    own = {
        "sagemaker:name": _job_name(step),
        "sagemaker:notebook-name": notebook,
        "sagemaker:notebook-job-origin": "PIPELINE_STEP",
        "sagemaker:is-studio-archived": "false",
    }
    return tuple((key, value) for key, value in own.items() if key not in given)


def _job_name(step: ir.Step) -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", step.name)


# ------------------------------------------------------------------ calls, and the service's own words


def call_members(scope: Scope, work: ir.Lambda | ir.Callback) -> Object:
    """Return the members of a lambda or callback step beside its arguments."""
    target: Object
    match work:
        case ir.Lambda(function=function):
            target = {"FunctionArn": places.function_arn(scope.pipeline, function, scope.say(function))}
        case ir.Callback(queue=queue):
            target = {"SqsQueueUrl": scope.say(queue)}
    outputs = [{"OutputName": name, "OutputType": kind.capitalize()} for name, kind in work.outputs]
    return {**target, "OutputParameters": outputs}


def service_arguments(scope: Scope, work: ir.Service) -> Object:
    """Return the request of a step in the service's words, with the common fields where its type has them."""
    given = scope.mapping(work.arguments)
    encryption = work.encryption or ir.Encryption()
    match work.type:
        case "endpoint_config":
            key = {} if "KmsKeyId" in given else scope.optional(KmsKeyId=encryption.volume_key)
            return {**given, **key, **_own_tags(scope, work, given)}
        case "emr_serverless":
            return _serverless(scope, work, given)
        case "job":
            role = {} if "RoleArn" in given else scope.optional(RoleArn=work.role)
            return {**given, **role, **_own_tags(scope, work, given)}
        case _:
            return {**given, **_own_tags(scope, work, given)}


def _own_tags(scope: Scope, work: ir.Service, given: Object) -> Object:
    return {} if "Tags" in given else scope.tags(work.tags)


def _serverless(scope: Scope, work: ir.Service, given: Object) -> Object:
    """Put role, tags and timeout where EMR Serverless has them: the role twice, as the SDK does."""
    config = given.get("JobConfig")
    job: Object = {**config} if isinstance(config, dict) else {}
    if work.role is not None:
        job.setdefault("executionRoleArn", scope.say(work.role))
    if "ApplicationId" in given:
        job.setdefault("applicationId", given["ApplicationId"])
    if isinstance(work.timeout, int):
        job.setdefault("executionTimeoutMinutes", -(-work.timeout // 60))
    if work.tags:
        job.setdefault("tags", scope.pairs(work.tags))
    return {**scope.optional(ExecutionRoleArn=work.role), **given, "JobConfig": job}
