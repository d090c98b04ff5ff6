"""Say what a job is in the words of CreateProcessingJob and CreateTrainingJob (Amazon SageMaker API Reference).

Members stand in the order, and have the defaults, of the SageMaker Python SDK 3.27.
"""

from __future__ import annotations

from collections.abc import Iterable

from buzzflow import ir
from buzzflow.backends import contract
from buzzflow.backends.sagemaker.images import framework_image_uri
from buzzflow.backends.sagemaker.places import CHECKPOINTS, code_uri, default_uri
from buzzflow.backends.sagemaker.text import Object, Steps, say

DAY = 86_400
_DATA_TYPES = {"prefix": "S3Prefix", "manifest": "ManifestFile", "augmented_manifest": "AugmentedManifestFile"}
_DISTRIBUTIONS = {"replicate": "FullyReplicated", "shard": "ShardedByS3Key"}
_MODES = {"file": "File", "fast_file": "FastFile", "pipe": "Pipe"}
_COMPRESSIONS = {"none": "None", "gzip": "Gzip"}
_UPLOADS = {"end": "EndOfJob", "continuous": "Continuous"}


def processing_arguments(pipeline: ir.Pipeline, step: ir.Step, job: ir.Job, steps: Steps) -> Object:
    """Return the request of CreateProcessingJob, but for the job's name, which the service chooses."""
    found: Object = {"ProcessingResources": {"ClusterConfig": _machines(job, steps)}}
    found["AppSpecification"] = {"ImageUri": _image(pipeline, job, steps), **_command(step, job, steps)}
    if job.role is not None:
        found["RoleArn"] = say(job.role, steps)
    if inputs := [_processing_input(i, steps) for i in (*job.inputs, *_code(pipeline, step, job))]:
        found["ProcessingInputs"] = inputs
    if job.outputs:
        outputs: Object = {"Outputs": [_processing_output(pipeline, step, o, steps) for o in job.outputs]}
        found["ProcessingOutputConfig"] = outputs | _optional("KmsKeyId", job.encryption.output_key, steps)
    found |= _environment(step, steps)
    if job.network is not None:
        found["NetworkConfig"] = {
            "EnableNetworkIsolation": say(job.network.isolation, steps),
            "EnableInterContainerTrafficEncryption": say(job.network.encrypt_traffic, steps),
            **_vpc(job.network, steps),
        }
    if job.timeout is not None:
        found["StoppingCondition"] = {"MaxRuntimeInSeconds": say(job.timeout, steps)}
    return found | _tags(job, steps)


def training_arguments(pipeline: ir.Pipeline, step: ir.Step, work: ir.Training, steps: Steps) -> Object:
    """Return the request of CreateTrainingJob, but for the job's name, which the service chooses."""
    job = work.job
    found: Object = {"AlgorithmSpecification": _algorithm(pipeline, step, work, steps)}
    if work.hyperparameters:
        found["HyperParameters"] = {name: say(value, steps) for name, value in work.hyperparameters}
    if channels := [_channel(i, work.input_mode, steps) for i in (*job.inputs, *_code(pipeline, step, job))]:
        found["InputDataConfig"] = channels
    found["ResourceConfig"] = _machines(job, steps)
    if job.network is not None:
        found |= _vpc(job.network, steps)
    if job.role is not None:
        found["RoleArn"] = say(job.role, steps)
    found |= _tags(job, steps)
    found["StoppingCondition"] = _stopping(work, steps)
    found["OutputDataConfig"] = {
        "S3OutputPath": say(_model_output(pipeline, step, job), steps),
        **_optional("KmsKeyId", job.encryption.output_key, steps),
        "CompressionType": "GZIP",
    }
    if work.checkpoints is not None:
        to = work.checkpoints.to or default_uri(pipeline, step.name, CHECKPOINTS)
        found["CheckpointConfig"] = {"S3Uri": say(to, steps), "LocalPath": work.checkpoints.path}
    found |= _environment(step, steps)
    if work.spot is not None:
        found["EnableManagedSpotTraining"] = True
    if job.network is not None:
        found["EnableInterContainerTrafficEncryption"] = say(job.network.encrypt_traffic, steps)
        found["EnableNetworkIsolation"] = say(job.network.isolation, steps)
    return found


def _machines(job: ir.Job, steps: Steps) -> Object:
    instance = job.instance
    found: Object = {
        "InstanceType": say(instance.type, steps),
        "InstanceCount": say(instance.count, steps),
        "VolumeSizeInGB": say(instance.volume_size_gb, steps),
        **_optional("VolumeKmsKeyId", job.encryption.volume_key, steps),
    }
    if instance.keep_alive is not None:
        found["KeepAlivePeriodInSeconds"] = instance.keep_alive
    return found


