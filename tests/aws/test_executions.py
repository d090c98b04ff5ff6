"""The fake's executions: what may start, how a script plays, how they stop, go on and write logs."""

from __future__ import annotations

import pytest

from tests.aws.sagemaker.scripts import Attempt, Line, StepScript, step


@pytest.fixture
def sagemaker(aws):
    return aws.client("sagemaker")


@pytest.fixture
def deployed(sagemaker, request_of, define, a_step):
    """extract -> train -> score, and report beside them; three parameters."""
    parameters = [
        {"Name": "day", "Type": "String"},
        {"Name": "depth", "Type": "Integer", "DefaultValue": 6},
        {"Name": "fast", "Type": "Boolean", "DefaultValue": False},
    ]
    steps = [
        a_step("extract"),
        a_step("train", kind="Training") | {"Arguments": {"x": {"Get": "Steps.extract.Arn"}}, "DependsOn": []},
        a_step("score", "train", kind="Transform"),
        a_step("report"),
    ]
    sagemaker.create_pipeline(**request_of(definition=define(*steps, parameters=parameters)))
    return "demo"


DAY = [{"Name": "day", "Value": "2026-01-01"}]


@pytest.fixture
def start(sagemaker, deployed):
    def start(**members):
        request = {"PipelineName": deployed, "PipelineParameters": DAY} | members
        return sagemaker.start_pipeline_execution(**request)["PipelineExecutionArn"]

    return start


@pytest.fixture
def state(sagemaker):
    """Tells the status of an execution, or of its steps."""

    def state(arn, *, of_steps=False):
        if not of_steps:
            return sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
        found = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
        return {item["StepName"]: item["StepStatus"] for item in found}

    return state


def test_without_a_script_every_step_succeeds_at_once(sagemaker, start, state):
    arn = start()
    assert state(arn) == "Succeeded"
    found = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, SortOrder="Ascending")
    names = [item["StepName"] for item in found["PipelineExecutionSteps"]]
    assert names.index("extract") < names.index("train") < names.index("score")
    [training] = [i for i in found["PipelineExecutionSteps"] if i["StepName"] == "train"]
    assert ":training-job/pipelines-" in training["Metadata"]["TrainingJob"]["Arn"]
    assert training["AttemptCount"] == 1


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ([], "Missing values of the required pipeline parameters: [day]"),
        ([*DAY, {"Name": "x", "Value": "1"}], "Unknown pipeline parameters: [x]"),
        ([*DAY, *DAY], "must be unique"),
        ([*DAY, {"Name": "depth", "Value": "six"}], "not of the type Integer"),
        ([*DAY, {"Name": "fast", "Value": "yes"}], "not a Boolean"),
        ([{"Name": "day", "Value": ""}], "is too short"),
        ([{"Name": "day", "Value": "x" * 1025}], "less than or equal to 1024"),
    ],
)
def test_parameters_fit_the_definition(aws, start, refused, parameters, message):
    with refused("ValidationException", message):
        start(PipelineParameters=parameters)
    assert aws.executions == []


def test_an_execution_keeps_its_parameters_and_definition(sagemaker, deployed, start, define, a_step):
    arn = start()
    sagemaker.update_pipeline(PipelineName=deployed, PipelineDefinition=define(a_step("other")))
    found = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    assert {p["Name"]: p["Value"] for p in found} == {"day": "2026-01-01", "depth": "6", "fast": "false"}
    text = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)["PipelineDefinition"]
    assert "extract" in text


def test_a_token_starts_one_execution(aws, start, refused):
    assert start(ClientRequestToken="s" * 32) == start(ClientRequestToken="s" * 32)
    assert len(aws.executions) == 1
    with refused("ConflictException"):
        start(ClientRequestToken="s" * 32, PipelineExecutionDisplayName="other")


def test_a_script_plays_in_time(aws, start, state):
    aws.will_run({"extract": step(60, starting=30), "train": step(10)})
    arn = start()
    assert state(arn, of_steps=True) == {"extract": "Starting", "report": "Succeeded"}
    aws.clock.advance(31)
    assert state(arn, of_steps=True)["extract"] == "Executing"
    aws.clock.advance(60)
    assert state(arn, of_steps=True) == {"extract": "Succeeded", "report": "Succeeded", "train": "Executing"}
    aws.clock.advance(10)
    assert state(arn) == "Succeeded"


def test_a_failed_step_fails_the_execution_and_says_why(aws, sagemaker, start, state):
    aws.will_run({"train": step(failure="AlgorithmError: exit code: 1")})
    arn = start()
    found = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert (found["PipelineExecutionStatus"], found["FailureReason"]) == (
        "Failed",
        "Step failure: One or multiple steps failed.",
    )
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    assert {i["StepName"]: i.get("FailureReason") for i in steps}["train"] == "AlgorithmError: exit code: 1"
    assert "score" not in state(arn, of_steps=True)


def test_a_step_has_several_attempts_with_a_job_each(aws, sagemaker, start, state):
    aws.will_run({"extract": StepScript((Attempt(5, "InternalServerError"), Attempt(5)), pause=60)})
    arn = start()
    before = _step_of(sagemaker, arn, "extract")
    aws.clock.advance(66)
    after = _step_of(sagemaker, arn, "extract")
    assert (before["AttemptCount"], after["AttemptCount"], after["StepStatus"]) == (1, 2, "Executing")
    assert before["Metadata"] != after["Metadata"]
    aws.clock.advance(5)
    assert state(arn) == "Succeeded"


