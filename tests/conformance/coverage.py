"""Which forms of a pipeline definition the cases hold; docs/conformance.md shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.conformance.goldens import CASES, objects, sdk, steps

# sagemaker.mlops.workflow.steps.StepTypeEnum of SDK 3.27.0
STEP_TYPES = (
    *("Condition", "Model", "Processing", "RegisterModel", "Training", "Transform", "Callback", "Tuning", "Lambda"),
    *("QualityCheck", "ClarifyCheck", "EMR", "EMRServerless", "Fail", "AutoML", "EndpointConfig", "Endpoint"),
    *("InferenceComponent", "Lineage", "Job", "Cleanup", "ForEach"),
)
NOT_BUILT = {"AutoML": "automl"}  # by the attempt that shows why
_CONDITIONS = (*("Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo", "In", "Not", "Or"),)
_RUN = (
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "PipelineName",
    "PipelineArn",
    "StartDateTime",
    "CurrentDateTime",
)
_ERRORS = (
    *("Step.SERVICE_FAULT", "Step.THROTTLING"),
    *("SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"),
)
ANY = object()
_MEMBERS: tuple[tuple[str, str, object], ...] = (
    ("VPC", "VpcConfig", ANY),
    ("network isolation", "EnableNetworkIsolation", True),
    ("key of outputs", "KmsKeyId", ANY),
    ("key of disks", "VolumeKmsKeyId", ANY),
    ("tags", "Tags", ANY),
    ("spot", "EnableManagedSpotTraining", True),
    ("checkpoints", "CheckpointConfig", ANY),
    ("warm machines", "KeepAlivePeriodInSeconds", ANY),
    ("instance preferences", "InstancePreferences", ANY),
    ("instance groups", "InstanceGroups", ANY),
    ("file system, EFS", "FileSystemType", "EFS"),
    ("file system, FSx", "FileSystemType", "FSxLustre"),
    ("fast file", "InputMode", "FastFile"),
    ("pipe", "InputMode", "Pipe"),
    ("shards", "S3DataDistributionType", "ShardedByS3Key"),
    ("manifest", "S3DataType", "ManifestFile"),
    ("augmented manifest", "S3DataType", "AugmentedManifestFile"),
    ("content type", "ContentType", "text/csv"),
    ("compressed input", "CompressionType", "Gzip"),
    ("continuous upload", "S3UploadMode", "Continuous"),
    ("metric definitions", "MetricDefinitions", ANY),
    ("algorithm", "AlgorithmName", ANY),
    ("search, Bayesian", "Strategy", "Bayesian"),
    ("search, Random", "Strategy", "Random"),
    ("search, Grid", "Strategy", "Grid"),
    ("search, Hyperband", "Strategy", "Hyperband"),
    ("integer range", "IntegerParameterRanges", ANY),
    ("continuous range", "ContinuousParameterRanges", ANY),
    ("categorical range", "CategoricalParameterRanges", ANY),
    ("early stopping", "TrainingJobEarlyStoppingType", "Auto"),
    ("warm start, same data", "WarmStartType", "IdenticalDataAndAlgorithm"),
    ("warm start, other data", "WarmStartType", "TransferLearning"),
    ("one container", "PrimaryContainer", ANY),
    ("several containers", "ContainerHostname", "predict"),
    ("model metrics", "ModelMetrics", ANY),
    ("drift baselines", "DriftCheckBaselines", ANY),
    ("approval from a parameter", "ModelApprovalStatus", {"Get": "Parameters.approval"}),
    ("experiment", "ExperimentName", ANY),
)


@dataclass(frozen=True, slots=True)
class Form:
    """Something that a definition can hold, and how it shows."""

    group: str
    name: str
    held_by: Callable[[Any], bool]

    @property
    def cases(self) -> list[str]:
        """The cases whose golden holds it."""
        return [case for case in CASES if self.held_by(sdk(case))]


def forms() -> Iterator[Form]:
    """Yield every form that must occur."""
    for kind in STEP_TYPES:
        if kind not in NOT_BUILT:
            yield Form("step type", kind, _has_step(kind))
    yield Form("step type", "Training (notebook)", _has(lambda o: o.get("SM_KERNEL_NAME") is not None))
    for kind in _CONDITIONS:
        yield Form("condition", kind, _has(lambda o, kind=kind: o.get("Type") == kind and "Name" not in o))
    yield Form("function", "Join", _has(lambda o: "Std:Join" in o))
    yield Form("function", "JsonGet of a property file", _has(lambda o: "PropertyFile" in o))
    yield Form("function", "JsonGet of an address", _has(lambda o: "Path" in o and "S3Uri" in o))
    for name in _RUN:
        yield Form("run variable", name, _has(lambda o, name=name: o.get("Get") == f"Execution.{name}"))
    for kind in ("String", "Integer", "Float", "Boolean"):
        for given in (True, False):
            name = f"{kind}, {'with' if given else 'without'} a default"
            yield Form("parameter", name, _has_parameter(kind, given=given))
    yield Form("parameter", "choices", _has(lambda o: "EnumValues" in o))
    for error in _ERRORS:
        yield Form("retry", error, _has(lambda o, error=error: error in o.get("ExceptionType", ())))
    for limit in ("MaxAttempts", "ExpireAfterMin"):
        yield Form("retry", limit, _has(lambda o, limit=limit: limit in o))
    yield Form("cache", "without an end", _has_cache(enabled=True, ends=False))
    yield Form("cache", "with an end", _has_cache(enabled=True, ends=True))
    yield Form("cache", "off", _has_cache(enabled=False, ends=False))
    yield Form("order", "DependsOn", _has(lambda o: any(isinstance(d, str) for d in o.get("DependsOn", ()))))
    for trigger in ("Failed", "Stopped", "Any"):
        yield Form("order", f"when {trigger}", _has(lambda o, trigger=trigger: o.get("Trigger") == trigger))
    yield Form("order", "branch in a branch", _has_nested_condition)
    for name, member, value in _MEMBERS:
        yield Form("request", name, _has(lambda o, m=member, v=value: m in o and v in (ANY, o[m])))


def _has(test: Callable[..., bool]) -> Callable[[Any], bool]:
    return lambda golden: any(map(test, objects(golden)))


def _has_step(kind: str) -> Callable[[Any], bool]:
    return lambda golden: any(step["Type"] == kind for step in steps(golden))


def _has_parameter(kind: str, *, given: bool) -> Callable[[Any], bool]:
    return lambda golden: any(p["Type"] == kind and ("DefaultValue" in p) == given for p in golden["Parameters"])


def _has_cache(*, enabled: bool, ends: bool) -> Callable[[Any], bool]:
    return _has(lambda o: o.get("Enabled") is enabled and ("ExpireAfter" in o) == ends)


def _has_nested_condition(golden: Any) -> bool:
    conditions = (step["Arguments"] for step in steps(golden) if step["Type"] == "Condition")
    return any(step["Type"] == "Condition" for arguments in conditions for step in steps(arguments))
