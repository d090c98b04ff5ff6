"""Cases of QualityCheck and ClarifyCheck steps."""

from __future__ import annotations

from typing import Any

from calls import tell
from models import builder
from parts import (
    OUTPUT_KEY,
    ROLE,
    TAGS,
    VOLUME_KEY,
    pipeline,
    processor,
    take,
    trainer,
)
from sagemaker.core.clarify import BiasConfig, DataConfig, ModelConfig, ModelPredictedLabelConfig, SHAPConfig
from sagemaker.core.model_monitor.dataset_format import DatasetFormat
from sagemaker.core.workflow.parameters import ParameterBoolean
from sagemaker.mlops.workflow import (
    CacheConfig,
    CheckJobConfig,
    ClarifyCheckStep,
    ModelStep,
    Pipeline,
    ProcessingStep,
    QualityCheckStep,
    TrainingStep,
)
from sagemaker.mlops.workflow.clarify_check_step import (
    DataBiasCheckConfig,
    ModelBiasCheckConfig,
    ModelExplainabilityCheckConfig,
)
from sagemaker.mlops.workflow.quality_check_step import DataQualityCheckConfig, ModelQualityCheckConfig


def _job(session: Any, **more: Any) -> CheckJobConfig:
    return CheckJobConfig(role=ROLE, sagemaker_session=session, **more)


def _quality(session: Any) -> Pipeline:
    skip = ParameterBoolean("skip", default_value=False)
    extract = ProcessingStep(
        "extract", step_args=processor(session).run(outputs=[take("train", "s3://example-bucket/train/")])
    )
    train = extract.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri
    every = _job(
        session,
        instance_count=2,
        instance_type="ml.m5.2xlarge",
        volume_size_in_gb=50,
        volume_kms_key=VOLUME_KEY,
        output_kms_key=OUTPUT_KEY,
        max_runtime_in_seconds=3600,
        env={"LOG_LEVEL": "info"},
        tags=TAGS,
    )
    data = QualityCheckStep(
        "data",
        DataQualityCheckConfig(
            baseline_dataset=train,
            dataset_format=DatasetFormat.csv(header=True),
            output_s3_uri="s3://example-bucket/data-quality/",
        ),
        every,
        skip_check=skip,
        fail_on_violation=False,
        register_new_baseline=True,
        model_package_group_name="ctr",
        supplied_baseline_statistics="s3://example-bucket/statistics.json",
        supplied_baseline_constraints="s3://example-bucket/constraints.json",
        display_name="Same data?",
        description="Compares",
        cache_config=CacheConfig(enable_caching=True, expire_after="P1D"),
    )
    model = QualityCheckStep(
        "model",
        ModelQualityCheckConfig(
            baseline_dataset="s3://example-bucket/predictions/",
            dataset_format=DatasetFormat.json(lines=True),
            output_s3_uri="s3://example-bucket/model-quality/",
            problem_type="BinaryClassification",
            inference_attribute="prediction",
            probability_attribute="probability",
            ground_truth_attribute="label",
        ),
        _job(session),
        model_package_group_name="ctr",
    )
    results = {
        "statistics": data.properties.CalculatedBaselineStatistics,
        "constraints": data.properties.CalculatedBaselineConstraints,
        "used_statistics": data.properties.BaselineUsedForDriftCheckStatistics,
        "used_constraints": data.properties.BaselineUsedForDriftCheckConstraints,
    }
    steps = (extract, data, model, tell(session, "tell", inputs=results))
    return pipeline(session, "quality-checks", *steps, parameters=(skip,))


def _clarify(session: Any) -> Pipeline:
    train = TrainingStep("train", step_args=trainer(session).train())
    model = ModelStep("model", step_args=builder(session, train.properties.ModelArtifacts.S3ModelArtifacts).build())

    def data(name: str) -> DataConfig:
        return DataConfig(
            s3_data_input_path="s3://example-bucket/train/",
            s3_output_path=f"s3://example-bucket/{name}/",
            label="label",
            dataset_type="text/csv",
        )

    bias = BiasConfig(label_values_or_threshold=[1], facet_name="sex", facet_values_or_threshold=[0])
    asked = ModelConfig(
        model_name=model.properties.ModelName,
        instance_type="ml.m5.large",
        instance_count=1,
        content_type="text/csv",
        accept_type="text/csv",
    )
    before = ClarifyCheckStep(
        "before",
        DataBiasCheckConfig(data_config=data("before"), data_bias_config=bias),
        _job(session),
        model_package_group_name="ctr",
        register_new_baseline=True,
        supplied_baseline_constraints="s3://example-bucket/bias.json",
    )
    after = ClarifyCheckStep(
        "after",
        ModelBiasCheckConfig(
            data_config=data("after"),
            data_bias_config=bias,
            model_config=asked,
            model_predicted_label_config=ModelPredictedLabelConfig(probability_threshold=0.8),
        ),
        _job(session, tags=TAGS),
        fail_on_violation=False,
        model_package_group_name="ctr",
    )
    why = ClarifyCheckStep(
        "why",
        ModelExplainabilityCheckConfig(
            data_config=data("why"),
            model_config=asked,
            explainability_config=SHAPConfig(baseline=[[0, 1]], num_samples=10, agg_method="mean_abs"),
        ),
        _job(session),
        skip_check=True,
        model_package_group_name="ctr",
    )
    results = {
        "constraints": after.properties.CalculatedBaselineConstraints,
        "used": after.properties.BaselineUsedForDriftCheckConstraints,
    }
    steps = (train, model, before, after, why, tell(session, "tell", inputs=results))
    return pipeline(session, "clarify-checks", *steps)


CASES = {"quality-checks": _quality, "clarify-checks": _clarify}
