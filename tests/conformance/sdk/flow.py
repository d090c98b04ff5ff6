"""Cases of conditions, fail steps, loops, order, retries and caching."""

from __future__ import annotations

from typing import Any

import offline
from calls import tell
from parts import ROLE, pipeline, processor, put, take, trainer
from sagemaker.core.workflow.conditions import (
    ConditionEquals,
    ConditionGreaterThan,
    ConditionGreaterThanOrEqualTo,
    ConditionIn,
    ConditionLessThan,
    ConditionLessThanOrEqualTo,
    ConditionNot,
    ConditionOr,
)
from sagemaker.core.workflow.execution_variables import ExecutionVariables as Run
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterFloat, ParameterInteger, ParameterString
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow import (
    CacheConfig,
    ConditionStep,
    CurrentItem,
    FailStep,
    ForEachStep,
    ParallelismConfiguration,
    Pipeline,
    ProcessingStep,
    SageMakerJobStepRetryPolicy,
    StepDependency,
    StepRetryPolicy,
    TrainingStep,
    TriggerCondition,
)
from sagemaker.mlops.workflow import SageMakerJobExceptionTypeEnum as JobError
from sagemaker.mlops.workflow import StepExceptionTypeEnum as StepError
from sagemaker.train.configs import MetricDefinition


def _conditions(session: Any) -> Pipeline:
    mode = ParameterString("mode", default_value="full")
    most = ParameterInteger("most", default_value=10)
    least = ParameterFloat("least", default_value=0.75)
    force = ParameterBoolean("force", default_value=False)
    report = PropertyFile(name="report", output_name="report", path="metrics.json")
    evaluate = ProcessingStep(
        "evaluate",
        step_args=processor(session).run(outputs=[take("report", "s3://example-bucket/report/")]),
        property_files=[report],
    )
    measured = trainer(session).with_metric_definitions([MetricDefinition(name="auc", regex="auc=([0-9.]+)")])
    train = TrainingStep("train", step_args=measured.train())

    def value(path: str) -> JsonGet:
        return JsonGet(step_name="evaluate", property_file=report, json_path=path)

    stored = JsonGet(
        s3_uri=Join(on="/", values=["s3://example-bucket", Run.PIPELINE_EXECUTION_ID, "m.json"]), json_path="auc"
    )
    auc = train.properties.FinalMetricDataList["auc"].Value
    inner = ConditionStep(
        "inner", conditions=[ConditionEquals(left=force, right=True)], if_steps=[], else_steps=[tell(session, "third")]
    )
    outer = ConditionStep(
        "outer",
        display_name="Good enough?",
        description="Holds when all hold",
        conditions=[
            ConditionEquals(left=mode, right="full"),
            ConditionNot(ConditionEquals(left=force, right=False)),
            ConditionGreaterThan(left=value("folds[0].auc"), right=0.5),
            ConditionGreaterThanOrEqualTo(left=value("auc"), right=least),
            ConditionLessThan(left=most, right=20),
            ConditionLessThanOrEqualTo(left=auc, right=stored),
            ConditionIn(value=mode, in_values=["full", "quick"]),
            ConditionIn(value=most, in_values=[10, 20]),
            ConditionNot(ConditionIn(value=mode, in_values=["none"])),
            ConditionOr(
                [
                    ConditionGreaterThan(left=auc, right=least),
                    ConditionNot(
                        ConditionOr([ConditionLessThan(left=most, right=5), ConditionEquals(left=mode, right="quick")])
                    ),
                ]
            ),
        ],
        if_steps=[tell(session, "first"), inner],
        else_steps=[FailStep("reject", error_message=Join(on="", values=["AUC is only ", value("auc"), "."]))],
    )
    plain = FailStep("stop", error_message="too bad", depends_on=[StepDependency(outer, TriggerCondition.FAILED)])
    after = tell(session, "after", inputs={"outcome": outer.properties.Outcome})
    return pipeline(session, "conditions", evaluate, train, outer, plain, after, parameters=(mode, most, least, force))


