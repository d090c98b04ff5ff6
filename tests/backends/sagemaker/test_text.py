"""Every reference compiles to the path that the service knows."""

import pytest

from buzzflow import ir
from buzzflow.backends.sagemaker.text import say

NUMBER, TEXT, URI = ir.Kind.NUMBER, ir.Kind.TEXT, ir.Kind.URI


@pytest.fixture(scope="module")
def steps(make):
    outputs = (
        make.output("free"),
        make.output("folder", to="s3://b/o/"),
        make.output("bare", to="s3://b/o"),
        make.output("asked", to=ir.ParameterReference("to", URI)),
        make.output("joined", to=ir.Text((ir.ParameterReference("to", URI), "/x/"))),
    )
    condition = ir.Step("C", ir.Condition(ir.Comparison("==", "a", "a"), (), ()))
    return {s.name: s for s in (make.processing("P", outputs=outputs), make.training("T"), condition)}


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        (ir.ParameterReference("first_day", TEXT), "Parameters.first_day"),
        (ir.RunReference("id"), "Execution.PipelineExecutionId"),
        (ir.RunReference("arn"), "Execution.PipelineExecutionArn"),
        (ir.RunReference("pipeline"), "Execution.PipelineName"),
        (ir.RunReference("pipeline_arn"), "Execution.PipelineArn"),
        (ir.RunReference("start_time"), "Execution.StartDateTime"),
        (ir.RunReference("now"), "Execution.CurrentDateTime"),
        (ir.OutputReference("P", "free"), "Steps.P.ProcessingOutputConfig.Outputs['free'].S3Output.S3Uri"),
        (ir.OutputReference("T", "model"), "Steps.T.ModelArtifacts.S3ModelArtifacts"),
        (ir.PropertyReference("P", "job_name", TEXT), "Steps.P.ProcessingJobName"),
        (ir.PropertyReference("T", "model", URI), "Steps.T.ModelArtifacts.S3ModelArtifacts"),
        (ir.PropertyReference("T", "output_uri", URI), "Steps.T.OutputDataConfig.S3OutputPath"),
        (ir.PropertyReference("T", "job_name", TEXT), "Steps.T.TrainingJobName"),
        (ir.PropertyReference("T", "image", TEXT), "Steps.T.AlgorithmSpecification.TrainingImage"),
        (ir.PropertyReference("T", "metrics.a:b.c", NUMBER), "Steps.T.FinalMetricDataList['a:b.c'].Value"),
        (ir.PropertyReference("C", "outcome", TEXT), "Steps.C.Outcome"),
        (ir.DescribeReference("T", ("ModelArtifacts", "S3ModelArtifacts")), "Steps.T.ModelArtifacts.S3ModelArtifacts"),
        (ir.DescribeReference("T", ("InputDataConfig", "0", "ChannelName")), "Steps.T.InputDataConfig[0].ChannelName"),
        (
            ir.DescribeReference("T", ("FinalMetricDataList", "auc", "Value")),
            "Steps.T.FinalMetricDataList['auc'].Value",
        ),
        (ir.DescribeReference("T", ("Environment", "A.b")), "Steps.T.Environment['A.b']"),
    ],
)
def test_a_reference_is_a_get(steps, service_model, reference, path):
    assert say(reference, steps) == {"Get": path}
    types = {"P": "Processing", "T": "Training", "C": "Condition"}
    assert service_model._reference(path, types) is None


def test_a_value_of_a_report_is_a_json_get(steps):
    reference = ir.JsonReference("P", "report", ("folds", "0", "auc", "c-d"))
    file = {"Get": "Steps.P.PropertyFiles.report"}
    assert say(reference, steps) == {"Std:JsonGet": {"PropertyFile": file, "Path": "folds[0].auc['c-d']"}}


def test_text_around_references_is_joined_with_nothing(steps):
    p = ir.ParameterReference("p", NUMBER)
    assert say(ir.Text(("a ", p, "", "/b")), steps) == {
        "Std:Join": {"On": "", "Values": ["a ", {"Get": "Parameters.p"}, "/b"]}
    }
    assert say(ir.Text((p,)), steps) == {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.p"}]}}


@pytest.mark.parametrize(
    ("reference", "after"),
    [
        (ir.OutputReference("P", "free"), "x.csv"),
        (ir.OutputReference("P", "folder"), "x.csv"),
        (ir.OutputReference("P", "joined"), "x.csv"),
        (ir.OutputReference("P", "bare"), "/x.csv"),
        (ir.OutputReference("P", "asked"), "/x.csv"),
        (ir.PropertyReference("T", "output_uri", URI), "x.csv"),
        (ir.PropertyReference("T", "model", URI), "/x.csv"),
        (ir.ParameterReference("p", TEXT), "/x.csv"),
    ],
)
def test_a_join_makes_no_second_slash_after_a_folder(steps, reference, after):
    joined = say(ir.Text((reference, "/x.csv")), steps)
    assert joined["Std:Join"]["Values"][1] == after
