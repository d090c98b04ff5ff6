"""Cases of Lambda and Callback steps, which also carry parameters and properties of every kind."""

from __future__ import annotations

from typing import Any

from parts import pipeline
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.workflow.execution_variables import ExecutionVariables as Run
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterFloat, ParameterInteger, ParameterString
from sagemaker.mlops.workflow import CacheConfig, CallbackOutput, CallbackStep, LambdaOutput, LambdaStep, Pipeline
from sagemaker.mlops.workflow.callback_step import CallbackOutputTypeEnum as CallbackType
from sagemaker.mlops.workflow.lambda_step import LambdaOutputTypeEnum as LambdaType
from sagemaker.mlops.workflow.pipeline_experiment_config import PipelineExperimentConfig

FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:tell"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/labels"


def tell(session: Any, name: str, **more: Any) -> LambdaStep:
    """Return a step that calls the function of all cases."""
    return LambdaStep(name, lambda_func=Lambda(function_arn=FUNCTION, session=session), **more)


def _parameters(session: Any) -> Pipeline:
    given = (
        ParameterString("text", default_value="a"),
        ParameterString("empty", default_value=""),
        ParameterString("choice", default_value="large", enum_values=["small", "large"]),
        ParameterString("required"),
        ParameterInteger("whole", default_value=6),
        ParameterInteger("nought", default_value=0),
        ParameterInteger("whole_required"),
        ParameterFloat("share", default_value=0.75),
        ParameterFloat("round_share", default_value=6.0),
        ParameterFloat("share_required"),
        ParameterBoolean("flag", default_value=True),
        ParameterBoolean("no_flag", default_value=False),
        ParameterBoolean("flag_required"),
    )
    inputs = {parameter.name: parameter for parameter in given}
    return pipeline(session, "parameters", tell(session, "tell", inputs=inputs), parameters=given)


def _run_variables(session: Any) -> Pipeline:
    team = ParameterString("team", default_value="ads")
    inputs = {
        "id": Run.PIPELINE_EXECUTION_ID,
        "arn": Run.PIPELINE_EXECUTION_ARN,
        "pipeline": Run.PIPELINE_NAME,
        "pipeline_arn": Run.PIPELINE_ARN,
        "start_time": Run.START_DATETIME,
        "now": Run.CURRENT_DATETIME,
        "text": Join(on="/", values=["s3://example-bucket", team, Run.PIPELINE_EXECUTION_ID, "in"]),
        "words": Join(on=" ", values=["run", Run.PIPELINE_EXECUTION_ID, "of", Run.PIPELINE_NAME]),
        "nested": Join(on="-", values=[Join(on="", values=["a", team]), "b", team]),
        "stored": JsonGet(
            s3_uri=Join(on="/", values=["s3://example-bucket", Run.PIPELINE_EXECUTION_ID, "metrics.json"]),
            json_path="folds[0].auc",
        ),
    }
    config = PipelineExperimentConfig(
        Join(on="-", values=["clicks", team]), Join(on="-", values=["run", Run.START_DATETIME])
    )
    return pipeline(
        session,
        "run-variables",
        tell(session, "tell", inputs=inputs),
        parameters=(team,),
        pipeline_experiment_config=config,
    )


def _calls(session: Any) -> Pipeline:
    ask = tell(
        session,
        "ask",
        display_name="Ask for the newest model",
        description="Looks it up",
        inputs={"group": "ctr", "limit": 3, "deep": {"list": [1, "b", 0.5, True]}},
        outputs=[
            LambdaOutput("uri", LambdaType.String),
            LambdaOutput("age", LambdaType.Integer),
            LambdaOutput("score", LambdaType.Float),
            LambdaOutput("fresh", LambdaType.Boolean),
        ],
        cache_config=CacheConfig(enable_caching=True, expire_after="P30D"),
    )
    wait = CallbackStep(
        "wait",
        sqs_queue_url=QUEUE,
        inputs={"model": ask.properties.Outputs["uri"], "age": ask.properties.Outputs["age"]},
        outputs=[
            CallbackOutput("labels", CallbackType.String),
            CallbackOutput("count", CallbackType.Integer),
            CallbackOutput("share", CallbackType.Float),
            CallbackOutput("complete", CallbackType.Boolean),
        ],
        cache_config=CacheConfig(enable_caching=True, expire_after="PT1H"),
    )
    labels = {name: wait.properties.Outputs[name] for name in ("labels", "count", "share", "complete")}
    return pipeline(session, "calls", ask, wait, tell(session, "store", inputs=labels))


CASES = {"parameters": _parameters, "run-variables": _run_variables, "calls": _calls}
