"""Say what a job is in the words of CreateProcessingJob, CreateTrainingJob and CreateHyperParameterTuningJob.

Members stand in the order, and have the defaults, of the SageMaker Python SDK 3.27 (Amazon SageMaker API Reference).
"""

from __future__ import annotations

import json

from buzzflow import ir
from buzzflow.backends import contract
from buzzflow.backends.sagemaker import places
from buzzflow.backends.sagemaker.scope import Scope
from buzzflow.backends.sagemaker.text import Object

DAY = 86_400
DATA_TYPES = {"prefix": "S3Prefix", "manifest": "ManifestFile", "augmented_manifest": "AugmentedManifestFile"}
DISTRIBUTIONS = {"replicate": "FullyReplicated", "shard": "ShardedByS3Key"}
MODES = {"file": "File", "fast_file": "FastFile", "pipe": "Pipe"}
COMPRESSIONS = {"none": "None", "gzip": "Gzip"}
UPLOADS = {"end": "EndOfJob", "continuous": "Continuous"}


def processing_arguments(scope: Scope, step: ir.Step, job: ir.Job) -> Object:
    """Return the request of CreateProcessingJob, but for the job's name, which the service chooses."""
    found: Object = {"ProcessingResources": {"ClusterConfig": scope.machines(job)}}
    image = scope.image(job.image, job.instance.type)
    found["AppSpecification"] = {"ImageUri": image, **scope.command(step, job)}
    found |= scope.optional(RoleArn=job.role)
    if inputs := [_processing_input(i, scope) for i in (*job.inputs, *_code(scope, step, job))]:
        found["ProcessingInputs"] = inputs
    if job.outputs:
        outputs: Object = {"Outputs": [_processing_output(step, o, scope) for o in job.outputs]}
        found["ProcessingOutputConfig"] = outputs | scope.optional(KmsKeyId=job.encryption.output_key)
    found |= scope.environment(step)
    found |= scope.network_config(job.network)
    if job.timeout is not None:
        found["StoppingCondition"] = {"MaxRuntimeInSeconds": scope.say(job.timeout)}
    return found | scope.tags(job.tags)


def training_arguments(scope: Scope, step: ir.Step, work: ir.Training) -> Object:
    """Return the request of CreateTrainingJob, but for the job's name, which the service chooses."""
    job = work.job
    algorithm = _algorithm(scope, work) | scope.command(step, job)
    found: Object = {"AlgorithmSpecification": algorithm}
    if hyperparameters := _hyperparameters(scope, work):
        found["HyperParameters"] = hyperparameters
    if channels := _channels(scope, step, work):
        found["InputDataConfig"] = channels
    found["ResourceConfig"] = scope.machines(job)
    found |= scope.vpc(job.network)
    found |= scope.optional(RoleArn=job.role)
    found |= scope.tags(job.tags)
    found["StoppingCondition"] = _stopping(scope, work)
    found["OutputDataConfig"] = _output_data(scope, step, job)
    found |= _checkpoints(scope, step, work)
    found |= scope.environment(step)
    found |= _spot_and_network(scope, work)
    for part in (work.debugger, work.profiler):
        found |= scope.mapping(part)
    return found


def tuning_arguments(scope: Scope, step: ir.Step, work: ir.Tuning) -> Object:
    """Return the request of CreateHyperParameterTuningJob; each try is started by the toolkit in its image."""
    search, training = work.search, work.training
    job = training.job
    limits: Object = {"MaxParallelTrainingJobs": scope.say(search.max_parallel_jobs)}
    limits |= scope.optional(MaxNumberOfTrainingJobs=search.max_jobs, MaxRuntimeInSeconds=search.timeout)
    config: Object = {
        "Strategy": search.strategy.capitalize(),
        "ResourceLimits": limits,
        "HyperParameterTuningJobObjective": {
            "Type": "Maximize" if search.maximize else "Minimize",
            "MetricName": search.metric,
        },
        "ParameterRanges": _ranges(search),
        "TrainingJobEarlyStoppingType": "Auto" if search.early_stopping else "Off",
    }
    definition: Object = {}
    if fixed := _hyperparameters(scope, training):
        definition["StaticHyperParameters"] = fixed
    definition["AlgorithmSpecification"] = _algorithm(scope, training)
    definition |= scope.optional(RoleArn=job.role)
    definition["OutputDataConfig"] = _output_data(scope, step, job)
    definition["StoppingCondition"] = _stopping(scope, training)
    if channels := _channels(scope, step, training):
        definition["InputDataConfig"] = channels
    definition |= scope.vpc(job.network)
    definition["ResourceConfig"] = scope.machines(job)
    definition |= _checkpoints(scope, step, training)
    definition |= scope.environment(step)
    definition |= _spot_and_network(scope, training)
    found: Object = {"HyperParameterTuningJobConfig": config, "TrainingJobDefinition": definition}
    if search.warm_start:
        found["WarmStartConfig"] = {
            "ParentHyperParameterTuningJobs": [
                {"HyperParameterTuningJobName": name} for name in scope.every(search.warm_start)
            ],
            "WarmStartType": "IdenticalDataAndAlgorithm" if search.same_data else "TransferLearning",
        }
    return found | scope.tags(job.tags)


