"""What the service would refuse in a request is found, at its place, and nothing else."""

import json
import re
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buzzflow.backends.sagemaker.service import request_problems, requests
from buzzflow.backends.sagemaker.service.fits import fits
from buzzflow.backends.sagemaker.service.shapes import request_operations, request_shape
from buzzflow.diagnostics import MAX_PROBLEMS, Severity

TESTS = Path(__file__).parents[3]
DEFINITIONS = sorted((TESTS / "goldens").glob("*/pipeline-definition.json"))
OPERATIONS = {"Processing": "CreateProcessingJob", "Training": "CreateTrainingJob"}
ROLE = "arn:aws:iam::111122223333:role/R"
IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/img:1"
PARAMETER = {"Get": "Parameters.p"}

S3_INPUT = {"S3Uri": "s3://bucket/data", "S3DataType": "S3Prefix", "S3InputMode": "File", "LocalPath": "/opt/ml/in"}
S3_OUTPUT = {"S3Uri": "s3://bucket/out", "LocalPath": "/opt/ml/out", "S3UploadMode": "EndOfJob"}
PROCESSING = {
    "RoleArn": ROLE,
    "AppSpecification": {"ImageUri": IMAGE, "ContainerArguments": ["--depth", "6"]},
    "ProcessingResources": {
        "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
    },
    "ProcessingInputs": [{"InputName": "data", "S3Input": S3_INPUT}],
    "ProcessingOutputConfig": {"Outputs": [{"OutputName": "train", "S3Output": S3_OUTPUT}]},
    "Environment": {"A_B": "1"},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "NetworkConfig": {
        "EnableNetworkIsolation": False,
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
    },
    "Tags": [{"Key": "team", "Value": "research"}],
}
CHANNEL = {
    "ChannelName": "train",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/train"}},
}
TRAINING = {
    "RoleArn": ROLE,
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "HyperParameters": {"depth": "6"},
    "InputDataConfig": [CHANNEL],
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
    "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "EnableManagedSpotTraining": False,
    "RetryStrategy": {"MaximumRetryAttempts": 30},
}
PACKAGE = {
    "ModelPackageGroupName": "group",
    "ModelApprovalStatus": "PendingManualApproval",
    "InferenceSpecification": {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": {"Get": "Steps.train.ModelArtifacts.S3ModelArtifacts"}}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    },
}
TRANSFORM = {
    "ModelName": {"Get": "Steps.model.ModelName"},
    "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}}},
    "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
    "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
}
TUNING = {
    "HyperParameterTuningJobConfig": {
        "Strategy": "Bayesian",
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 10, "MaxParallelTrainingJobs": 2},
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "auc"},
    },
}
AUTOML = {
    "AutoMLJobInputDataConfig": [{"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/"}}}],
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "AutoMLProblemTypeConfig": {"TabularJobConfig": {"TargetAttributeName": "late"}},
    "RoleArn": ROLE,
}
EMR = {
    "ClusterId": "j-123",
    "StepConfig": {"HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["spark-submit", PARAMETER]}},
    "ExecutionRoleArn": ROLE,
}
SERVERLESS_JOB = {"executionRoleArn": ROLE, "jobDriver": {"sparkSubmit": {"entryPoint": "s3://bucket/main.py"}}}
SERVERLESS = {"ApplicationId": "00abc", "ExecutionRoleArn": ROLE, "JobConfig": SERVERLESS_JOB}
REQUESTS = {
    "CreateProcessingJob": PROCESSING,
    "CreateTrainingJob": TRAINING,
    "CreateModelPackage": PACKAGE,
    "CreateTransformJob": TRANSFORM,
    "CreateHyperParameterTuningJob": TUNING,
    "CreateAutoMLJobV2": AUTOML,
    "CreateModel": {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}},
    "CreateEndpointConfig": {
        "EndpointConfigName": "c",
        "ProductionVariants": [{"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large"}],
    },
    "CreateEndpoint": {"EndpointName": "e", "EndpointConfigName": "c"},
    "CreateModelPackageGroup": {"ModelPackageGroupName": "g"},
    "EMRStep": EMR,
    "EMRServerlessStep": SERVERLESS,
}
GONE = object()

