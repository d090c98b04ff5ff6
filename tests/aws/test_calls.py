"""The record of calls, and who may call."""

from __future__ import annotations

import urllib.error
import urllib.request

import boto3
import pytest

BUCKET = "example-research-ml"


def test_every_call_is_recorded_with_what_it_does(aws, request_of):
    aws.make_bucket(BUCKET)
    s3, sagemaker = aws.client("s3"), aws.client("sagemaker")
    s3.put_object(Bucket=BUCKET, Key="a/b c.txt", Body=b"")
    s3.head_object(Bucket=BUCKET, Key="a/b c.txt")
    s3.list_objects_v2(Bucket=BUCKET, Prefix="a/")
    s3.get_object(Bucket=BUCKET, Key="a/b c.txt")
    s3.copy_object(Bucket=BUCKET, Key="c", CopySource={"Bucket": BUCKET, "Key": "a/b c.txt"})
    s3.delete_object(Bucket=BUCKET, Key="c")
    s3.get_bucket_location(Bucket=BUCKET)
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="d")["UploadId"]
    s3.upload_part(Bucket=BUCKET, Key="d", UploadId=upload, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(Bucket=BUCKET, Key="d", UploadId=upload)
    sagemaker.create_pipeline(**request_of())
    aws.client("sts").get_caller_identity()
    aws.client("scheduler").get_schedule_group(Name="default")
    aws.client("sns").list_topics()
    assert [(call.operation, call.resource, call.writes) for call in aws.calls] == [
        ("PutObject", f"{BUCKET}/a/b c.txt", True),
        ("HeadObject", f"{BUCKET}/a/b c.txt", False),
        ("ListObjectsV2", BUCKET, False),
        ("GetObject", f"{BUCKET}/a/b c.txt", False),
        ("CopyObject", f"{BUCKET}/c", True),
        ("DeleteObject", f"{BUCKET}/c", True),
        ("GetBucketLocation", BUCKET, False),
        ("CreateMultipartUpload", f"{BUCKET}/d", True),
        ("UploadPart", f"{BUCKET}/d", True),
        ("AbortMultipartUpload", f"{BUCKET}/d", True),
        ("CreatePipeline", "demo", True),
        ("GetCallerIdentity", "", False),
        ("GetScheduleGroup", "schedule-groups/default", False),
        ("ListTopics", "", False),
    ]
    assert {call.status for call in aws.calls} == {200, 204}
    assert [call.number for call in aws.calls] == [*range(1, 15)]


def test_reading_is_not_writing(aws, request_of):
    sagemaker = aws.client("sagemaker")
    sagemaker.create_pipeline(**request_of())
    assert aws.calls.writing
    aws.calls.clear()
    sagemaker.describe_pipeline(PipelineName="demo")
    sagemaker.list_pipelines()
    assert not aws.calls.writing


def test_the_account_is_the_fake_s(aws):
    assert aws.client("sts").get_caller_identity()["Account"] == aws.account == "111122223333"
    made = boto3.client("sns").create_topic(Name="t")["TopicArn"]
    assert made == "arn:aws:sns:us-west-2:111122223333:t"


@pytest.mark.parametrize(
    ("service", "code"), [("sagemaker", "UnrecognizedClientException"), ("s3", "InvalidAccessKeyId")]
)
def test_only_the_fake_s_credentials_count(aws, refused, service, code):
    session = boto3.Session("AKIAREALREALREALREAL", "x", region_name=aws.region)
    client = session.client(service, endpoint_url=aws.url)
    with refused(code):
        client.list_pipelines() if service == "sagemaker" else client.list_buckets()
    client.close()


def test_a_request_without_a_signature_is_refused(aws):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(aws.url, timeout=5)
    assert caught.value.code == 403
    caught.value.close()
    assert len(aws.calls) == 0


def test_a_reset_leaves_nothing(aws, request_of):
    aws.make_bucket(BUCKET)
    aws.client("sagemaker").create_pipeline(**request_of())
    aws.clock.advance(100)
    aws.reset()
    assert aws.pipeline("demo") is None
    assert len(aws.calls) == 0
    assert aws.client("s3").list_buckets()["Buckets"] == []
