"""The fake's pipelines are as strict as the service's: definitions, names, roles, tokens, tags, pages."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def sagemaker(aws):
    return aws.client("sagemaker")


def test_a_created_pipeline_is_described_as_it_was_sent(sagemaker, request_of):
    request = request_of(PipelineDescription="about", ParallelismConfiguration={"MaxParallelExecutionSteps": 2})
    arn = sagemaker.create_pipeline(**request)["PipelineArn"]
    found = sagemaker.describe_pipeline(PipelineName="demo")
    assert arn == found["PipelineArn"] == "arn:aws:sagemaker:us-west-2:111122223333:pipeline/demo"
    for member in ("PipelineDefinition", "RoleArn", "PipelineDescription", "ParallelismConfiguration"):
        assert found[member] == request[member]
    assert found["CreationTime"].tzinfo is not None
    assert sagemaker.describe_pipeline(PipelineName=arn)["PipelineName"] == "demo"


def test_a_second_pipeline_of_the_same_name_is_refused(sagemaker, request_of, refused):
    sagemaker.create_pipeline(**request_of())
    with refused("ValidationException", "Pipeline names must be unique within an AWS account and region", 400):
        sagemaker.create_pipeline(**request_of())


@pytest.mark.parametrize("call", ["describe_pipeline", "update_pipeline", "delete_pipeline", "list_pipeline_versions"])
def test_a_missing_pipeline_is_resource_not_found(sagemaker, refused, call):
    with refused("ResourceNotFound", "pipeline/none' does not exist", 400):
        getattr(sagemaker, call)(PipelineName="none")
    assert sagemaker.exceptions.ResourceNotFound


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("not json", "Unable to parse pipeline definition"),
        ("[]", "Expecting start of Json Object"),
        ('{"Steps": []}', "Version None is not supported"),
        ('{"Version": "2020-12-01", "Steps": []}', "at least one step"),
        ('{"Version": "2020-12-01", "Steps": [{"Name": "a b", "Type": "Fail", "Arguments": {}}]}', "needs a Type"),
        ('{"Version": "2020-12-01", "Steps": [{"Name": "a", "Type": "Training"}]}', "no Arguments"),
        ("x" * 1_048_577, "less than or equal to 1048576"),
    ],
)
def test_what_is_no_definition_is_refused(sagemaker, request_of, refused, definition, message):
    with refused("ValidationException", message):
        sagemaker.create_pipeline(**request_of(definition=definition))
    sagemaker.create_pipeline(**request_of())
    with refused("ValidationException", message):
        sagemaker.update_pipeline(PipelineName="demo", PipelineDefinition=definition)


def test_names_of_steps_are_unique_in_branches_too(sagemaker, request_of, define, a_step, refused):
    condition = {"Name": "c", "Type": "Condition", "Arguments": {"Conditions": [], "IfSteps": [a_step("a")]}}
    with refused("ValidationException", "found more than once: a"):
        sagemaker.create_pipeline(**request_of(definition=define(a_step("a"), condition)))


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([("a", {"DependsOn": ["b"]})], "unknown step b"),
        ([("a", {"Arguments": {"x": {"Get": "Steps.b.Arn"}}})], "unknown step b"),
        ([("a", {"Arguments": {"x": {"Get": "Parameters.day"}}})], "unknown parameter day"),
        ([("a", {"DependsOn": ["b"]}), ("b", {"DependsOn": ["a"]})], "wait for each other"),
    ],
)
def test_references_lead_somewhere(sagemaker, request_of, define, a_step, refused, steps, message):
    definition = define(*(a_step(name) | members for name, members in steps))
    with refused("ValidationException", message):
        sagemaker.create_pipeline(**request_of(definition=definition))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"PipelineName": "a_b"}, "at 'pipelineName' failed to satisfy constraint: Member must satisfy regular"),
        ({"PipelineName": "a" * 257}, "Member must have length less than or equal to 256"),
        ({"RoleArn": "arn:aws:iam::1:role/too-short-an-account"}, "at 'roleArn' failed to satisfy constraint"),
        ({"Tags": [{"Key": "a*", "Value": ""}]}, "at 'tags.1.member.key' failed to satisfy"),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}, "Duplicate tag keys"),
        ({"Tags": [{"Key": "aws:x", "Value": "1"}]}, "reserved"),
        ({"PipelineDefinitionS3Location": {"Bucket": "bucket", "ObjectKey": "k"}}, "shouldn't be present"),
    ],
)
def test_members_are_held_to_the_model(sagemaker, request_of, refused, members, message):
    with refused("ValidationException", message):
        sagemaker.create_pipeline(**request_of() | members)


def test_a_token_has_one_effect(aws, sagemaker, request_of, refused):
    request = request_of(ClientRequestToken="t" * 32)
    first = sagemaker.create_pipeline(**request)
    assert sagemaker.create_pipeline(**request)["PipelineArn"] == first["PipelineArn"]
    with refused("ConflictException", "was used with other parameters"):
        sagemaker.create_pipeline(**request | {"PipelineDescription": "other"})
    assert len(sagemaker.list_pipelines()["PipelineSummaries"]) == 1
    sagemaker.delete_pipeline(PipelineName="demo")
    sagemaker.create_pipeline(**request)
    assert aws.pipeline("demo") is None, "the token is used up, although the pipeline is gone"


def test_an_update_changes_what_it_names_and_makes_a_version(sagemaker, request_of, define, a_step):
    sagemaker.create_pipeline(**request_of(PipelineDescription="about"))
    text = define(a_step("only"))
    assert sagemaker.update_pipeline(PipelineName="demo", PipelineDefinition=text)["PipelineVersionId"] == 2
    found = sagemaker.describe_pipeline(PipelineName="demo")
    assert (found["PipelineDefinition"], found["PipelineDescription"]) == (text, "about")
    assert sagemaker.update_pipeline(PipelineName="demo", PipelineDescription="b")["PipelineVersionId"] == 2
    versions = sagemaker.list_pipeline_versions(PipelineName="demo")["PipelineVersionSummaries"]
    assert [version["PipelineVersionId"] for version in versions] == [2, 1]
    assert sagemaker.describe_pipeline(PipelineName="demo", PipelineVersionId=1)["PipelineDefinition"] != text


def test_a_definition_may_lie_in_s3(aws, sagemaker, request_of, refused):
    aws.make_bucket("definitions")
    request = request_of()
    text = request.pop("PipelineDefinition")
    request["PipelineDefinitionS3Location"] = {"Bucket": "definitions", "ObjectKey": "demo.json"}
    with refused("ValidationException", "no such object"):
        sagemaker.create_pipeline(**request)
    aws.client("s3").put_object(Bucket="definitions", Key="demo.json", Body=text.encode())
    sagemaker.create_pipeline(**request)
    assert sagemaker.describe_pipeline(PipelineName="demo")["PipelineDefinition"] == text


def test_tags_are_added_replaced_listed_and_deleted(sagemaker, request_of, refused):
    arn = sagemaker.create_pipeline(**request_of(Tags=[{"Key": "a", "Value": "1"}]))["PipelineArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    assert _tags(sagemaker, arn) == {"a": "2", "b": "3"}
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a", "z"])
    assert _tags(sagemaker, arn) == {"b": "3"}
    with refused("ResourceLimitExceeded"):
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": f"k{n}", "Value": ""} for n in range(50)])
    with refused("ResourceNotFound"):
        sagemaker.list_tags(ResourceArn=arn + "-none")


def test_lists_come_in_pages_of_a_prefix(sagemaker, request_of, refused):
    for n in range(13):
        sagemaker.create_pipeline(**request_of(f"research-{n:02}"))
    sagemaker.create_pipeline(**request_of("prod-0"))
    first = sagemaker.list_pipelines(PipelineNamePrefix="research")
    assert len(first["PipelineSummaries"]) == 10
    pages = sagemaker.get_paginator("list_pipelines").paginate(PipelineNamePrefix="research", SortBy="Name")
    names = [summary["PipelineName"] for page in pages for summary in page["PipelineSummaries"]]
    assert names == [f"research-{n:02}" for n in reversed(range(13))]
    with refused("ValidationException", "at 'pipelineNamePrefix' failed to satisfy"):  # the pattern of a whole name
        sagemaker.list_pipelines(PipelineNamePrefix="research-")
    with refused("ValidationException", "Invalid pagination token"):
        sagemaker.list_pipelines(NextToken="nonsense")


def test_other_operations_of_sagemaker_are_moto_s(sagemaker, refused):
    sagemaker.create_model_package_group(ModelPackageGroupName="ctr")
    assert len(sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]) == 1
    with refused("ValidationException", "regular expression"):
        sagemaker.create_model_package_group(ModelPackageGroupName="c_t_r")


def test_what_is_deployed_can_be_read_without_a_call(aws, sagemaker, request_of):
    request = request_of()
    sagemaker.create_pipeline(**request)
    calls = len(aws.calls)
    assert json.loads(aws.pipeline("demo").current.text) == json.loads(request["PipelineDefinition"])
    assert len(aws.calls) == calls


def _tags(sagemaker, arn):
    return {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
