"""Cases of Tuning steps."""

from __future__ import annotations

from typing import Any

from calls import tell
from parts import GROUPS, OUTPUT_KEY, SUBNETS, VOLUME_KEY, channel, pipeline, trainer
from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter
from sagemaker.core.shapes import (
    HyperbandStrategyConfig,
    HyperParameterTuningJobStrategyConfig,
    HyperParameterTuningJobWarmStartConfig,
    ParentHyperParameterTuningJob,
    TuningJobCompletionCriteria,
)
from sagemaker.core.training.configs import (
    CheckpointConfig,
    Compute,
    Networking,
    OutputDataConfig,
    StoppingCondition,
)
from sagemaker.mlops.workflow import Pipeline, TuningStep
from sagemaker.train.tuner import HyperparameterTuner

METRICS = [{"Name": "auc", "Regex": "auc=([0-9.]+)"}]


def _tuner(
    session: Any, step: str, ranges: Any, more_training: dict[str, Any] | None = None, **more: Any
) -> HyperparameterTuner:
    base = trainer(session, step, **(more_training or {}))
    return HyperparameterTuner(
        model_trainer=base,
        objective_metric_name="auc",
        hyperparameter_ranges=ranges,
        metric_definitions=METRICS,
        **more,
    )


def _tuning(session: Any) -> Pipeline:
    every = _tuner(
        session,
        "tune",
        {
            "depth": IntegerParameter(3, 9),
            "rounds": IntegerParameter(10, 1000, scaling_type="Logarithmic"),
            "eta": ContinuousParameter(0.01, 0.3, scaling_type="Logarithmic"),
            "gamma": ContinuousParameter(0.5, 1.5, scaling_type="Linear"),
            "share": ContinuousParameter(0.5, 0.99, scaling_type="ReverseLogarithmic"),
            "booster": CategoricalParameter(["gbtree", "dart"]),
        },
        {
            "compute": Compute(instance_type="ml.m5.2xlarge", instance_count=1, volume_size_in_gb=40),
            "stopping_condition": StoppingCondition(max_runtime_in_seconds=1800),
            "hyperparameters": {"objective": "binary:logistic", "rate": 0.5},
        },
        strategy="Bayesian",
        objective_type="Maximize",
        max_jobs=20,
        max_parallel_jobs=4,
        max_runtime_in_seconds=21600,
        early_stopping_type="Auto",
        tags=[{"Key": "team", "Value": "ml"}],
        warm_start_config=HyperParameterTuningJobWarmStartConfig(
            parent_hyper_parameter_tuning_jobs=[
                ParentHyperParameterTuningJob(hyper_parameter_tuning_job_name="earlier")
            ],
            warm_start_type="TransferLearning",
        ),
    )
    data = [channel("train", "s3://example-bucket/train/", "text/csv")]
    tune = TuningStep("tune", step_args=every.tune(inputs=data), display_name="Tune", description="Searches")
    simple = _tuner(
        session, "random", {"depth": IntegerParameter(3, 9)}, strategy="Random", objective_type="Minimize", max_jobs=5
    )
    again = _tuner(
        session,
        "again",
        {"depth": IntegerParameter(3, 9)},
        max_jobs=3,
        warm_start_config=HyperParameterTuningJobWarmStartConfig(
            parent_hyper_parameter_tuning_jobs=[
                ParentHyperParameterTuningJob(hyper_parameter_tuning_job_name=name) for name in ("first", "second")
            ],
            warm_start_type="IdenticalDataAndAlgorithm",
        ),
    )
    grid = _tuner(session, "grid", {"booster": CategoricalParameter(["gbtree", "dart"])}, strategy="Grid")
    secured = _tuner(
        session,
        "secured",
        {"depth": IntegerParameter(3, 9)},
        {
            "compute": Compute(
                instance_type="ml.m5.xlarge",
                instance_count=2,
                volume_kms_key_id=VOLUME_KEY,
                enable_managed_spot_training=True,
            ),
            "networking": Networking(
                subnets=SUBNETS,
                security_group_ids=GROUPS,
                enable_network_isolation=True,
                enable_inter_container_traffic_encryption=True,
            ),
            "stopping_condition": StoppingCondition(max_runtime_in_seconds=3600, max_wait_time_in_seconds=7200),
            "output_data_config": OutputDataConfig(
                s3_output_path="s3://example-bucket/secured/", kms_key_id=OUTPUT_KEY
            ),
            "checkpoint_config": CheckpointConfig(s3_uri="s3://example-bucket/kept/"),
            "environment": {"LOG_LEVEL": "info"},
        },
        max_jobs=2,
    )
    patched = _tuner(
        session,
        "patched",
        {"depth": IntegerParameter(3, 9)},
        strategy="Hyperband",
        max_jobs=2,
        random_seed=7,
        strategy_config=HyperParameterTuningJobStrategyConfig(
            hyperband_strategy_config=HyperbandStrategyConfig(min_resource=1, max_resource=9)
        ),
        completion_criteria_config=TuningJobCompletionCriteria(target_objective_metric_value=0.9),
    )
    best = tell(
        session,
        "best",
        inputs={
            "job": tune.properties.BestTrainingJob.TrainingJobName,
            "metric": tune.properties.BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value,
            "second": tune.properties.TrainingJobSummaries[1].TrainingJobName,
            "model": tune.get_top_model_s3_uri(top_k=0, s3_bucket="example-bucket", prefix="tune"),
        },
    )
    steps = (
        tune,
        TuningStep("random", step_args=simple.tune(inputs=data)),
        TuningStep("again", step_args=again.tune(inputs=data)),
        TuningStep("grid", step_args=grid.tune(inputs=data)),
        TuningStep("secured", step_args=secured.tune(inputs=data)),
        TuningStep("patched", step_args=patched.tune(inputs=data)),
        best,
    )
    return pipeline(session, "tuning", *steps)


CASES = {"tuning": _tuning}
