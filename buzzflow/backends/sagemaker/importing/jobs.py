"""Processing, training and tuning steps, from the requests that they are compiled to."""

from __future__ import annotations

from typing import Any

from buzzflow.backends import contract
from buzzflow.backends.sagemaker import jobs
from buzzflow.backends.sagemaker.importing.said import (
    Fields,
    at,
    by_name,
    every,
    given,
    inverse,
    objects,
    pairs,
    said,
    word,
)

_DATA_TYPES, _DISTRIBUTIONS = inverse(jobs.DATA_TYPES), inverse(jobs.DISTRIBUTIONS)
_MODES, _COMPRESSIONS, _UPLOADS = inverse(jobs.MODES), inverse(jobs.COMPRESSIONS), inverse(jobs.UPLOADS)
_SCALES = inverse(jobs.SCALES)
_STRATEGIES = {s.capitalize(): s for s in ("bayesian", "random", "grid", "hyperband")}


def processing(arguments: Any, members: Any) -> Fields:
    """Return the fields of a processing step."""
    cluster = at(arguments, "ProcessingResources", "ClusterConfig")
    config = at(arguments, "ProcessingOutputConfig")
    return given(
        type_="processing",
        image=said(at(arguments, "AppSpecification", "ImageUri"), "text"),
        entrypoint=every(at(arguments, "AppSpecification", "ContainerEntrypoint"), "text"),
        arguments=every(at(arguments, "AppSpecification", "ContainerArguments"), "scalar"),
        role=said(at(arguments, "RoleArn"), "text"),
        instance=instance(cluster),
        encryption=encryption(cluster, config),
        network=network(at(arguments, "NetworkConfig")),
        inputs=_inputs(at(arguments, "ProcessingInputs")),
        outputs=_outputs(at(config, "Outputs"), at(members, "PropertyFiles")),
        environment_variables=pairs(at(arguments, "Environment"), "text"),
        timeout=said(at(arguments, "StoppingCondition", "MaxRuntimeInSeconds"), "duration"),
        tags=tags(arguments),
    )


def training(arguments: Any) -> Fields:
    """Return the fields of a training step."""
    return given(type_="training", **_training(arguments, arguments, "HyperParameters"), tags=tags(arguments))


def tuning(arguments: Any) -> Fields:
    """Return the fields of a tuning step."""
    definition = at(arguments, "TrainingJobDefinition")
    found = _training(definition, definition, "StaticHyperParameters")
    return given(type_="tuning", **found, search=_search(arguments), tags=tags(arguments))


# ------------------------------------------------------------------ parts that other types have too


def instance(cluster: Any) -> Fields:
    """Return the machines of a ClusterConfig, a ResourceConfig, or TransformResources."""
    preferences = objects(at(cluster, "InstancePreferences")) or []
    types = [p.get("InstanceType") for p in preferences]
    return given(
        type_=said(types[0] if types else at(cluster, "InstanceType"), "text", default="ml.m5.xlarge"),
        count=said(at(cluster, "InstanceCount"), "number", default=1),
        volume_size_gb=said(at(cluster, "VolumeSizeInGB"), "number", default=30),
        keep_alive=said(at(cluster, "KeepAlivePeriodInSeconds"), "duration"),
        fallbacks=every(types[1:], "literal"),
    )


def encryption(cluster: Any, output: Any) -> Fields:
    """Return the keys of the machines, and of what they write."""
    return given(
        volume_key=said(at(cluster, "VolumeKmsKeyId"), "text"), output_key=said(at(output, "KmsKeyId"), "text")
    )


