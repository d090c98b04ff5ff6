"""What the SDK makes of forms that no golden can hold: it refuses them, crashes, asks AWS, or leaves them out.

Each attempt builds one; what came of it is kept beside the goldens. tests/conformance/defects.py says what it means.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from calls import tell
from checks import CheckJobConfig, DataQualityCheckConfig, DatasetFormat, QualityCheckStep
from models import builder
from parts import GROUPS, IMAGE, ROLE, SUBNETS, pipeline, processor, trainer
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.network import NetworkConfig
from sagemaker.core.parameter import IntegerParameter
from sagemaker.core.shapes import (
    AthenaDatasetDefinition,
    DatasetDefinition,
    ProcessingFeatureStoreOutput,
    ProcessingInput,
    ProcessingOutput,
)
from sagemaker.core.training.configs import Compute, SourceCode, StoppingCondition
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.functions import JsonGet
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterInteger, ParameterString
from sagemaker.core.workflow.pipeline_context import _JobStepArguments
from sagemaker.mlops.workflow import (
    AutoMLStep,
    FailStep,
    LambdaStep,
    ModelStep,
    ProcessingStep,
    TrainingStep,
    TransformStep,
    TuningStep,
)
from sagemaker.mlops.workflow.emr_serverless_step import EMRServerlessJobConfig, EMRServerlessStep
from sagemaker.train.tuner import HyperparameterTuner

Attempt = Callable[[Any], Any]


def outcomes(session: Any) -> dict[str, Any]:
    """Return what came of each attempt: `raised`, or `made`."""
    return {name: _outcome(attempt, session) for name, attempt in ATTEMPTS.items()}


def _outcome(attempt: Attempt, session: Any) -> dict[str, Any]:
    try:
        return {"made": attempt(session)}
    except Exception as problem:  # noqa: BLE001  # whatever it is, it is what came of it
        return {"raised": type(problem).__name__, "message": _first_words(problem)}


def _first_words(problem: Exception) -> str:
    """Return what *problem* says, without the values and addresses at its end."""
    lines = [line.strip() for line in str(problem).splitlines()[:3]]
    return " ".join(lines).partition(" [type=")[0][:200]


def _compiled(session: Any, *steps: Any, parameters: tuple[Any, ...] = ()) -> list[Any]:
    made: list[Any] = json.loads(pipeline(session, "attempt", *steps, parameters=parameters).definition())["Steps"]
    return made


def _automl(session: Any) -> Any:
    mode = {"AutoMLJobConfig": {"Mode": "ENSEMBLING"}}
    return _compiled(session, AutoMLStep("search", step_args=_JobStepArguments("auto_ml", mode)))


def _dataset_definition(session: Any) -> Any:
    query = AthenaDatasetDefinition(
        catalog="AwsDataCatalog",
        database="ads",
        query_string="select 1",
        output_s3_uri="s3://example-bucket/a/",
        output_format="PARQUET",
    )
    data = ProcessingInput(
        input_name="clicks",
        dataset_definition=DatasetDefinition(local_path="/opt/ml/processing/clicks", athena_dataset_definition=query),
    )
    [step] = _compiled(session, ProcessingStep("extract", step_args=processor(session).run(inputs=[data])))
    return step["Arguments"]["ProcessingInputs"]


def _feature_store(session: Any) -> Any:
    group = ProcessingFeatureStoreOutput(feature_group_name="clicks")
    output = ProcessingOutput(output_name="features", feature_store_output=group, app_managed=True)
    return _compiled(session, ProcessingStep("extract", step_args=processor(session).run(outputs=[output])))


def _check_network(session: Any) -> Any:
    network = NetworkConfig(subnets=SUBNETS, security_group_ids=GROUPS)
    job = CheckJobConfig(role=ROLE, sagemaker_session=session, network_config=network)
    data = DataQualityCheckConfig(
        baseline_dataset="s3://example-bucket/train/",
        dataset_format=DatasetFormat.csv(header=True),
        output_s3_uri="s3://example-bucket/report/",
    )
    return _compiled(session, QualityCheckStep("same", data, job))


def _tuning_parameter(session: Any) -> Any:
    jobs = ParameterInteger("jobs", default_value=3)
    tuner = HyperparameterTuner(
        model_trainer=trainer(session),
        objective_metric_name="auc",
        hyperparameter_ranges={"depth": IntegerParameter(1, 3)},
        metric_definitions=[{"Name": "auc", "Regex": "auc=(.*)"}],
        max_jobs=jobs,
    )
    return _compiled(session, TuningStep("tune", step_args=tuner.tune()), parameters=(jobs,))


def _disk_parameter(session: Any) -> Any:
    disk = ParameterInteger("disk", default_value=30)
    return str(Compute(instance_type="ml.m5.xlarge", instance_count=1, volume_size_in_gb=disk))


def _spot_parameter(session: Any) -> Any:
    spot = ParameterBoolean("spot", default_value=True)
    return str(Compute(instance_type="ml.m5.xlarge", instance_count=1, enable_managed_spot_training=spot))


def _timeout_parameter(session: Any) -> Any:
    return str(StoppingCondition(max_runtime_in_seconds=ParameterInteger("seconds", default_value=60)))


def _role_parameter(session: Any) -> Any:
    return str(trainer(session, role=ParameterString("role", default_value=ROLE)).role)


def _lambda_by_name(session: Any) -> Any:
    function = Lambda(
        function_name="tell", execution_role_arn=ROLE, script="src/train.py", handler="train.main", session=session
    )
    return _compiled(session, LambdaStep("tell", lambda_func=function))


def _transform_by_name(session: Any) -> Any:
    transformer = Transformer(
        model_name="known",
        instance_count=1,
        instance_type="ml.m5.xlarge",
        output_path="s3://example-bucket/scores/",
        sagemaker_session=session,
    )
    return _compiled(session, TransformStep("score", step_args=transformer.transform(data="s3://example-bucket/in/")))


def _serverless_properties(session: Any) -> Any:
    job = EMRServerlessJobConfig(job_driver={}, execution_role_arn=ROLE)
    step = EMRServerlessStep("spark", None, None, job, application_id="00abcdefgh")
    return sorted(name for name in vars(step.properties) if name[0].isupper() or name.startswith("job"))


def _fixed_json_address(session: Any) -> Any:
    return JsonGet(s3_uri="s3://example-bucket/metrics.json", json_path="auc").expr


def _undeclared_parameter(session: Any) -> Any:
    return _compiled(session, tell(session, "tell", inputs={"day": ParameterString("day")}))[0]["Arguments"]


def _bad_name(session: Any) -> Any:
    return _compiled(session, FailStep("A b!", error_message="no"))[0]["Name"]


def _cycle(session: Any) -> Any:
    first, second = tell(session, "first", depends_on=["second"]), tell(session, "second", depends_on=["first"])
    return [step["DependsOn"] for step in _compiled(session, first, second)]


def _bad_values(session: Any) -> Any:
    step = processor(session, instance_type="ml.m5.huge", image_uri=IMAGE.upper()).run()
    return _compiled(session, ProcessingStep("extract", step_args=step))[0]["Arguments"]


def _serving_code(session: Any) -> Any:
    """Return the steps that one ModelStep became, and whether they hold a path of this machine."""

    code = SourceCode(source_dir=str(Path("src").resolve()), entry_script="train.py")
    made = trainer(session)
    train = TrainingStep("train", step_args=made.train())
    model = builder(session, train.properties.ModelArtifacts.S3ModelArtifacts, source_code=code)
    registered = model.register(
        model_package_group_name="ctr",
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.large"],
    )
    steps = _compiled(session, train, ModelStep("register", step_args=registered))
    return {"steps": [step["Name"] for step in steps], "local path": str(Path.cwd()) in json.dumps(steps)}


ATTEMPTS: dict[str, Attempt] = {
    "automl": _automl,
    "dataset-definition": _dataset_definition,
    "feature-store": _feature_store,
    "check-network": _check_network,
    "tuning-parameter": _tuning_parameter,
    "disk-parameter": _disk_parameter,
    "spot-parameter": _spot_parameter,
    "timeout-parameter": _timeout_parameter,
    "role-parameter": _role_parameter,
    "lambda-by-name": _lambda_by_name,
    "transform-by-name": _transform_by_name,
    "serverless-properties": _serverless_properties,
    "fixed-json-address": _fixed_json_address,
    "undeclared-parameter": _undeclared_parameter,
    "bad-name": _bad_name,
    "cycle": _cycle,
    "bad-values": _bad_values,
    "serving-code": _serving_code,
}
