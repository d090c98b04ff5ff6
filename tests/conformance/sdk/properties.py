"""A case that refers to properties of steps of every type that has some."""

from __future__ import annotations

from typing import Any

from calls import tell
from models import builder
from parts import channel, pipeline, processor, take, trainer
from sagemaker.core.parameter import IntegerParameter
from sagemaker.core.transformer import Transformer
from sagemaker.mlops.workflow import ModelStep, Pipeline, ProcessingStep, TrainingStep, TransformStep, TuningStep
from sagemaker.train.tuner import HyperparameterTuner


def _properties(session: Any) -> Pipeline:
    extract = ProcessingStep(
        "extract", step_args=processor(session).run(outputs=[take("train", "s3://example-bucket/train/")])
    )
    data = [channel("train", extract.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri, "text/csv")]
    train = TrainingStep("train", step_args=trainer(session, "model").train(input_data_config=data))
    tuner = HyperparameterTuner(
        model_trainer=trainer(session, "tune"),
        objective_metric_name="auc",
        hyperparameter_ranges={"depth": IntegerParameter(3, 9)},
        metric_definitions=[{"Name": "auc", "Regex": "auc=([0-9.]+)"}],
        max_jobs=2,
    )
    tune = TuningStep("tune", step_args=tuner.tune(inputs=[channel("train", "s3://example-bucket/train/", "text/csv")]))
    model = ModelStep("model", step_args=builder(session, train.properties.ModelArtifacts.S3ModelArtifacts).build())
    score = TransformStep(
        "score",
        step_args=Transformer(
            model_name=model.properties.ModelName,
            instance_count=1,
            instance_type="ml.m5.xlarge",
            output_path="s3://example-bucket/scores/",
            sagemaker_session=session,
        ).transform(data="s3://example-bucket/records/"),
    )
    processing, training, tuning = extract.properties, train.properties, tune.properties
    inputs = {
        "processing_name": processing.ProcessingJobName,
        "processing_arn": processing.ProcessingJobArn,
        "processing_instance": processing.ProcessingResources.ClusterConfig.InstanceType,
        "processing_end": processing.ProcessingEndTime,
        "processing_status": processing.ProcessingJobStatus,
        "training_name": training.TrainingJobName,
        "training_arn": training.TrainingJobArn,
        "training_image": training.AlgorithmSpecification.TrainingImage,
        "training_folder": training.OutputDataConfig.S3OutputPath,
        "training_seconds": training.BillableTimeInSeconds,
        "training_channel": training.InputDataConfig[0].ChannelName,
        "training_parameter": training.HyperParameters["depth"],
        "training_variable": training.Environment["LOG_LEVEL"],
        "tuning_name": tuning.HyperParameterTuningJobName,
        "tuning_arn": tuning.HyperParameterTuningJobArn,
        "tuning_count": tuning.TrainingJobStatusCounters.Completed,
        "model_role": model.properties.ExecutionRoleArn,
        "model_image": model.properties.PrimaryContainer.Image,
        "transform_name": score.properties.TransformJobName,
        "transform_arn": score.properties.TransformJobArn,
    }
    return pipeline(session, "properties", extract, train, tune, model, score, tell(session, "tell", inputs=inputs))


CASES = {"properties": _properties}