def _image(pipeline: ir.Pipeline, job: ir.Job, steps: Steps) -> object:
    match job.image:
        case ir.ImageUri(uri=uri):
            return say(uri, steps)
        case ir.FrameworkImage():
            region = pipeline.environment.region if pipeline.environment else None
            return framework_image_uri(job.image, job.instance.type, region or "")


def _command(step: ir.Step, job: ir.Job, steps: Steps) -> Object:
    found: Object = {}
    if (entrypoint := contract.container_entrypoint(step)) is not None:
        found["ContainerEntrypoint"] = _all(entrypoint, steps)
    if job.arguments:
        found["ContainerArguments"] = _all(job.arguments, steps)
    return found


def _code(pipeline: ir.Pipeline, step: ir.Step, job: ir.Job) -> tuple[ir.Input, ...]:
    """Return the input that brings the code; last, as the SDK has it, and always as files."""
    if job.code is None:
        return ()
    source = code_uri(pipeline, job.code.bundle)
    return (ir.Input(contract.CODE_INPUT, source, contract.code_directory(step), mode="file"),)


def _processing_input(data: ir.Input, steps: Steps) -> Object:
    s3: Object = {
        "S3Uri": say(data.source, steps),
        "LocalPath": data.path,
        "S3DataType": _DATA_TYPES[data.data_type],
        "S3InputMode": _MODES[data.mode or "file"],
        "S3DataDistributionType": _DISTRIBUTIONS[data.distribution],
        "S3CompressionType": _COMPRESSIONS[data.compression],
    }
    return {"InputName": data.name, "S3Input": s3}


def _processing_output(pipeline: ir.Pipeline, step: ir.Step, output: ir.Output, steps: Steps) -> Object:
    to = output.to or default_uri(pipeline, step.name, output.name)
    s3: Object = {"S3Uri": say(to, steps), "LocalPath": output.path, "S3UploadMode": _UPLOADS[output.upload]}
    return {"OutputName": output.name, "S3Output": s3}


def _algorithm(pipeline: ir.Pipeline, step: ir.Step, work: ir.Training, steps: Steps) -> Object:
    found: Object = {
        "TrainingInputMode": _MODES[work.input_mode],
        "TrainingImage": _image(pipeline, work.job, steps),
    }
    if work.metrics:
        found["MetricDefinitions"] = [{"Name": name, "Regex": regex} for name, regex in work.metrics]
    return found | _command(step, work.job, steps)


def _channel(data: ir.Input, default_mode: str, steps: Steps) -> Object:
    s3: Object = {
        "S3DataType": _DATA_TYPES[data.data_type],
        "S3Uri": say(data.source, steps),
        "S3DataDistributionType": _DISTRIBUTIONS[data.distribution],
    }
    found: Object = {"ChannelName": data.name, "DataSource": {"S3DataSource": s3}}
    found |= _optional("ContentType", data.content_type, steps)
    if data.compression != "none":
        found["CompressionType"] = _COMPRESSIONS[data.compression]
    return found | {"InputMode": _MODES[data.mode or default_mode]}


def _stopping(work: ir.Training, steps: Steps) -> Object:
    timeout = DAY if work.job.timeout is None else work.job.timeout
    found: Object = {"MaxRuntimeInSeconds": say(timeout, steps)}
    if work.spot is not None:
        assert isinstance(timeout, int), "`check` reports a spot training with a timeout that is a reference"
        found["MaxWaitTimeInSeconds"] = timeout + work.spot.wait
    return found


def _model_output(pipeline: ir.Pipeline, step: ir.Step, job: ir.Job) -> ir.Value:
    """Return the folder below which the service puts `<job name>/output/model.tar.gz`."""
    declared = next((o.to for o in job.outputs if o.name == contract.MODEL_OUTPUT), None)
    return declared or default_uri(pipeline, step.name, contract.MODEL_OUTPUT)


def _environment(step: ir.Step, steps: Steps) -> Object:
    variables = {name: say(value, steps) for name, value in contract.container_environment(step)}
    return {"Environment": variables} if variables else {}


def _vpc(network: ir.Network, steps: Steps) -> Object:
    if not network.subnets:
        return {}
    groups, subnets = _all(network.security_group_ids, steps), _all(network.subnets, steps)
    return {"VpcConfig": {"SecurityGroupIds": groups, "Subnets": subnets}}


def _tags(job: ir.Job, steps: Steps) -> Object:
    return {"Tags": [{"Key": key, "Value": say(value, steps)} for key, value in job.tags]} if job.tags else {}


def _optional(member: str, value: ir.Value | None, steps: Steps) -> Object:
    return {} if value is None else {member: say(value, steps)}


def _all(values: Iterable[ir.Value], steps: Steps) -> list[object]:
    return [say(value, steps) for value in values]