# ------------------------------------------------------------------ data


def _code(scope: Scope, step: ir.Step, job: ir.Job) -> tuple[ir.Input, ...]:
    """Return the input that brings the code; last, as the SDK has it, and always as files."""
    if job.code is None or job.code.launcher == "image":
        return ()
    source = places.code_uri(scope.pipeline, job.code.bundle)
    return (ir.Input(contract.CODE_INPUT, source, contract.code_directory(step), mode="file"),)


def _s3_uri(data: ir.Input, scope: Scope) -> object:
    match data.source:
        case ir.Bundle() as files:
            return places.files_uri(scope.pipeline, files)
        case ir.FileSystem() | ir.Athena() | ir.Redshift():
            raise TypeError(f"input {data.name!r} is not in S3")
        case value:
            return scope.say(value)


def _processing_input(data: ir.Input, scope: Scope) -> Object:
    if isinstance(data.source, ir.Athena | ir.Redshift):
        definition = {**_query(data.source, scope), "LocalPath": data.path, "InputMode": MODES[data.mode or "file"]}
        definition["DataDistributionType"] = DISTRIBUTIONS[data.distribution]
        return {"InputName": data.name, "DatasetDefinition": definition}
    s3: Object = {
        "S3Uri": _s3_uri(data, scope),
        "LocalPath": data.path,
        "S3DataType": DATA_TYPES[data.data_type],
        "S3InputMode": MODES[data.mode or "file"],
        "S3DataDistributionType": DISTRIBUTIONS[data.distribution],
        "S3CompressionType": COMPRESSIONS[data.compression],
    }
    return {"InputName": data.name, "S3Input": s3}


def _query(source: ir.Athena | ir.Redshift, scope: Scope) -> Object:
    answer: Object = {"OutputS3Uri": scope.say(source.to), "OutputFormat": source.format.upper()}
    if source.compression is not None:
        answer["OutputCompression"] = source.compression.upper()
    match source:
        case ir.Athena():
            definition = scope.optional(
                Catalog=source.catalog,
                Database=source.database,
                QueryString=source.query,
                WorkGroup=source.work_group,
            )
            return {"AthenaDatasetDefinition": definition | answer}
        case ir.Redshift():
            definition = scope.optional(
                ClusterId=source.cluster,
                Database=source.database,
                DbUser=source.user,
                QueryString=source.query,
                ClusterRoleArn=source.cluster_role,
            )
            return {"RedshiftDatasetDefinition": definition | answer}


def _processing_output(step: ir.Step, output: ir.Output, scope: Scope) -> Object:
    if output.feature_group is not None:
        group = {"FeatureGroupName": scope.say(output.feature_group)}
        return {"OutputName": output.name, "FeatureStoreOutput": group, "AppManaged": True}
    s3: Object = {
        "S3Uri": scope.output_uri(step, output.name),
        "LocalPath": output.path,
        "S3UploadMode": UPLOADS[output.upload],
    }
    return {"OutputName": output.name, "S3Output": s3}


def _channels(scope: Scope, step: ir.Step, work: ir.Training) -> list[Object]:
    job = work.job
    return [_channel(i, work.input_mode, scope) for i in (*job.inputs, *_code(scope, step, job))]