def test_a_cache_hit_runs_no_job(aws, sagemaker, start):
    earlier = start()
    aws.will_run({"extract": StepScript(cached_from=earlier)})
    found = _step_of(sagemaker, start(), "extract")
    assert found["CacheHitResult"] == {"SourcePipelineExecutionArn": earlier}
    assert found["Metadata"] == {}


def test_a_condition_takes_the_branch_of_the_script(aws, sagemaker, request_of, define, a_step, state):
    branches = {"Conditions": [], "IfSteps": [a_step("yes")], "ElseSteps": [a_step("no", kind="Fail")]}
    text = define({"Name": "good", "Type": "Condition", "Arguments": branches})
    sagemaker.create_pipeline(**request_of(definition=text))
    arn = sagemaker.start_pipeline_execution(PipelineName="demo")["PipelineExecutionArn"]
    assert state(arn, of_steps=True) == {"good": "Succeeded", "yes": "Succeeded"}
    aws.will_run({"good": StepScript(outcome=False)}, "demo")
    arn = sagemaker.start_pipeline_execution(PipelineName="demo")["PipelineExecutionArn"]
    assert state(arn, of_steps=True) == {"good": "Succeeded", "no": "Failed"}
    assert _step_of(sagemaker, arn, "good")["Metadata"] == {"Condition": {"Outcome": "False"}}


def test_no_more_steps_run_than_the_parallelism_allows(aws, start, state):
    aws.will_run({"extract": step(10), "report": step(10)})
    arn = start(ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    assert len(state(arn, of_steps=True)) == 1
    aws.clock.advance(10)
    assert state(arn, of_steps=True)["extract"] == "Succeeded"


def test_a_stopped_execution_can_be_retried(aws, sagemaker, start, state, refused):
    aws.will_run({"train": StepScript((Attempt(100),), stopping=20)})
    arn = start()
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert (state(arn), state(arn, of_steps=True)["train"]) == ("Stopping", "Stopping")
    aws.clock.advance(20)
    assert (state(arn), state(arn, of_steps=True)["train"]) == ("Stopped", "Stopped")
    with refused("ValidationException", "in status Stopped"):
        sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    aws.will_run({})
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert (state(arn), state(arn, of_steps=True)["score"]) == ("Succeeded", "Succeeded")
    with refused("ValidationException", "Only executions in status Failed or Stopped"):
        sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)


def test_a_step_waits_for_its_callback(aws, sagemaker, start, state, refused):
    aws.will_run({"report": StepScript(waits=True), "extract": StepScript(waits=True)})
    arn = start()
    [first, second] = [run.token for run in aws.executions[0].runs.values()]
    sagemaker.send_pipeline_execution_step_success(CallbackToken=first)
    assert state(arn) == "Executing"
    sagemaker.send_pipeline_execution_step_failure(CallbackToken=second, FailureReason="no")
    assert state(arn) == "Failed"
    with refused("ConflictException"):
        sagemaker.send_pipeline_execution_step_success(CallbackToken=first)
    with refused("ResourceNotFound"):
        sagemaker.send_pipeline_execution_step_success(CallbackToken="0" * 10)


def test_a_selective_execution_runs_what_is_selected(sagemaker, start, state, refused):
    selection = {"SelectedSteps": [{"StepName": "score"}]}
    with refused("ValidationException", "The selected steps [score] have dependencies on [train]"):
        start(SelectiveExecutionConfig=selection)
    with refused("ValidationException", "[nope] are not in the pipeline"):
        start(SelectiveExecutionConfig={"SelectedSteps": [{"StepName": "nope"}]})
    source = start()
    arn = start(SelectiveExecutionConfig=selection | {"SourcePipelineExecutionArn": source})
    assert state(arn, of_steps=True) == {"score": "Succeeded", "train": "Succeeded"}
    assert _step_of(sagemaker, arn, "train")["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": source}


def test_executions_are_listed_from_the_latest(aws, sagemaker, deployed, start):
    arns = [start() for _ in range(12)]
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName=deployed)
    found = [item for page in pages for item in page["PipelineExecutionSummaries"]]
    assert [item["PipelineExecutionArn"] for item in found] == arns[::-1]
    assert sagemaker.describe_pipeline(PipelineName=deployed)["LastRunTime"]


def test_an_unknown_execution_is_resource_not_found(sagemaker, deployed, refused):
    arn = "arn:aws:sagemaker:us-west-2:111122223333:pipeline/demo/execution/none"
    with refused("ResourceNotFound", "does not exist"):
        sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)


def test_jobs_write_logs_where_sagemaker_s_do(aws, sagemaker, start):
    lines = ["first", Line("second", after=30)]
    aws.will_run({"extract": step(60, lines=lines), "train": step(60, lines=["epoch 1"])})
    arn = start()
    logs = aws.client("logs")
    assert _lines(logs, "ProcessingJobs") == ["first"]
    aws.clock.advance(30)
    assert _lines(logs, "ProcessingJobs") == ["first", "second"]
    aws.clock.advance(60)
    [stream] = logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")["logStreams"]
    name = _step_of(sagemaker, arn, "train")["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
    job = sagemaker.describe_training_job(TrainingJobName=name)
    assert stream["logStreamName"].startswith(f"{job['TrainingJobName']}/algo-1-")
    assert job["TrainingJobStatus"] == "InProgress"


def _lines(logs, group):
    found = logs.filter_log_events(logGroupName=f"/aws/sagemaker/{group}")["events"]
    return [event["message"] for event in found]


def _step_of(sagemaker, arn, name):
    found = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    return next(item for item in found if item["StepName"] == name)
