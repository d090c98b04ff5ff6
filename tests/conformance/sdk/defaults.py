"""A case in which steps say as little as they can: what each side adds by itself."""

from __future__ import annotations

from typing import Any

from checks import CheckJobConfig, DataQualityCheckConfig, DatasetFormat, QualityCheckStep
from parts import IMAGE, ROLE, channel, pipeline
from sagemaker.core.parameter import IntegerParameter
from sagemaker.core.processing import Processor
from sagemaker.core.training.configs import Compute
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.mlops.workflow import (
    ModelStep,
    Pipeline,
    ProcessingStep,
    TrainingStep,
    TransformStep,
    TuningStep,
)
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.tuner import HyperparameterTuner


def _defaults(session: Any) -> Pipeline:
    known = ParameterString("known", default_value="known")

    def trainer(name: str) -> ModelTrainer:
        compute = Compute(instance_type="ml.m5.xlarge", instance_count=1)
        return ModelTrainer(
            training_image=IMAGE, role=ROLE, base_job_name=name, compute=compute, sagemaker_session=session
        )

    processor = Processor(
        image_uri=IMAGE, role=ROLE, instance_count=1, instance_type="ml.m5.xlarge", sagemaker_session=session
    )
    tuner = HyperparameterTuner(
        model_trainer=trainer("tune"),
        objective_metric_name="auc",
        hyperparameter_ranges={"depth": IntegerParameter(3, 9)},
        metric_definitions=[{"Name": "auc", "Regex": "auc=([0-9.]+)"}],
        max_jobs=2,
    )
    train = TrainingStep("train", step_args=trainer("train").train())
    registered = ModelBuilder(
        s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
        image_uri=IMAGE,
        role_arn=ROLE,
        sagemaker_session=session,
    ).register(model_package_group_name="ctr", content_types=["text/csv"], response_types=["text/csv"])
    score = Transformer(
        model_name=known, instance_count=1, instance_type="ml.m5.xlarge", sagemaker_session=session
    ).transform(data="s3://example-bucket/records/")
    data = DataQualityCheckConfig(
        baseline_dataset="s3://example-bucket/train/", dataset_format=DatasetFormat.csv(header=True)
    )
    steps = (
        ProcessingStep("extract", step_args=processor.run()),
        train,
        TuningStep("tune", step_args=tuner.tune(inputs=[channel("train", "s3://example-bucket/train/", "text/csv")])),
        ModelStep("register", step_args=registered),
        TransformStep("score", step_args=score),
        QualityCheckStep("same", data, CheckJobConfig(role=ROLE, sagemaker_session=session)),
    )
    return pipeline(session, "defaults", *steps, parameters=(known,))


CASES = {"defaults": _defaults}