P, T, M = "CreateProcessingJob", "CreateTrainingJob", "CreateModelPackage"
CLUSTER = ("ProcessingResources", "ClusterConfig")
IN_URI = ("ProcessingInputs", 0, "S3Input", "S3Uri")
CONTAINER = ("InferenceSpecification", "Containers", 0)
SPARK = ("JobConfig", "jobDriver", "sparkSubmit")
# The operation, where its request is changed, to what, and the code of the one problem; it is at the same place.
MUTATIONS = [
    # a member that there is not
    (P, ("Rolle",), ROLE, "BF430"),
    (P, (*CLUSTER, "InstanceTypes"), "ml.m5.xlarge", "BF430"),
    (P, ("ProcessingInputs", 0, "S3Input", "S3URI"), "s3://bucket/x", "BF430"),
    (T, ("HyperParameterTuning",), {}, "BF430"),
    (T, ("ResourceConfig", "Instance_Count"), 1, "BF430"),
    (M, (*CONTAINER, "ModelUrl"), "s3://bucket/m", "BF430"),
    ("EMRStep", ("StepConfig", "HadoopJarStep", "Arguments"), [], "BF430"),
    ("EMRStep", ("Name",), "x", "BF430"),
    ("EMRServerlessStep", (*SPARK, "EntryPoint"), "s3://bucket/x", "BF430"),
    # a member that is missing
    (P, ("RoleArn",), GONE, "BF431"),
    (P, ("AppSpecification", "ImageUri"), GONE, "BF431"),
    (P, ("ProcessingInputs", 0, "InputName"), GONE, "BF431"),
    (T, ("AlgorithmSpecification", "TrainingInputMode"), GONE, "BF431"),
    (T, ("OutputDataConfig",), GONE, "BF431"),
    ("CreateTransformJob", ("TransformInput", "DataSource"), GONE, "BF431"),
    ("CreateHyperParameterTuningJob", ("HyperParameterTuningJobConfig", "ResourceLimits"), GONE, "BF431"),
    ("CreateEndpoint", ("EndpointName",), GONE, "BF431"),
    ("EMRStep", ("StepConfig", "HadoopJarStep", "Jar"), GONE, "BF431"),
    ("EMRServerlessStep", ("JobConfig", "executionRoleArn"), GONE, "BF431"),
    # another type
    (P, (*CLUSTER, "InstanceCount"), "1", "BF432"),
    (P, (*CLUSTER, "InstanceCount"), 1.0, "BF432"),
    (P, (*CLUSTER, "InstanceCount"), True, "BF432"),
    (P, ("Environment", "A_B"), 1, "BF432"),
    (P, ("Environment",), [], "BF432"),
    (P, ("AppSpecification", "ContainerArguments"), "--depth 6", "BF432"),
    (P, ("AppSpecification", "ContainerArguments", 1), 6, "BF432"),
    (P, ("AppSpecification",), IMAGE, "BF432"),
    (P, ("AppSpecification",), PARAMETER, "BF432"),
    (P, ("NetworkConfig", "EnableNetworkIsolation"), "false", "BF432"),
    (P, ("ProcessingInputs",), None, "BF432"),
    (P, ("ProcessingInputs",), {"Std:Join": {"On": "", "Values": []}}, "BF432"),
    (T, ("HyperParameters", "depth"), 6, "BF432"),
    (T, ("EnableManagedSpotTraining",), 1, "BF432"),
    (T, ("HyperParameters", "depth"), {"Get": 1}, "BF432"),
    (T, ("HyperParameters", "depth"), {"Std:Join": ["a"]}, "BF432"),
    (T, ("HyperParameters", "depth"), {"Std:Join": {"On": "", "Values": [None]}}, "BF432"),
    (T, ("HyperParameters", "depth"), {"Std:JsonGet": {"Path": "a"}}, "BF432"),
    (M, ("InferenceSpecification", "Containers"), {"Image": IMAGE}, "BF432"),
    # a word that there is not
    (P, (*CLUSTER, "InstanceType"), "ml.m5.xlrge", "BF433"),
    (P, (*CLUSTER, "InstanceType"), "ml.m5.3xlarge", "BF433"),
    (P, (*CLUSTER, "InstanceType"), "", "BF433"),
    (P, ("ProcessingInputs", 0, "S3Input", "S3InputMode"), "file", "BF433"),
    (T, ("AlgorithmSpecification", "TrainingInputMode"), "Pipes", "BF433"),
    (M, ("ModelApprovalStatus",), "Aproved", "BF433"),
    ("EMRStep", ("StepConfig", "ActionOnFailure"), "CONTINU", "BF433"),
    # a form that the service does not take
    (P, ("RoleArn",), "arn:aws:iam::1111:role/research", "BF434"),
    (P, ("RoleArn",), "arn:aws:s3:::bucket/some/folder", "BF434"),
    (P, IN_URI, "/data/on/disk", "BF434"),
    (P, IN_URI, "s3:/bucket/data", "BF434"),
    (P, IN_URI, {"Std:Join": {"On": "/", "Values": ["s3:", "bucket", PARAMETER]}}, "BF434"),
    (P, IN_URI, {"Std:Join": {"On": "", "Values": ["bucket/", PARAMETER]}}, "BF434"),
    (P, ("Environment", "A-B"), "1", "BF434"),
    (T, ("InputDataConfig", 0, "ChannelName"), "my channel", "BF434"),
    (T, ("HyperParameters", "depth"), "one\ntwo", "BF434"),
    (T, ("TrainingJobName",), "-name", "BF434"),
    (M, ("ModelPackageGroupName",), "my_group", "BF434"),
    # sizes
    (P, (*CLUSTER, "InstanceCount"), 0, "BF435"),
    (P, (*CLUSTER, "InstanceCount"), 101, "BF435"),
    (P, (*CLUSTER, "VolumeSizeInGB"), 2**40, "BF435"),
    (P, ("StoppingCondition", "MaxRuntimeInSeconds"), 0, "BF435"),
    (P, ("NetworkConfig", "VpcConfig", "SecurityGroupIds"), ["sg-1"] * 6, "BF435"),
    (P, ("NetworkConfig", "VpcConfig", "Subnets"), [], "BF435"),
    (P, ("AppSpecification", "ContainerArguments"), ["x"] * 101, "BF435"),
    (P, ("AppSpecification", "ContainerArguments", 0), "x" * 257, "BF435"),
    (P, ("Environment",), {f"V{i}": "" for i in range(101)}, "BF435"),
    (P, ("RoleArn",), "arn:short", "BF435"),
    (P, IN_URI, {"Std:Join": {"On": "-" * 20, "Values": ["s3://b/", *["x" * 30, PARAMETER] * 20]}}, "BF435"),
    (T, ("HyperParameters", "depth"), "x" * 2501, "BF435"),
    (T, ("HyperParameters", "d" * 257), "6", "BF435"),
    (T, ("InputDataConfig",), [CHANNEL] * 21, "BF435"),
    (T, ("RetryStrategy", "MaximumRetryAttempts"), 31, "BF435"),
    (M, (*CONTAINER[:2],), [{"Image": IMAGE}] * 16, "BF435"),
]