def network(config: Any) -> Fields | None:
    """Return where a job may connect; *config* holds VpcConfig and the flags. None where nothing is said of it."""
    members = ("VpcConfig", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption")
    if not any(at(config, member) is not None for member in members):
        return None
    found = given(
        subnets=every(at(config, "VpcConfig", "Subnets"), "text"),
        security_group_ids=every(at(config, "VpcConfig", "SecurityGroupIds"), "text"),
        isolation=said(at(config, "EnableNetworkIsolation"), "boolean", default=False),
        encrypt_traffic=said(at(config, "EnableInterContainerTrafficEncryption"), "boolean", default=False),
    )
    return found or {"isolation": False}


def tags(arguments: Any) -> Fields | None:
    """Return the tags of a job."""
    found = by_name(at(arguments, "Tags"), "Key")
    return pairs({key: tag.get("Value") for key, tag in (found or {}).items()}, "text")


# ------------------------------------------------------------------ data


def _inputs(items: Any) -> Fields | None:
    named = by_name(items, "InputName")
    return None if named is None else {name: _input(name, item) for name, item in named.items()}


def _input(name: str, item: Any) -> Fields:
    data = at(item, "DatasetDefinition") or at(item, "S3Input")
    return given(
        from_=said(at(item, "S3Input", "S3Uri"), "text"),
        athena=_athena(at(data, "AthenaDatasetDefinition")),
        redshift=_redshift(at(data, "RedshiftDatasetDefinition")),
        path=said(at(data, "LocalPath"), "literal", default=f"{contract.PROCESSING_INPUT}/{name}"),
        mode=word(at(data, "S3InputMode") or at(data, "InputMode"), _MODES, default="file"),
        data_type=word(at(data, "S3DataType"), _DATA_TYPES, default="prefix"),
        distribution=word(
            at(data, "S3DataDistributionType") or at(data, "DataDistributionType"), _DISTRIBUTIONS, default="replicate"
        ),
        compression=word(at(data, "S3CompressionType"), _COMPRESSIONS, default="none"),
    )


def _athena(query: Any) -> Fields:
    return given(
        query=said(at(query, "QueryString"), "text"),
        database=said(at(query, "Database"), "text"),
        catalog=said(at(query, "Catalog"), "text", default="AwsDataCatalog"),
        work_group=said(at(query, "WorkGroup"), "text"),
        **_answer(query),
    )


def _redshift(query: Any) -> Fields:
    return given(
        query=said(at(query, "QueryString"), "text"),
        cluster=said(at(query, "ClusterId"), "text"),
        database=said(at(query, "Database"), "text"),
        user=said(at(query, "DbUser"), "text"),
        cluster_role=said(at(query, "ClusterRoleArn"), "text"),
        **_answer(query),
    )


def _answer(query: Any) -> Fields:
    form, compression = at(query, "OutputFormat"), at(query, "OutputCompression")
    return given(
        to=said(at(query, "OutputS3Uri"), "text"),
        format=form.lower() if isinstance(form, str) and form != "PARQUET" else None,
        compression=compression.lower() if isinstance(compression, str) else None,
    )


def _outputs(items: Any, reports: Any) -> Fields | None:
    named = by_name(items, "OutputName")
    if named is None:
        return None
    found = {name: _output(name, item) for name, item in named.items()}
    for report in objects(reports) or ():
        output, name, file = (report.get(key) for key in ("OutputName", "PropertyFileName", "FilePath"))
        if isinstance(output, str) and output in found and isinstance(name, str) and isinstance(file, str):
            found[output].setdefault("json", {})[name] = said(file, "literal")
    return found


def _output(name: str, item: Any) -> Fields:
    return given(
        to=said(at(item, "S3Output", "S3Uri"), "text"),
        feature_group=said(at(item, "FeatureStoreOutput", "FeatureGroupName"), "text"),
        path=said(at(item, "S3Output", "LocalPath"), "literal", default=f"{contract.PROCESSING_OUTPUT}/{name}"),
        upload=word(at(item, "S3Output", "S3UploadMode"), _UPLOADS, default="end"),
    )


# ------------------------------------------------------------------ trainings


def _training(definition: Any, network_of: Any, hyperparameters: str) -> Fields:
    algorithm, resources = at(definition, "AlgorithmSpecification"), at(definition, "ResourceConfig")
    output, stopping = at(definition, "OutputDataConfig"), at(definition, "StoppingCondition")
    mode = word(at(algorithm, "TrainingInputMode"), _MODES)
    to = given(to=said(at(output, "S3OutputPath"), "text"))
    metrics = by_name(at(algorithm, "MetricDefinitions"), "Name") or {}
    return given(
        image=said(at(algorithm, "TrainingImage"), "text"),
        algorithm=said(at(algorithm, "AlgorithmName"), "text"),
        entrypoint=every(at(algorithm, "ContainerEntrypoint"), "text"),
        arguments=every(at(algorithm, "ContainerArguments"), "scalar"),
        role=said(at(definition, "RoleArn"), "text"),
        instance=instance(resources),
        encryption=encryption(resources, output),
        network=network(network_of),
        inputs=_channels(at(definition, "InputDataConfig"), mode or "file"),
        outputs={"model": to} if to else None,
        hyperparameters=pairs(at(definition, hyperparameters), "scalar"),
        metrics=pairs({name: metric.get("Regex") for name, metric in metrics.items()}, "literal"),
        input_mode=None if mode == "file" else mode,
        environment_variables=pairs(at(definition, "Environment"), "text"),
        timeout=said(at(stopping, "MaxRuntimeInSeconds"), "duration", default=jobs.DAY),
        spot=_spot(definition),
        checkpoints=_checkpoints(at(definition, "CheckpointConfig")),
        debugger=_parts(definition, "DebugHookConfig", "DebugRuleConfigurations", "TensorBoardOutputConfig"),
        profiler=_parts(definition, "ProfilerConfig", "ProfilerRuleConfigurations"),
    )


def _parts(definition: Any, *members: str) -> Fields | None:
    found = {member: said(at(definition, member), "tree") for member in members}
    return {member: value for member, value in found.items() if value is not None} or None


def _channels(items: Any, default_mode: str) -> Fields | None:
    named = by_name(items, "ChannelName")
    return None if named is None else {name: _channel(item, default_mode) for name, item in named.items()}


def _channel(item: Any, default_mode: str) -> Fields:
    s3 = at(item, "DataSource", "S3DataSource")
    system = at(item, "DataSource", "FileSystemDataSource")
    return given(
        from_=said(at(s3, "S3Uri"), "text"),
        file_system=given(
            id=said(at(system, "FileSystemId"), "text"),
            type_=word(at(system, "FileSystemType"), {"EFS": "efs", "FSxLustre": "fsx"}),
            folder=said(at(system, "DirectoryPath"), "text"),
            access=word(at(system, "FileSystemAccessMode"), {"rw": "write", "ro": "read"}, default="read"),
        ),
        content_type=said(at(item, "ContentType"), "text"),
        mode=word(at(item, "InputMode"), _MODES, default=default_mode),
        data_type=word(at(s3, "S3DataType"), _DATA_TYPES, default="prefix"),
        distribution=word(at(s3, "S3DataDistributionType"), _DISTRIBUTIONS, default="replicate"),
        compression=word(at(item, "CompressionType"), _COMPRESSIONS, default="none"),
    )


def _spot(definition: Any) -> Any:
    stopping = at(definition, "StoppingCondition")
    runtime, wait = at(stopping, "MaxRuntimeInSeconds"), at(stopping, "MaxWaitTimeInSeconds")
    if at(definition, "EnableManagedSpotTraining") is not True or not isinstance(wait, int):
        return None
    timeout = jobs.DAY if runtime is None else runtime
    return given(wait=said(wait - timeout, "duration")) if isinstance(timeout, int) and wait >= timeout else None


def _checkpoints(config: Any) -> Fields | None:
    if not isinstance(config, dict):
        return None
    return given(
        to=said(at(config, "S3Uri"), "text"),
        path=said(at(config, "LocalPath"), "literal", default="/opt/ml/checkpoints"),
    )


def _search(arguments: Any) -> Fields:
    config = at(arguments, "HyperParameterTuningJobConfig")
    limits, objective = at(config, "ResourceLimits"), at(config, "HyperParameterTuningJobObjective")
    warm = at(arguments, "WarmStartConfig")
    parents = objects(at(warm, "ParentHyperParameterTuningJobs")) or []
    direction = word(at(objective, "Type"), {"Maximize": "maximize", "Minimize": "minimize"})
    names = every([p.get("HyperParameterTuningJobName") for p in parents], "text")
    same_data = at(warm, "WarmStartType") == "IdenticalDataAndAlgorithm"
    return given(
        objective={direction: said(at(objective, "MetricName"), "literal")} if direction else None,
        ranges=_ranges(at(config, "ParameterRanges")),
        strategy=word(at(config, "Strategy"), _STRATEGIES, default="bayesian"),
        max_jobs=said(at(limits, "MaxNumberOfTrainingJobs"), "number"),
        max_parallel_jobs=said(at(limits, "MaxParallelTrainingJobs"), "number", default=1),
        timeout=said(at(limits, "MaxRuntimeInSeconds"), "duration"),
        early_stopping=True if at(config, "TrainingJobEarlyStoppingType") == "Auto" else None,
        warm_start=given(jobs=names, same_data=None if same_data else False) if names else None,
    )


def _ranges(ranges: Any) -> Fields:
    found: Fields = {}
    for kind in ("integer", "continuous"):
        for item in objects(at(ranges, f"{kind.capitalize()}ParameterRanges")) or ():
            bounds = [_number(item.get(key), kind) for key in ("MinValue", "MaxValue")]
            if isinstance(item.get("Name"), str) and None not in bounds:
                scale = word(item.get("ScalingType"), _SCALES, default="auto")
                found[item["Name"]] = given(**{kind: bounds}, scale=scale)
    for item in objects(at(ranges, "CategoricalParameterRanges")) or ():
        if isinstance(item.get("Name"), str):
            found[item["Name"]] = given(values=every(item.get("Values"), "scalar"))
    return found


def _number(text: Any, kind: str) -> float | None:
    try:
        return int(text) if kind == "integer" else float(text)
    except (TypeError, ValueError, OverflowError):
        return None