def _channel(data: ir.Input, default_mode: str, scope: Scope) -> Object:
    source: Object
    if isinstance(data.source, ir.FileSystem):
        system: Object = {
            "FileSystemId": scope.say(data.source.id),
            "FileSystemAccessMode": "rw" if data.source.writable else "ro",
            "FileSystemType": {"efs": "EFS", "fsx": "FSxLustre"}[data.source.type],
            "DirectoryPath": scope.say(data.source.folder),
        }
        source = {"FileSystemDataSource": system}
    else:
        s3: Object = {
            "S3DataType": DATA_TYPES[data.data_type],
            "S3Uri": _s3_uri(data, scope),
            "S3DataDistributionType": DISTRIBUTIONS[data.distribution],
        }
        source = {"S3DataSource": s3}
    found: Object = {"ChannelName": data.name, "DataSource": source}
    found |= scope.optional(ContentType=data.content_type)
    if data.compression != "none":
        found["CompressionType"] = COMPRESSIONS[data.compression]
    return found | {"InputMode": MODES[data.mode or default_mode]}


def _output_data(scope: Scope, step: ir.Step, job: ir.Job) -> Object:
    """Return the folder below which the service puts `<job name>/output/model.tar.gz`."""
    found: Object = {"S3OutputPath": scope.output_uri(step, contract.MODEL_OUTPUT)}
    return {**found, **scope.optional(KmsKeyId=job.encryption.output_key), "CompressionType": "GZIP"}


# ------------------------------------------------------------------ trainings


def _algorithm(scope: Scope, work: ir.Training) -> Object:
    found: Object = {"TrainingInputMode": MODES[work.input_mode]}
    if work.algorithm is not None:
        found["AlgorithmName"] = scope.say(work.algorithm)
    else:
        found["TrainingImage"] = scope.image(work.job.image, work.job.instance.type)
    if work.metrics:
        found["MetricDefinitions"] = [{"Name": name, "Regex": regex} for name, regex in work.metrics]
    return found


def _hyperparameters(scope: Scope, work: ir.Training) -> Object:
    """Return them, with those that tell the toolkit in a framework image what to start: they are JSON texts."""
    found = scope.pairs(work.hyperparameters)
    code = work.job.code
    if code is not None and code.launcher == "image":
        program = code.entry_point.removeprefix(contract.SOURCE_FOLDER)
        found["sagemaker_program"] = json.dumps(program)
        found["sagemaker_submit_directory"] = json.dumps(places.toolkit_uri(scope.pipeline, code.bundle))
        found["sagemaker_region"] = json.dumps(scope.region)
    return found


def _stopping(scope: Scope, work: ir.Training) -> Object:
    timeout = DAY if work.job.timeout is None else work.job.timeout
    found: Object = {"MaxRuntimeInSeconds": scope.say(timeout)}
    if work.spot is not None:
        assert isinstance(timeout, int), "`check` reports a spot training with a timeout that is a reference"
        found["MaxWaitTimeInSeconds"] = timeout + work.spot.wait
    return found


def _checkpoints(scope: Scope, step: ir.Step, work: ir.Training) -> Object:
    if work.checkpoints is None:
        return {}
    to = work.checkpoints.to or places.default_uri(scope.pipeline, step, places.CHECKPOINTS)
    return {"CheckpointConfig": {"S3Uri": scope.say(to), "LocalPath": work.checkpoints.path}}


def _spot_and_network(scope: Scope, work: ir.Training) -> Object:
    found: Object = {} if work.spot is None else {"EnableManagedSpotTraining": True}
    if (network := work.job.network) is not None:
        found["EnableInterContainerTrafficEncryption"] = scope.say(network.encrypt_traffic)
        found["EnableNetworkIsolation"] = scope.say(network.isolation)
    return found


SCALES = {
    "auto": "Auto",
    "linear": "Linear",
    "logarithmic": "Logarithmic",
    "reverse_logarithmic": "ReverseLogarithmic",
}


def _ranges(search: ir.Search) -> Object:
    found: dict[str, list[Object]] = {}
    for item in search.ranges:
        if item.kind == "values":
            member: Object = {"Name": item.name, "Values": list(item.values)}
            found.setdefault("CategoricalParameterRanges", []).append(member)
            continue
        member = {
            "Name": item.name,
            "MinValue": str(item.low),
            "MaxValue": str(item.high),
            "ScalingType": SCALES[item.scale or "auto"],
        }
        found.setdefault(f"{item.kind.capitalize()}ParameterRanges", []).append(member)
    return dict(found)