def changed(operation: str, path: tuple[str | int, ...], value: object) -> dict[str, object]:
    """Return the request of *operation* with *value* at *path*."""
    request = deepcopy(REQUESTS[operation])
    inner = request
    for part in path[:-1]:
        inner = inner[part]
    if value is GONE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return request


def found(operation: str, path: tuple[str | int, ...], value: object):
    """Return the one problem of the changed request."""
    [problem] = request_problems(operation, changed(operation, path, value))
    return problem


def jobs(steps: list[dict]) -> Iterator[dict]:
    for step in steps:
        if step["Type"] in OPERATIONS:
            yield step
        elif step["Type"] == "Condition":
            yield from jobs([*step["Arguments"]["IfSteps"], *step["Arguments"]["ElseSteps"]])


@pytest.mark.parametrize("operation", REQUESTS)
def test_a_right_request_has_no_problems(operation):
    assert [*request_problems(operation, REQUESTS[operation])] == []


@pytest.mark.parametrize("file", DEFINITIONS, ids=lambda f: f.parent.name)
def test_what_the_compiler_writes_has_no_problems(file):
    steps = [*jobs(json.loads(file.read_text("utf-8"))["Steps"])]
    assert steps
    for step in steps:
        assert [*request_problems(OPERATIONS[step["Type"]], step["Arguments"])] == []


@pytest.mark.parametrize(
    ("operation", "path", "value", "code"), MUTATIONS, ids=lambda v: ".".join(map(str, v)) if type(v) is tuple else None
)
def test_a_mistake_is_one_problem_with_its_code_and_place(operation, path, value, code):
    problem = found(operation, path, value)
    assert (problem.code, problem.path, problem.severity) == (code, path, Severity.ERROR)
    assert problem.summary
    assert problem.hint
    assert not problem.summary.endswith(".")


