"""Say what models are in the words of CreateModel, CreateModelPackage and CreateTransformJob."""

from __future__ import annotations

from buzzflow import ir
from buzzflow.backends.sagemaker.scope import Scope
from buzzflow.backends.sagemaker.text import Object

DATA_TYPES = {"prefix": "S3Prefix", "manifest": "ManifestFile", "augmented_manifest": "AugmentedManifestFile"}
SPLITS = {"none": "None", "line": "Line", "recordio": "RecordIO", "tfrecord": "TFRecord"}
STRATEGIES = {"single_record": "SingleRecord", "multi_record": "MultiRecord"}
# where the results of a check stand in ModelMetrics (API_ModelMetrics)
METRICS = {
    "data_quality": ("ModelDataQuality", "Statistics", "Constraints"),
    "model_quality": ("ModelQuality", "Statistics", "Constraints"),
    "data_bias": ("Bias", None, "PreTrainingReport"),
    "model_bias": ("Bias", None, "PostTrainingReport"),
    "model_explainability": ("Explainability", None, "Report"),
}


def model_arguments(scope: Scope, work: ir.Model) -> Object:
    """Return the request of CreateModel, but for the model's name, which the service chooses."""
    found = scope.optional(ExecutionRoleArn=work.role)
    containers = [_container(c, scope) for c in work.containers]
    if len(containers) == 1:
        found["PrimaryContainer"] = containers[0]
    else:
        found["Containers"] = containers
    found |= scope.vpc(work.network)
    if work.network is not None:
        found["EnableNetworkIsolation"] = scope.say(work.network.isolation)
    return found | scope.tags(work.tags)


def register_arguments(scope: Scope, work: ir.RegisterModel) -> Object:
    """Return the request of CreateModelPackage."""
    specification: Object = {
        "Containers": [_container(c, scope) for c in work.containers],
        "SupportedContentTypes": scope.every(work.content_types),
        "SupportedResponseMIMETypes": scope.every(work.response_types),
    }
    if work.realtime_instance_types:
        specification["SupportedRealtimeInferenceInstanceTypes"] = list(work.realtime_instance_types)
    if work.transform_instance_types:
        specification["SupportedTransformInstanceTypes"] = list(work.transform_instance_types)
    found: Object = {"ModelPackageGroupName": scope.say(work.group)}
    if metrics := _metrics(work, scope):
        found["ModelMetrics"] = metrics
    if work.drift_baselines is not None:
        found["DriftCheckBaselines"] = scope.tree(work.drift_baselines)
    if work.metadata:
        found["CustomerMetadataProperties"] = scope.pairs(work.metadata)
    found["InferenceSpecification"] = specification
    found["ModelApprovalStatus"] = scope.say(work.approval)
    found["SkipModelValidation"] = "None"
    if work.task is not None:
        found["Task"] = work.task
    return found | scope.optional(SamplePayloadUrl=work.sample_payload)


def _container(container: ir.ServingContainer, scope: Scope) -> Object:
    found: Object = {
        "Image": scope.image(container.image, None, "serving"),
        "Environment": scope.pairs(container.environment),
    }
    return found | scope.optional(ModelDataUrl=container.model, ContainerHostname=container.name)


def _metrics(work: ir.RegisterModel, scope: Scope) -> Object:
    found: dict[str, Object] = {}
    for what, uri in work.metrics:
        group, statistics, report = METRICS[what]
        found.setdefault(group, {})[statistics or report] = _source(scope.say(uri))
    for what, check in work.checks:
        group, statistics, constraints = METRICS[what]
        if statistics is not None and check.statistics is not None:
            found.setdefault(group, {})[statistics] = _source(scope.say(check.statistics))
        found.setdefault(group, {})[constraints] = _source(scope.say(check.constraints))
    return dict(found)


def _source(uri: object) -> Object:
    return {"ContentType": "application/json", "S3Uri": uri}


def transform_arguments(scope: Scope, step: ir.Step, work: ir.Transform) -> Object:
    """Return the request of CreateTransformJob, but for the job's name, which the service chooses."""
    job = work.job
    source: Object = {"S3DataType": DATA_TYPES[work.input.data_type], "S3Uri": scope.say(work.input.source)}
    records: Object = {"DataSource": {"S3DataSource": source}, **scope.optional(ContentType=work.input.content_type)}
    if work.input.compression != "none":
        records["CompressionType"] = work.input.compression.capitalize()
    if work.input.split != "none":
        records["SplitType"] = SPLITS[work.input.split]
    answers: Object = {"S3OutputPath": scope.output_uri(step, "predictions"), **scope.optional(Accept=work.accept)}
    if work.assemble != "none":
        answers["AssembleWith"] = work.assemble.capitalize()
    answers |= scope.optional(KmsKeyId=job.encryption.output_key)
    machines: Object = {
        "InstanceType": scope.say(job.instance.type),
        "InstanceCount": scope.say(job.instance.count),
        **scope.optional(VolumeKmsKeyId=job.encryption.volume_key),
    }
    found: Object = {
        "ModelName": scope.say(work.model),
        "TransformInput": records,
        "TransformOutput": answers,
        "TransformResources": machines,
        **scope.optional(MaxConcurrentTransforms=work.max_concurrent, MaxPayloadInMB=work.max_payload_mb),
    }
    if work.strategy is not None:
        found["BatchStrategy"] = STRATEGIES[work.strategy]
    processing = scope.optional(InputFilter=work.input_filter, OutputFilter=work.output_filter)
    if work.join:
        processing["JoinSource"] = "Input"
    if processing:
        found["DataProcessing"] = processing
    if job.timeout is not None:
        found["ModelClientConfig"] = {"InvocationsTimeoutInSeconds": scope.say(job.timeout)}
    if job.environment:
        found["Environment"] = scope.pairs(job.environment)
    return found | scope.tags(job.tags)
