"""What processing and training jobs compile to, where tests/conformance cannot say it: the SDK has no such words."""

import pytest

from buzzflow import ir

CODE_CHANNEL = {
    "ChannelName": "code",
    "DataSource": {
        "S3DataSource": {
            "S3DataType": "S3Prefix",
            "S3Uri": f"s3://example-bucket/buzzflow/code/{'0' * 64}/",
            "S3DataDistributionType": "FullyReplicated",
        }
    },
    "InputMode": "File",
}


def test_code_of_a_processing_step_is_its_last_input(compiled_step, make):
    step = compiled_step(make.processing(code=make.code, inputs=(make.input("raw", "s3://b/raw/"),)))
    raw, code = step["Arguments"]["ProcessingInputs"]
    assert raw["InputName"] == "raw"
    assert code["InputName"] == "code"
    assert code["S3Input"]["S3Uri"] == f"s3://example-bucket/buzzflow/code/{'0' * 64}/"
    assert code["S3Input"]["LocalPath"] == "/opt/ml/processing/input/code"
    assert step["Arguments"]["AppSpecification"]["ContainerEntrypoint"] == [
        *("/bin/sh", "/opt/ml/processing/input/code/entry.sh", "python3", "src/main.py"),
    ]


def test_code_of_a_training_step_is_its_last_channel_and_always_files(compiled_step, make):
    data = ir.Input("train", "s3://b/train/", "/opt/ml/input/data/train")
    step = compiled_step(make.training(code=make.code, inputs=(data,), input_mode="pipe"))
    train, code = step["Arguments"]["InputDataConfig"]
    assert train["InputMode"] == "Pipe"
    assert code == CODE_CHANNEL
    algorithm = step["Arguments"]["AlgorithmSpecification"]
    assert algorithm["TrainingInputMode"] == "Pipe"
    assert algorithm["ContainerEntrypoint"][1] == "/opt/ml/input/data/code/entry.sh"


def test_words_of_inputs_and_outputs_become_the_services(compiled_step, make):
    raw = make.input("raw", "s3://b/", data_type="manifest", distribution="shard", mode="pipe", compression="gzip")
    step = compiled_step(make.processing(inputs=(raw,), outputs=(make.output("o", upload="continuous"),)))
    s3 = step["Arguments"]["ProcessingInputs"][0]["S3Input"]
    assert (s3["S3DataType"], s3["S3InputMode"]) == ("ManifestFile", "Pipe")
    assert (s3["S3DataDistributionType"], s3["S3CompressionType"]) == ("ShardedByS3Key", "Gzip")
    assert step["Arguments"]["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3UploadMode"] == "Continuous"


def test_an_output_without_address_goes_to_a_folder_of_this_run(compiled_step, make):
    step = compiled_step(make.processing("extract", outputs=(make.output("train"),)))
    start = "s3://example-bucket/research/research-delays/"
    values = [start, {"Get": "Execution.PipelineExecutionId"}, "/extract/train/"]
    output = step["Arguments"]["ProcessingOutputConfig"]["Outputs"][0]
    assert output["S3Output"]["S3Uri"] == {"Std:Join": {"On": "", "Values": values}}


def test_a_model_and_checkpoints_without_address_go_to_folders_of_this_run(compiled_step, make):
    step = compiled_step(make.training("fit", checkpoints=ir.Checkpoints("/opt/ml/checkpoints")))
    model = step["Arguments"]["OutputDataConfig"]["S3OutputPath"]["Std:Join"]["Values"]
    checkpoints = step["Arguments"]["CheckpointConfig"]["S3Uri"]["Std:Join"]["Values"]
    assert (model[-1], checkpoints[-1]) == ("/fit/model/", "/fit/checkpoints/")
    assert model[1] == checkpoints[1] == {"Get": "Execution.PipelineExecutionId"}


def test_training_stops_after_a_day_unless_it_says_otherwise(compiled_step, make):
    def stopping(**fields):
        return compiled_step(make.training(**fields))["Arguments"]["StoppingCondition"]

    seconds = ir.ParameterReference("seconds", ir.Kind.NUMBER)
    kept = ir.Checkpoints("/opt/ml/checkpoints")
    assert stopping() == {"MaxRuntimeInSeconds": 86_400}
    assert stopping(timeout=seconds) == {"MaxRuntimeInSeconds": {"Get": "Parameters.seconds"}}
    spot = stopping(spot=ir.Spot(600), checkpoints=kept)
    assert spot == {"MaxRuntimeInSeconds": 86_400, "MaxWaitTimeInSeconds": 87_000}


def test_processing_without_timeout_sends_none(compiled_step, make):
    assert "StoppingCondition" not in compiled_step(make.processing())["Arguments"]


def test_a_training_can_keep_its_machines_and_measure_metrics(compiled_step, make):
    step = compiled_step(make.training(instance=ir.Instance(keep_alive=600), metrics=(("auc", "auc=(.*)"),)))
    assert step["Arguments"]["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 600
    assert step["Arguments"]["AlgorithmSpecification"]["MetricDefinitions"] == [{"Name": "auc", "Regex": "auc=(.*)"}]


@pytest.mark.parametrize("kind", ["processing", "training"])
def test_a_network_without_subnets_only_isolates(compiled_step, make, kind):
    arguments = compiled_step(getattr(make, kind)(network=ir.Network(isolation=True)))["Arguments"]
    network = arguments.get("NetworkConfig", arguments)
    assert network["EnableNetworkIsolation"] is True
    assert network["EnableInterContainerTrafficEncryption"] is False
    assert "VpcConfig" not in network


@pytest.mark.parametrize("kind", ["processing", "training"])
def test_what_a_job_does_not_say_is_not_sent(compiled_step, make, kind):
    arguments = compiled_step(getattr(make, kind)())["Arguments"]
    assert not {"Environment", "NetworkConfig", "VpcConfig", "Tags", "InputDataConfig", "ProcessingInputs"} & {
        *arguments
    }
    assert "CheckpointConfig" not in arguments
    assert "EnableManagedSpotTraining" not in arguments