@pytest.mark.parametrize("word", ["ml.m99x.xlarge", "ml.m15.xlarge"])
def test_an_instance_type_of_an_unknown_family_may_be_newer_than_the_table(word):
    problem = found(P, (*CLUSTER, "InstanceType"), word)
    assert (problem.code, problem.severity) == ("BF433", Severity.WARNING)
    assert problem.hint.startswith("right if it is newer than buzzflow's table; else ")


@pytest.mark.parametrize("word", ["Telepathy", "File2"])
def test_a_word_far_from_every_known_one_or_with_another_number_may_be_newer_than_the_table(word):
    problem = found(T, ("AlgorithmSpecification", "TrainingInputMode"), word)
    assert (problem.code, problem.severity) == ("BF433", Severity.WARNING)


@pytest.mark.parametrize(
    ("operation", "path", "value", "summary", "hint"),
    [
        (P, ("Rolle",), ROLE, "the request has no member 'Rolle'", None),
        (
            P,
            (*CLUSTER, "InstanceTyp"),
            "x",
            "'ClusterConfig' has no member 'InstanceTyp'",
            "did you mean 'InstanceType'?",
        ),
        (P, ("RoleArn",), GONE, "the request needs 'RoleArn'", "add it: a text"),
        (
            P,
            (*CLUSTER, "InstanceCount"),
            "1",
            "'InstanceCount' is a text, and the service takes a whole number",
            "write 1 without quotes",
        ),
        (
            T,
            ("HyperParameters", "depth"),
            6,
            "'depth' is a whole number, and the service takes a text",
            "write it in quotes: '6'",
        ),
        (P, (*CLUSTER, "InstanceCount"), 0, "'InstanceCount' is 0", "the service takes 1 to 100"),
        (
            P,
            ("AppSpecification", "ContainerArguments", 1),
            6,
            "'ContainerArguments[1]' is a whole number, and the service takes a text",
            "write it in quotes: '6'",
        ),
        (
            P,
            IN_URI,
            "/data",
            "'S3Uri' is '/data', which the service does not take there",
            "write an address in S3: s3://bucket/folder/",
        ),
        (
            P,
            ("RoleArn",),
            "arn:aws:iam::1111:role/research",
            "'RoleArn' is 'arn:aws:iam::1111:role/research', which the service does not take there",
            "write the ARN of a role: arn:aws:iam::111122223333:role/name",
        ),
        (
            T,
            ("HyperParameters", "depth"),
            "a\nb",
            "'depth' is 'a\\nb', which the service does not take there",
            "write it on one line",
        ),
    ],
)
def test_a_problem_says_what_is_so_and_what_to_do(operation, path, value, summary, hint):
    problem = found(operation, path, value)
    assert problem.summary == summary
    assert hint is None or problem.hint == hint


def test_a_misspelled_required_member_is_told_once():
    request = changed(P, ("RoleArn",), GONE) | {"RolArn": ROLE}
    [problem] = request_problems(P, request)
    assert (problem.code, problem.path, problem.hint) == ("BF430", ("RolArn",), "did you mean 'RoleArn'?")


def test_a_secret_is_not_shown():
    problem = found("EMRServerlessStep", (*SPARK, "entryPoint"), "\n" + "password" * 40)
    assert (problem.code, problem.path) == ("BF434", (*SPARK, "entryPoint"))
    assert "password" not in f"{problem.summary}{problem.hint}"


@pytest.mark.parametrize("operation", ["CreateModelPackage", "CreateEndpoint", "CreateAutoMLJobV2"])
def test_what_is_no_mapping_is_a_wrong_type(operation):
    assert [p.code for p in request_problems(operation, [])] == ["BF432"]


def test_exactly_one_of_some_members_is_given():
    two = AUTOML["AutoMLProblemTypeConfig"] | {"ImageClassificationJobConfig": {}}
    problem = found("CreateAutoMLJobV2", ("AutoMLProblemTypeConfig",), two)
    assert (problem.code, problem.hint) == ("BF432", "leave one out")
    none = found("CreateAutoMLJobV2", ("AutoMLProblemTypeConfig",), {})
    assert (none.code, none.path) == ("BF431", ("AutoMLProblemTypeConfig",))
    assert found("EMRStep", ("ClusterId",), GONE).summary == "the request needs one of ClusterId, ClusterConfig"


def test_a_name_that_the_caller_leaves_out_may_be_missing():
    request = {"EndpointConfigName": "c"}
    assert [p.path for p in request_problems("CreateEndpoint", request)] == [("EndpointName",)]
    assert [*request_problems("CreateEndpoint", request, optional=["EndpointName"])] == []


