"""Model, register_model and transform steps, from the requests that they are compiled to."""

from __future__ import annotations

from typing import Any

from buzzflow.backends.sagemaker import models
from buzzflow.backends.sagemaker.importing.jobs import encryption, instance, network, tags
from buzzflow.backends.sagemaker.importing.said import Fields, at, every, given, inverse, objects, pairs, said, word

_DATA_TYPES, _SPLITS = inverse(models.DATA_TYPES), inverse(models.SPLITS)
_STRATEGIES = inverse(models.STRATEGIES)
_APPROVALS = {"PendingManualApproval": "pending", "Approved": "approved", "Rejected": "rejected"}


def model(arguments: Any) -> Fields:
    """Return the fields of a model step."""
    containers = objects(at(arguments, "Containers")) or [at(arguments, "PrimaryContainer")]
    return given(
        type_="model",
        **_served(containers),
        role=said(at(arguments, "ExecutionRoleArn"), "text"),
        network=network(arguments),
        tags=tags(arguments),
    )


def register_model(arguments: Any) -> Fields:
    """Return the fields of a register_model step."""
    specification = at(arguments, "InferenceSpecification")
    approval = at(arguments, "ModelApprovalStatus")
    ours = word(approval, _APPROVALS)
    return given(
        type_="register_model",
        registry="sagemaker",
        model_group=said(at(arguments, "ModelPackageGroupName"), "text"),
        **_served(objects(at(specification, "Containers")) or []),
        content_types=every(at(specification, "SupportedContentTypes"), "text"),
        response_types=every(at(specification, "SupportedResponseMIMETypes"), "text"),
        realtime_instance_types=every(at(specification, "SupportedRealtimeInferenceInstanceTypes"), "literal"),
        transform_instance_types=every(at(specification, "SupportedTransformInstanceTypes"), "literal"),
        approval=said(ours or approval, "text", default="pending"),
        metrics=_metrics(at(arguments, "ModelMetrics")),
        drift_baselines=said(at(arguments, "DriftCheckBaselines") or None, "tree"),
        metadata=pairs(at(arguments, "CustomerMetadataProperties"), "text"),
        task=said(at(arguments, "Task"), "literal"),
        sample_payload=said(at(arguments, "SamplePayloadUrl"), "text"),
    )


def transform(arguments: Any) -> Fields:
    """Return the fields of a transform step."""
    records, answers = at(arguments, "TransformInput"), at(arguments, "TransformOutput")
    resources, processing = at(arguments, "TransformResources"), at(arguments, "DataProcessing")
    s3 = at(records, "DataSource", "S3DataSource")
    return given(
        type_="transform",
        model=said(at(arguments, "ModelName"), "text"),
        inputs={
            "records": given(
                from_=said(at(s3, "S3Uri"), "text"),
                content_type=said(at(records, "ContentType"), "text"),
                data_type=word(at(s3, "S3DataType"), _DATA_TYPES, default="prefix"),
                compression="gzip" if at(records, "CompressionType") == "Gzip" else None,
                split=word(at(records, "SplitType"), _SPLITS, default="none"),
            )
        },
        outputs={
            "predictions": given(
                to=said(at(answers, "S3OutputPath"), "text"),
                accept=said(at(answers, "Accept"), "text"),
                assemble="line" if at(answers, "AssembleWith") == "Line" else None,
            )
        },
        instance=instance(resources),
        encryption=encryption(resources, answers),
        filter=given(
            input=said(at(processing, "InputFilter"), "text"),
            output=said(at(processing, "OutputFilter"), "text"),
            join="input" if at(processing, "JoinSource") == "Input" else None,
        ),
        batch=given(
            strategy=word(at(arguments, "BatchStrategy"), _STRATEGIES),
            max_payload_mb=said(at(arguments, "MaxPayloadInMB"), "number"),
            max_concurrent=said(at(arguments, "MaxConcurrentTransforms"), "number"),
            timeout=said(at(arguments, "ModelClientConfig", "InvocationsTimeoutInSeconds"), "duration"),
        ),
        environment_variables=pairs(at(arguments, "Environment"), "text"),
        tags=tags(arguments),
    )


def _served(containers: list[Any]) -> Fields:
    if len(containers) == 1 and at(containers[0], "ContainerHostname") is None:
        return _container(containers[0])
    return {"containers": [_container(container) for container in containers] or None}


def _container(container: Any) -> Fields:
    return given(
        image=said(at(container, "Image"), "text"),
        model=said(at(container, "ModelDataUrl"), "text"),
        environment_variables=pairs(at(container, "Environment"), "text"),
        name=said(at(container, "ContainerHostname"), "text"),
    )


def _metrics(metrics: Any) -> Fields | None:
    found = {}
    for ours, (group, statistics, report) in models.METRICS.items():
        if (uri := at(metrics, group, statistics or report, "S3Uri")) is not None:
            found[ours] = uri
    return pairs(found, "text")
