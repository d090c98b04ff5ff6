"""Cases of Model, RegisterModel and Transform steps, and of what serves models."""

from __future__ import annotations

from typing import Any

from calls import tell
from parts import GROUPS, IMAGE, OUTPUT_KEY, ROLE, SUBNETS, TAGS, VOLUME_KEY, pipeline, trainer
from sagemaker.core.drift_check_baselines import DriftCheckBaselines
from sagemaker.core.model_metrics import FileSource, MetricsSource, ModelMetrics
from sagemaker.core.resources import Model
from sagemaker.core.shapes import BatchDataCaptureConfig, ContainerDefinition
from sagemaker.core.training.configs import Networking
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.execution_variables import ExecutionVariables as Run
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterInteger, ParameterString
from sagemaker.mlops.workflow import ModelStep, Pipeline, StepRetryPolicy, TrainingStep, TransformStep
from sagemaker.mlops.workflow import StepExceptionTypeEnum as StepError
from sagemaker.serve.model_builder import ModelBuilder

JSON = "application/json"


def builder(session: Any, model: Any, **more: Any) -> ModelBuilder:
    """Return a builder of a model in one container."""
    given = {"s3_model_data_url": model, "image_uri": IMAGE, "role_arn": ROLE}
    return ModelBuilder(sagemaker_session=session, **{**given, **more})


def _metric(name: str) -> MetricsSource:
    return MetricsSource(content_type=JSON, s3_uri=f"s3://example-bucket/metrics/{name}.json")


def _chain(session: Any) -> ModelBuilder:
    """Return a builder of a model in two containers, one behind the other."""
    containers = [
        Model(
            model_name=name,
            execution_role_arn=ROLE,
            primary_container=ContainerDefinition(
                image=IMAGE,
                container_hostname=name,
                model_data_url=f"s3://example-bucket/{name}/model.tar.gz",
                environment={"PART": name},
            ),
        )
        for name in ("prepare", "predict")
    ]
    return ModelBuilder(model=containers, role_arn=ROLE, sagemaker_session=session)


def _models(session: Any) -> Pipeline:
    train = TrainingStep("train", step_args=trainer(session).train())
    made = train.properties.ModelArtifacts.S3ModelArtifacts
    simple = ModelStep("simple", step_args=builder(session, made).build())
    network = Networking(subnets=SUBNETS, security_group_ids=GROUPS, enable_network_isolation=True)
    every = builder(session, made, env_vars={"LOG_LEVEL": "info"}, network=network)
    full = ModelStep(
        "full",
        step_args=every.build(tags=TAGS),
        display_name="Model",
        description="To be served",
        retry_policies=[StepRetryPolicy([StepError.THROTTLING], max_attempts=3)],
    )
    chained = ModelStep("chained", step_args=_chain(session).build())
    names = tell(session, "names", inputs={"name": simple.properties.ModelName, "arn": full.properties.ModelArn})
    return pipeline(session, "models", train, simple, full, chained, names)


def _register(session: Any) -> Pipeline:
    approval = ParameterString("approval", default_value="PendingManualApproval")
    train = TrainingStep("train", step_args=trainer(session).train())
    made = train.properties.ModelArtifacts.S3ModelArtifacts
    types = {"content_types": ["text/csv"], "response_types": ["text/csv", JSON]}
    simple = builder(session, made).register(
        model_package_group_name="simple",
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.xlarge"],
        approval_status="Approved",
        **types,
    )
    every = builder(session, made, env_vars={"LOG_LEVEL": "info"}).register(
        model_package_group_name="full",
        inference_instances=["ml.m5.large", "ml.m5.xlarge"],
        transform_instances=["ml.m5.xlarge"],
        approval_status=approval,
        model_metrics=ModelMetrics(
            model_statistics=_metric("model"),
            model_data_statistics=_metric("data"),
            bias_pre_training=_metric("before"),
            bias_post_training=_metric("after"),
            explainability=_metric("why"),
        ),
        drift_check_baselines=DriftCheckBaselines(
            model_statistics=_metric("model"),
            model_constraints=_metric("model-constraints"),
            model_data_statistics=_metric("data"),
            model_data_constraints=_metric("data-constraints"),
            bias_config_file=FileSource(s3_uri="s3://example-bucket/bias.json", content_type=JSON),
            bias_pre_training_constraints=_metric("before"),
            bias_post_training_constraints=_metric("after"),
            explainability_constraints=_metric("why"),
            explainability_config_file=FileSource(s3_uri="s3://example-bucket/shap.json", content_type=JSON),
        ),
        customer_metadata_properties={"run": Run.PIPELINE_EXECUTION_ID, "commit": "abc"},
        task="CLASSIFICATION",
        sample_payload_url="s3://example-bucket/payload.tar.gz",
        **types,
    )
    chained = _chain(session).register(
        model_package_group_name="chained",
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.xlarge"],
        approval_status="Rejected",
        **types,
    )
    full = ModelStep(
        "full",
        step_args=every,
        display_name="Register",
        description="With all facts",
        retry_policies=[StepRetryPolicy([StepError.SERVICE_FAULT], max_attempts=2)],
    )
    steps = (train, ModelStep("simple", step_args=simple), full, ModelStep("chained", step_args=chained))
    told = tell(session, "tell", inputs={"arn": full.properties.ModelPackageArn})
    return pipeline(session, "register", *steps, told, parameters=(approval,))


def _transform(session: Any) -> Pipeline:
    payload = ParameterInteger("payload", default_value=6)
    known = ParameterString("known", default_value="known")  # for a plain name the SDK asks AWS: DescribeModel
    train = TrainingStep("train", step_args=trainer(session).train())
    model = ModelStep("model", step_args=builder(session, train.properties.ModelArtifacts.S3ModelArtifacts).build())
    every = Transformer(
        model_name=model.properties.ModelName,
        instance_count=2,
        instance_type="ml.m5.xlarge",
        strategy="MultiRecord",
        assemble_with="Line",
        accept="text/csv",
        output_path=Join(on="/", values=["s3://example-bucket/scores", Run.PIPELINE_EXECUTION_ID, ""]),
        output_kms_key=OUTPUT_KEY,
        volume_kms_key=VOLUME_KEY,
        max_concurrent_transforms=4,
        max_payload=payload,
        env={"LOG_LEVEL": "info"},
        tags=TAGS,
        sagemaker_session=session,
    ).transform(
        data="s3://example-bucket/records/",
        content_type="text/csv",
        compression_type="Gzip",
        split_type="Line",
        input_filter="$[1:]",
        output_filter="$[0,-1]",
        join_source="Input",
        model_client_config={"InvocationsTimeoutInSeconds": 600},
    )
    simple = Transformer(
        model_name=known,
        instance_count=1,
        instance_type="ml.m5.xlarge",
        output_path="s3://example-bucket/simple/",
        sagemaker_session=session,
    ).transform(
        data="s3://example-bucket/list.manifest",
        data_type="ManifestFile",
        batch_data_capture_config=BatchDataCaptureConfig(
            destination_s3_uri="s3://example-bucket/seen/", generate_inference_id=True
        ),
    )
    full = TransformStep("full", step_args=every, display_name="Score", description="All records")
    told = tell(session, "tell", inputs={"predictions": full.properties.TransformOutput.S3OutputPath})
    steps = (train, model, full, TransformStep("simple", step_args=simple), told)
    return pipeline(session, "transform", *steps, parameters=(payload, known))


CASES = {"models": _models, "register": _register, "transform": _transform}