def test_the_name_that_a_pipeline_leaves_out_is_still_checked():
    problem = found(T, ("TrainingJobName",), "x" * 64)
    assert (problem.code, problem.path) == ("BF435", ("TrainingJobName",))


@pytest.mark.parametrize(
    "value",
    [
        PARAMETER,
        {"Std:Join": {"On": "", "Values": [PARAMETER, "/data"]}},
        {"Std:Join": {"On": "/", "Values": ["s3:/", PARAMETER, "data", 7, 0.5, True]}},
        {"Std:Join": {"On": "", "Values": ["s3://bucket/", {"Std:Join": {"On": "-", "Values": ["a", PARAMETER]}}]}},
        {"Std:Join": {"On": "", "Values": ["s", PARAMETER]}},
        {"Std:Join": {"Values": ["s3://bucket"]}},
        {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.s.PropertyFiles.f"}, "Path": "a.b"}},
        {"Std:JsonGet": {"S3Uri": {"Std:Join": {"On": "/", "Values": ["s3:/", PARAMETER]}}, "Path": PARAMETER}},
    ],
)
def test_a_placeholder_that_can_be_an_address_is_taken(value):
    assert [*request_problems(P, changed(P, IN_URI, value))] == []


@pytest.mark.parametrize(
    "path", [(*CLUSTER, "InstanceCount"), ("ProcessingInputs",), ("Environment",), (*CLUSTER, "InstanceType")]
)
def test_a_reference_is_taken_wherever_its_value_could_be(path):
    assert [*request_problems(P, changed(P, path, PARAMETER))] == []


def test_a_text_joined_from_literals_is_checked_as_the_text_that_it_is():
    joined = {"Std:Join": {"On": ".", "Values": ["ml", "m5", "xlrge"]}}
    assert found(P, (*CLUSTER, "InstanceType"), joined).hint == "did you mean 'ml.m5.xlarge'?"


def test_no_more_problems_are_told_than_anyone_reads():
    request = PROCESSING | {f"Unknown{i}": 1 for i in range(2 * MAX_PROBLEMS)}
    assert len([*request_problems(P, request)]) == MAX_PROBLEMS


def test_endless_nesting_is_a_problem_and_no_crash():
    configurations: list[object] = []
    for _ in range(5000):
        configurations = [{"Classification": "c", "Configurations": configurations}]
    cluster = {"Instances": {"InstanceCount": 1}, "Configurations": configurations}
    request = {"StepConfig": EMR["StepConfig"], "ClusterConfig": cluster}
    assert [p.code for p in request_problems("EMRStep", request)] == ["BF435"]
    joined: object = "x"
    for _ in range(5000):
        joined = {"Std:Join": {"On": "", "Values": [joined]}}
    assert found(T, ("HyperParameters", "depth"), joined).code == "BF432"


WRITTEN = {word for text in map(json.dumps, REQUESTS.values()) for word in re.findall(r'"(.*?)"', text)}
WORDS = st.sampled_from(sorted(WRITTEN | {"Std:Join", "Std:JsonGet", "On", "Values", "Path", "PropertyFile"}))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(), inner, max_size=4)
)


@given(operation=st.sampled_from(request_operations()), arguments=JSON)
@settings(max_examples=300)
def test_no_json_makes_it_raise_or_wait(operation, arguments):
    start = time.perf_counter()
    problems = [*request_problems(operation, arguments)]
    assert time.perf_counter() - start < 5
    assert all(re.fullmatch("BF43[0-5]", p.code) for p in problems)


@given(data=st.data(), value=JSON)
@settings(max_examples=300)
def test_the_quick_answer_is_that_of_the_long_one(data, value):
    operation = data.draw(st.sampled_from(sorted(REQUESTS)))
    path = data.draw(st.sampled_from([*_places(REQUESTS[operation])]))
    request = changed(operation, path, value)
    shape = request_shape(operation)
    assert fits(shape, request) == (not [*requests._problems(shape, request, ())])


def _places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, inner in inside:
        yield (*path, part)
        yield from _places(inner, (*path, part))


@given(data=st.data(), value=JSON)
@settings(max_examples=300)
def test_a_problem_of_a_changed_request_is_at_the_place_that_changed(data, value):
    operation = data.draw(st.sampled_from(sorted(REQUESTS)))
    path = data.draw(st.sampled_from([*_places(REQUESTS[operation])]))
    for problem in request_problems(operation, changed(operation, path, value)):
        common = min(len(path), len(problem.path))
        assert problem.path[:common] == path[:common]
