"""What processing and training jobs compile to; the SDK's own output is the measure where it has the feature."""

import json
from pathlib import Path

import pytest

from buzzflow import ir

SDK = Path(__file__).parent / "sdk-3.27.0"
INPUT_DATA = ir.ParameterReference("InputData", ir.Kind.TEXT)
KEY = "arn:aws:kms:eu-west-1:111122223333:key/abc"
RETRIES = (
    ir.Retry(("throttling", "service_fault"), interval=5, max_attempts=3),
    ir.Retry(("resource_limit", "job_internal_error", "capacity_error"), interval=60, give_up_after=7200),
)
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


def sdk(name):
    """Read a step as the SDK wrote it, joined the way that this compiler joins: with the slashes in the literals."""

    def joined(value):
        match value:
            case {"Std:Join": {"On": "/", "Values": [first, dict() as reference, last]}}:
                return {"Std:Join": {"On": "", "Values": [f"{first}/", reference, f"/{last}"]}}
            case dict():
                return {k: joined(v) for k, v in value.items()}
            case list():
                return [joined(v) for v in value]
        return value

    return joined(json.loads((SDK / f"{name}.json").read_text()))


def sdk_preprocess(make):
    code = sdk("processing")["Arguments"]["ProcessingInputs"][1]["S3Input"]["S3Uri"]
    test = ir.Text(("s3://bucket/out/", ir.RunReference("id"), "/test"))
    return make.processing(
        "Preprocess",
        entrypoint=("python3", "/opt/ml/processing/input/code/pre.py"),
        arguments=("--in", INPUT_DATA),
        environment=(("A", "1"), ("IN", INPUT_DATA)),
        inputs=(make.input("raw", INPUT_DATA, path="/opt/ml/processing/input"), make.input("code", code)),
        outputs=(
            make.output("train", to="s3://bucket/out/train", path="/opt/ml/processing/train"),
            make.output("test", to=test, path="/opt/ml/processing/test"),
        ),
        instance=ir.Instance(count=ir.ParameterReference("InstanceCount", ir.Kind.NUMBER), volume_size_gb=50),
        network=ir.Network(("subnet-1",), ("sg-1",), encrypt_traffic=True),
        encryption=ir.Encryption(KEY, KEY),
        timeout=3600,
        tags=(("team", "ml"),),
        step={"display_name": "Pre", "description": "d", "retry": RETRIES, "cache": ir.Cache(expire_after=2_592_000)},
    )


def sdk_train(make):
    given = sdk("training")["Arguments"]
    code = [c["DataSource"]["S3DataSource"]["S3Uri"] for c in given["InputDataConfig"][1:]]
    return make.training(
        "Train",
        entrypoint=("/bin/bash",),
        arguments=tuple(given["AlgorithmSpecification"]["ContainerArguments"]),
        hyperparameters=(("max_depth", "5"), ("eta", "0.2"), ("obj", "reg:linear")),
        inputs=(
            ir.Input("train", ir.OutputReference("Preprocess", "train"), "/opt/ml/input/data/train", "text/csv"),
            ir.Input("code", code[0], "/opt/ml/input/data/code"),
            ir.Input("sm_drivers", code[1], "/opt/ml/input/data/sm_drivers"),
        ),
        outputs=(ir.Output("model", "/opt/ml/model", "s3://bucket/model"),),
        instance=ir.Instance(volume_size_gb=50),
        network=ir.Network(("subnet-1",), ("sg-1",), encrypt_traffic=True),
        encryption=ir.Encryption(KEY, KEY),
        environment=(("A", "1"),),
        timeout=3600,
        tags=(("team", "ml"),),
        spot=ir.Spot(3600),
        checkpoints=ir.Checkpoints("/opt/ml/checkpoints", "s3://bucket/ckpt"),
        step={"retry": RETRIES, "cache": ir.Cache(expire_after=2_592_000)},
    )


def test_a_processing_step_is_as_the_sdk_writes_it(compiled_step, make):
    assert compiled_step(sdk_preprocess(make)) == sdk("processing")


def test_a_training_step_is_as_the_sdk_writes_it(compiled_step, make):
    assert compiled_step(sdk_preprocess(make), sdk_train(make)) == sdk("training")


def test_a_report_is_a_property_file_as_the_sdk_writes_it(compiled_step, make):
    report = ir.JsonFile("EvalReport", "evaluation.json")
    step = compiled_step(make.processing(outputs=(make.output("evaluation", reports=(report,)),)))
    assert step["PropertyFiles"] == sdk("report")["PropertyFiles"]


def test_members_stand_in_the_order_of_the_sdk(compiled_step, make):
    steps = (sdk_preprocess(make), sdk_train(make))
    for step, name in ((compiled_step(steps[0]), "processing"), (compiled_step(*steps), "training")):
        assert [*step] == [*sdk(name)]
        assert [*step["Arguments"]] == [*sdk(name)["Arguments"]]


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