def _foreach(session: Any) -> Pipeline:
    days = ParameterString("days", default_value='["2026-01-01", "2026-01-02"]')
    single = processor(session, env={"DAY": CurrentItem()})
    body = ProcessingStep("backfill", step_args=single.run(arguments=["--day", CurrentItem()]))
    each_day = ForEachStep("each_day", iterable_items=days, max_concurrency=2, for_each_body=[body])
    listed = tell(session, "list")
    with_fields = processor(session).run(
        arguments=["--lr", CurrentItem().lr],
        outputs=[take("rows", Join(on="/", values=["s3://example-bucket/rows", CurrentItem().name, ""]))],
    )
    grid = ForEachStep(
        "grid",
        iterable_items=ParameterString("grid_items", default_value="[]"),
        max_concurrency=1,
        for_each_body=[ProcessingStep("try", step_args=with_fields)],
        depends_on=[listed],
    )
    result = tell(
        session,
        "result",
        inputs={
            "status": each_day.properties.Status,
            "items": each_day.properties.InputItemCount,
            "succeeded": each_day.properties.SucceededStepCount,
            "failed": each_day.properties.FailedStepCount,
            "stopped": each_day.properties.StoppedStepCount,
        },
        depends_on=[StepDependency(each_day, TriggerCondition.FAILED)],
    )
    parameters = (days, ParameterString("grid_items", default_value="[]"))
    return pipeline(session, "foreach", each_day, listed, grid, result, parameters=parameters)


def _order(session: Any) -> Pipeline:
    """Order, run conditions, every retry policy and every form of caching."""
    every = [
        StepRetryPolicy([StepError.SERVICE_FAULT, StepError.THROTTLING], max_attempts=20),
        SageMakerJobStepRetryPolicy(
            [JobError.INTERNAL_ERROR, JobError.CAPACITY_ERROR, JobError.RESOURCE_LIMIT],
            backoff_rate=1.5,
            interval_seconds=60,
            expire_after_mins=120,
        ),
    ]
    extract = ProcessingStep(
        "extract",
        step_args=processor(session).run(outputs=[take("train", "s3://example-bucket/train/")]),
        retry_policies=every,
        cache_config=CacheConfig(enable_caching=True),
    )
    one_kind = [StepRetryPolicy([StepError.THROTTLING], interval_seconds=5, expire_after_mins=10)]
    check = ProcessingStep(
        "check",
        step_args=processor(session).run(
            inputs=[put("train", extract.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri)]
        ),
        retry_policies=one_kind,
        cache_config=CacheConfig(enable_caching=False),
    )
    train = TrainingStep(
        "train",
        step_args=trainer(session, "model").train(),
        depends_on=[check],
        retry_policies=[SageMakerJobStepRetryPolicy([JobError.CAPACITY_ERROR], max_attempts=3)],
        cache_config=CacheConfig(enable_caching=True, expire_after="P30DT12H30M"),
    )
    steps = [extract, check, train]
    for trigger in TriggerCondition:
        name = f"when_{trigger.name.lower()}"
        steps.append(tell(session, name, depends_on=[StepDependency(train, trigger)]))
    several = tell(session, "several", depends_on=[extract, StepDependency(train, TriggerCondition.ANY), "check"])
    return pipeline(session, "order", *steps, several)


def create_request(session: Any) -> dict[str, Any]:
    """Return what CreatePipeline is asked with for the case `order`, without the definition."""
    limit = ParallelismConfiguration(max_parallel_execution_steps=3)
    made = _order(session)._create_args(ROLE, "Steps in order", limit)
    del made["PipelineDefinition"]
    return made


def _other_region(_: Any) -> Pipeline:
    """In regions without SageMaker Experiments a run belongs to none."""
    return pipeline(offline.session("ap-south-2"), "other-region", FailStep("stop", error_message="no"))


CASES = {"conditions": _conditions, "foreach": _foreach, "order": _order, "other-region": _other_region}
