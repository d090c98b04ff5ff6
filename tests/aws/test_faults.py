"""Each kind of fault appears to botocore as what it is, strikes where it was planned, and leaves a record."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ResponseStreamingError

from tests.aws.client_process import NoClientProcess, send_signal
from tests.aws.faults import SWEEP, Fault

BUCKET = "example-research-ml"
CLIENT = """
import boto3, sys
boto3.client("sagemaker").list_pipelines()
boto3.client("sts").get_caller_identity()
print("survived")
"""


@pytest.fixture
def sagemaker(aws):
    return aws.client("sagemaker")


@pytest.fixture
def s3(aws):
    aws.make_bucket(BUCKET)
    return aws.client("s3")


@pytest.mark.parametrize(("fault", "handled"), [(Fault.RESET, False), (Fault.LOST, True), (Fault.HANG, True)])
def test_a_broken_connection_is_a_connection_error(aws, sagemaker, s3, request_of, fault, handled):
    aws.faults.hang_seconds = 0.2
    aws.faults.on("CreatePipeline", fault)
    with pytest.raises(ConnectionClosedError):
        sagemaker.create_pipeline(**request_of())
    assert (aws.pipeline("demo") is not None) == handled
    aws.faults.on("PutObject", fault)
    with pytest.raises(ConnectionClosedError):
        s3.put_object(Bucket=BUCKET, Key="k", Body=b"abc")
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == handled
    assert [(call.status, call.handled, call.fault) for call in aws.calls][:2] == [(None, handled, fault.name)] * 2


def test_a_truncated_answer_of_json_looks_like_an_empty_one(aws, sagemaker, request_of):
    """botocore.httpsession asks urllib3 not to compare with Content-Length, and reads what is no JSON as a message."""
    aws.faults.on("CreatePipeline", Fault.TRUNCATED)
    assert "PipelineArn" not in sagemaker.create_pipeline(**request_of())
    assert aws.pipeline("demo") is not None


def test_a_truncated_answer_of_s3_is_an_error(aws, s3, refused):
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"abcdef")
    for operation in ("PutObject", "ListObjectsV2", "GetObject"):
        aws.faults.on(operation, Fault.TRUNCATED)
    with pytest.raises(ConnectionClosedError):
        s3.put_object(Bucket=BUCKET, Key="other", Body=b"abc")
    with refused("500"):  # what botocore makes of a good answer that it cannot read
        s3.list_objects_v2(Bucket=BUCKET)
    with pytest.raises(ResponseStreamingError):
        s3.get_object(Bucket=BUCKET, Key="k")["Body"].read()
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 2


@pytest.mark.parametrize(
    ("fault", "of_sagemaker", "of_s3", "of_sts", "of_scheduler"),
    [
        (
            Fault.THROTTLE,
            ("ThrottlingException", 400),
            ("SlowDown", 503),
            ("Throttling", 400),
            ("ThrottlingException", 429),
        ),
        (
            Fault.INTERNAL,
            ("InternalFailure", 500),
            ("InternalError", 500),
            ("InternalFailure", 500),
            ("InternalServerException", 500),
        ),
        (
            Fault.UNAVAILABLE,
            ("ServiceUnavailable", 503),
            ("ServiceUnavailable", 503),
            ("ServiceUnavailable", 503),
            ("ServiceUnavailable", 503),
        ),
        (
            Fault.EXPIRED_TOKEN,
            ("ExpiredTokenException", 400),
            ("ExpiredToken", 400),
            ("ExpiredToken", 403),
            ("ExpiredTokenException", 403),
        ),
        (
            Fault.ACCESS_DENIED,
            ("AccessDeniedException", 400),
            ("AccessDenied", 403),
            ("AccessDenied", 403),
            ("AccessDeniedException", 403),
        ),
        (
            Fault.CONFLICT,
            ("ConflictException", 400),
            ("ConditionalRequestConflict", 409),
            ("ConflictException", 409),
            ("ConflictException", 409),
        ),
    ],
)
def test_each_service_has_its_own_error_shape(aws, s3, request_of, fault, of_sagemaker, of_s3, of_sts, of_scheduler):
    expected = {
        "CreatePipeline": of_sagemaker,
        "PutObject": of_s3,
        "GetCallerIdentity": of_sts,
        "ListSchedules": of_scheduler,
    }
    calls = {
        "CreatePipeline": lambda: aws.client("sagemaker").create_pipeline(**request_of()),
        "PutObject": lambda: s3.put_object(Bucket=BUCKET, Key="k", Body=b""),
        "GetCallerIdentity": lambda: aws.client("sts").get_caller_identity(),
        "ListSchedules": lambda: aws.client("scheduler").list_schedules(),
    }
    for operation, call in calls.items():
        aws.faults.on(operation, fault)
        with pytest.raises(ClientError) as caught:
            call()
        answer = caught.value.response
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == expected[operation]
        assert answer["Error"]["Message"]
    assert aws.pipeline("demo") is None
    assert not aws.calls.writing


def test_a_denied_call_names_who_may_not_do_what_on_what(aws, sagemaker, s3, request_of, refused):
    aws.faults.on("UpdatePipeline", Fault.ACCESS_DENIED, times=None)
    aws.faults.on("HeadObject", Fault.ACCESS_DENIED)
    aws.faults.on("PutObject", Fault.ACCESS_DENIED)
    sagemaker.create_pipeline(**request_of())
    for _ in range(3):
        with refused(
            "AccessDeniedException",
            "is not authorized to perform: sagemaker:UpdatePipeline on resource: "
            "arn:aws:sagemaker:us-west-2:111122223333:pipeline/demo because no identity-based policy allows the "
            "sagemaker:UpdatePipeline action",
        ):
            sagemaker.update_pipeline(PipelineName="demo", PipelineDescription="b")
    with refused("AccessDenied", f's3:PutObject on resource: "arn:aws:s3:::{BUCKET}/k" because'):
        s3.put_object(Bucket=BUCKET, Key="k", Body=b"")
    with refused("403"):
        s3.head_object(Bucket=BUCKET, Key="k")


def test_faults_strike_by_number_and_by_operation_once_and_twice(aws, sagemaker, refused):
    aws.faults.at(2, Fault.INTERNAL)
    aws.faults.on("ListPipelines", Fault.THROTTLE, skip=2, times=2)
    outcomes = []
    for _ in range(6):
        try:
            sagemaker.list_pipelines()
            outcomes.append("ok")
        except ClientError as e:
            outcomes.append(e.response["Error"]["Code"])
    assert outcomes == ["ok", "InternalFailure", "ok", "ThrottlingException", "ThrottlingException", "ok"]
    assert aws.faults.struck == [(2, Fault.INTERNAL), (4, Fault.THROTTLE), (5, Fault.THROTTLE)]
    assert aws.faults.seen == 6


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.LOST, Fault.HANG, Fault.THROTTLE, Fault.INTERNAL])
def test_a_retried_start_is_one_execution(aws, request_of, fault):
    aws.faults.hang_seconds = 0.1
    retrying = aws.client("sagemaker", attempts=3)
    retrying.create_pipeline(**request_of())
    aws.faults.on("StartPipelineExecution", fault)
    retrying.start_pipeline_execution(PipelineName="demo")
    assert len(aws.executions) == 1
    assert len(aws.calls.of("StartPipelineExecution")) == 2


@pytest.mark.parametrize("fault", [Fault.KILL_BEFORE, Fault.KILL_AFTER, Fault.TERMINATE, Fault.INTERRUPT])
def test_a_client_can_be_signalled(aws, fault):
    aws.faults.on("ListPipelines", fault)
    done = subprocess.run(
        [sys.executable, "-c", CLIENT], env=os.environ | aws.env, capture_output=True, timeout=60, check=False
    )
    expected = {"KILL": signal.SIGKILL, "TERM": signal.SIGTERM, "INTE": signal.SIGINT}[fault.name[:4]]
    assert done.returncode == -expected, done.stderr
    assert b"survived" not in done.stdout
    assert aws.calls.names == ["ListPipelines"]
    assert aws.calls[0].handled == (fault is not Fault.KILL_BEFORE)


def test_this_process_is_never_signalled():
    with pytest.raises(NoClientProcess):
        send_signal(1, signal.SIGKILL)


def test_a_hang_ends_after_the_time_that_was_set(aws, sagemaker):
    aws.faults.hang_seconds = 0.3
    aws.faults.on("ListPipelines", Fault.HANG)
    before = time.monotonic()
    with pytest.raises(ConnectionClosedError):
        sagemaker.list_pipelines()
    assert 0.25 < time.monotonic() - before < 3


def test_a_sweep_has_ten_kinds():
    assert len({*SWEEP}) == 10
