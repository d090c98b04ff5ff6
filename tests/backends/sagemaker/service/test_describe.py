"""A path into a Describe response is spelled as a pipeline spells it, or told wrong where it is wrong."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buzzflow import ir
from buzzflow.backends.sagemaker import text
from buzzflow.backends.sagemaker.service import UnknownPath, describe_path
from buzzflow.backends.sagemaker.service.shapes import response_operations, response_shape

ROOT = Path(__file__).parents[4]
TEXT, NUMBER, BOOLEAN, UNKNOWN = ir.Kind.TEXT, ir.Kind.NUMBER, ir.Kind.BOOLEAN, ir.Kind.UNKNOWN
OUTPUT = "ProcessingOutputConfig.Outputs"


@pytest.mark.parametrize(
    ("operation", "path", "spelling", "kind"),
    [
        ("DescribeTrainingJob", "ModelArtifacts S3ModelArtifacts", "ModelArtifacts.S3ModelArtifacts", TEXT),
        ("DescribeTrainingJob", "FinalMetricDataList auc Value", "FinalMetricDataList['auc'].Value", NUMBER),
        ("DescribeTrainingJob", "FinalMetricDataList 0 Value", "FinalMetricDataList[0].Value", NUMBER),
        ("DescribeTrainingJob", "HyperParameters depth", "HyperParameters['depth']", TEXT),
        ("DescribeTrainingJob", "EnableManagedSpotTraining", "EnableManagedSpotTraining", BOOLEAN),
        ("DescribeTrainingJob", "CreationTime", "CreationTime", TEXT),
        ("DescribeTrainingJob", "ResourceConfig InstanceCount", "ResourceConfig.InstanceCount", NUMBER),
        ("DescribeProcessingJob", f"{OUTPUT} train S3Output S3Uri", f"{OUTPUT}['train'].S3Output.S3Uri", TEXT),
        ("DescribeProcessingJob", f"{OUTPUT} my-data S3Output S3Uri", f"{OUTPUT}['my-data'].S3Output.S3Uri", TEXT),
        ("DescribeProcessingJob", f"{OUTPUT} 0 OutputName", f"{OUTPUT}[0].OutputName", TEXT),
        ("DescribeProcessingJob", "Environment A_B", "Environment['A_B']", TEXT),
        ("DescribeModelPackage", "ModelPackageArn", "ModelPackageArn", TEXT),
        ("DescribeModel", "PrimaryContainer Environment 7", "PrimaryContainer.Environment['7']", TEXT),
        (
            "DescribeAutoMLJob",
            "BestCandidate InferenceContainers 0 Environment K",
            "BestCandidate.InferenceContainers[0].Environment['K']",
            TEXT,
        ),
        (
            "DescribeAutoMLJob",
            "BestCandidateProperties ModelInsightsJsonReportPath",
            "BestCandidateProperties.ModelInsightsJsonReportPath",
            TEXT,
        ),
        (
            "DescribeHyperParameterTuningJob",
            "BestTrainingJob FinalHyperParameterTuningJobObjectiveMetric Value",
            "BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value",
            NUMBER,
        ),
        (
            "DescribeHyperParameterTuningJob",
            "TrainingJobSummaries 0 TrainingJobName",
            "TrainingJobSummaries[0].TrainingJobName",
            TEXT,
        ),
        ("DescribeEndpoint", "ProductionVariants 0 CurrentWeight", "ProductionVariants[0].CurrentWeight", NUMBER),
        ("LambdaStep", "OutputParameters x", "OutputParameters['x']", UNKNOWN),
        ("CallbackStep", "OutputParameters x", "OutputParameters['x']", UNKNOWN),
        ("DescribeStep", "Config Args 3", "Config.Args[3]", TEXT),
        ("GetJobRun", "jobRun state", "jobRun.state", TEXT),
    ],
)
def test_a_path_is_spelled_as_the_service_spells_it(operation, path, spelling, kind):
    found = describe_path(operation, tuple(p for word in path.split() for p in _members(word)))
    assert (found.spelling, found.kind) == (spelling, kind)


def _members(word: str) -> list[str]:
    return word.split(".") if word == OUTPUT else [word]


@pytest.mark.parametrize(
    "path",
    [
        ("ModelArtifacts", "S3ModelArtifacts"),
        ("FinalMetricDataList", "val:auc", "Value"),
        ("HyperParameters", "learning rate"),
        ("SecondaryStatusTransitions", "0", "Status"),
    ],
)
def test_the_spelling_is_that_of_the_compiler(path):
    reference = ir.DescribeReference("train", path)
    steps = {"train": ir.Step("train", ir.Fail("never"))}
    assert text.say(reference, steps) == {"Get": f"Steps.train.{describe_path('DescribeTrainingJob', path).spelling}"}


@pytest.mark.parametrize(
    ("operation", "path", "summary", "hint"),
    [
        (
            "DescribeTrainingJob",
            ("ModelArtifact", "S3ModelArtifacts"),
            "DescribeTrainingJob has no 'ModelArtifact'",
            "did you mean 'ModelArtifacts'?",
        ),
        (
            "DescribeTrainingJob",
            ("ModelArtifacts", "S3"),
            "ModelArtifacts has no 'S3'",
            "ModelArtifacts has: S3ModelArtifacts",
        ),
        (
            "DescribeTrainingJob",
            ("FinalMetricDataList", "auc", "Values"),
            "FinalMetricDataList['auc'] has no 'Values'",
            "did you mean 'Value'?",
        ),
        (
            "DescribeTrainingJob",
            ("TrainingJobName", "Text"),
            "TrainingJobName is a single value and has no 'Text'",
            "end the path at TrainingJobName",
        ),
        (
            "DescribeTrainingJob",
            ("InputDataConfig", "train", "ChannelName"),
            "InputDataConfig is a list",
            "write a position instead of 'train': 0 is the first",
        ),
        (
            "DescribeTrainingJob",
            ("ModelArtifacts",),
            "ModelArtifacts is no single value",
            "go on with one of S3ModelArtifacts",
        ),
        (
            "DescribeTrainingJob",
            ("HyperParameters",),
            "HyperParameters is no single value",
            "go on with a key",
        ),
        (
            "DescribeProcessingJob",
            ("ProcessingInputs",),
            "ProcessingInputs is no single value",
            "go on with a position: 0 is the first",
        ),
        (
            "DescribeProcessingJob",
            ("Environment", "it's"),
            '"it\'s" cannot be looked up in Environment',
            "use a name without quotes",
        ),
        (
            "LambdaStep",
            ("OutputParameter", "x"),
            "LambdaStep has no 'OutputParameter'",
            "did you mean 'OutputParameters'?",
        ),
    ],
)
def test_a_wrong_part_is_told_with_what_is_right(operation, path, summary, hint):
    with pytest.raises(UnknownPath) as e:
        describe_path(operation, path)
    assert (e.value.summary, e.value.hint) == (summary, hint)


def test_an_empty_path_is_no_value():
    with pytest.raises(UnknownPath, match="DescribeModel is no single value"):
        describe_path("DescribeModel", ())


@given(operation=st.sampled_from(response_operations()), data=st.data())
def test_every_path_through_the_model_is_spelled_so_that_it_reads_back(operation, data):
    shape, path = response_shape(operation), []
    while shape.type in ("structure", "list", "map") and len(path) < 30:
        if shape.type == "structure":
            path.append(data.draw(st.sampled_from(sorted(shape.members))))
            shape = shape.part(shape.members[path[-1]])
        else:
            path.append(str(data.draw(st.integers(0, 9))))
            shape = shape.part(shape.member or shape.value)
    if shape.type in ("structure", "list", "map"):
        return
    spelling = describe_path(operation, tuple(path)).spelling
    assert re.findall(r"[A-Za-z0-9_]+", spelling) == path


@given(operation=st.sampled_from(response_operations()), path=st.lists(st.text() | st.sampled_from(["0", "Value"])))
def test_no_path_makes_it_raise_anything_else(operation, path):
    try:
        describe_path(operation, tuple(path))
    except UnknownPath as e:
        assert e.summary
