"""What SageMaker would refuse is found before anything is sent, with the place and the way out."""

from dataclasses import replace

import botocore.loaders
import pytest

from buzzflow import ir
from buzzflow.backends.sagemaker import backend, limits
from buzzflow.diagnostics import Severity

RUN = ("true",)
TYPE = ir.ParameterReference("t", ir.Kind.TEXT)


def many(number):
    return range(number)


def test_the_example_has_no_problem(example):
    assert [*backend.check(example)] == []


@pytest.mark.parametrize(
    ("missing", "fields"),
    [
        ("bucket", {"outputs": (ir.Output("o", "/o"),)}),
        ("region", {"image": ir.FrameworkImage("sklearn", "1.4-2")}),
        ("role", {"role": None}),
    ],
)
def test_what_the_environment_must_name_is_asked_for_once(problem, make, missing, fields):
    environment = replace(make.environment, **{missing: None} if missing != "role" else {})
    steps = (make.processing("a", **fields), make.processing("b", **fields))
    found = problem(*steps, environment=environment)
    assert (found.code, found.path) == ("BF401", ("steps", "a"))
    assert found.summary.startswith(f"step 'a' needs a {missing}, and there is none")
    assert found.hint.startswith(f"add to environment.yaml: {missing}: ")


def test_a_pipeline_without_environment_needs_one_only_for_what_it_uses(make):
    bare = make.pipeline(make.processing(entrypoint=RUN), environment=None)
    assert [*backend.check(bare)] == []
    with_code = make.pipeline(make.processing(code=make.code), environment=None)
    assert [d.code for d in backend.check(with_code)] == ["BF401"]


def test_a_training_needs_a_bucket_for_its_model_unless_it_says_where_it_goes(problem, make):
    environment = replace(make.environment, bucket=None)
    assert problem(make.training(), environment=environment).code == "BF401"
    model = (ir.Output("model", "/opt/ml/model", "s3://b/m/"),)
    assert [*backend.check(make.pipeline(make.training(outputs=model), environment=environment))] == []


# code, end of the path, what the step has
PROCESSING = [
    ("BF402", ("image", "framework"), {"image": ir.FrameworkImage("sklern", "1.4-2")}),
    ("BF403", ("image", "version"), {"image": ir.FrameworkImage("sklearn", "1.4")}),
    (
        "BF403",
        ("image", "accelerator"),
        {"image": ir.FrameworkImage("pytorch", "2.1.0"), "instance": ir.Instance(TYPE)},
    ),
    ("BF405", ("instance", "type"), {"instance": ir.Instance("m5.xlarge")}),
    ("BF405", ("instance", "type"), {"instance": ir.Instance("ml.m5.3xlarge")}),
    ("BF410", ("inputs",), {"inputs": tuple(ir.Input(f"i{i}", "s3://b/", "/i") for i in many(11))}),
    ("BF410", ("outputs",), {"outputs": tuple(ir.Output(f"o{i}", "/o") for i in many(11))}),
    ("BF410", ("arguments",), {"arguments": ("x",) * 101}),
    ("BF411", ("arguments", 1), {"arguments": ("x", "y" * 257)}),
    ("BF411", ("arguments", 0), {"arguments": (ir.Text(("y" * 257, TYPE)),)}),
    ("BF415", ("arguments", 0), {"arguments": ("a\nb",)}),
    ("BF411", ("entrypoint", 0), {"entrypoint": ("y" * 257,)}),
    ("BF410", ("environment_variables",), {"environment": tuple((f"V{i}", "1") for i in many(101))}),
    ("BF411", ("environment_variables", "A"), {"environment": (("A", "x" * 257),)}),
    ("BF412", ("instance", "keep_alive"), {"instance": ir.Instance(keep_alive=60)}),
    ("BF412", ("inputs", "i", "mode"), {"inputs": (ir.Input("i", "s3://b/", "/i", mode="fast_file"),)}),
    (
        "BF412",
        ("inputs", "i", "data_type"),
        {"inputs": (ir.Input("i", "s3://b/", "/i", data_type="augmented_manifest"),)},
    ),
    ("BF412", ("inputs", "i", "content_type"), {"inputs": (ir.Input("i", "s3://b/", "/i", "text/csv"),)}),
    ("BF412", ("inputs", "i", "compression"), {"inputs": (ir.Input("i", "s3://b/", "/i", compression="gzip"),)}),
    ("BF418", ("inputs", "i", "from"), {"inputs": (ir.Input("i", "./data", "/i"),)}),
    ("BF418", ("outputs", "o", "to"), {"outputs": (ir.Output("o", "/o", ir.Text(("gs://", TYPE))),)}),
    ("BF410", ("network", "subnets"), {"network": ir.Network(("s",) * 17, ("g",))}),
    ("BF410", ("network", "security_group_ids"), {"network": ir.Network(("s",), ("g",) * 6)}),
    ("BF412", ("network",), {"network": ir.Network(("s",))}),
    ("BF410", ("tags",), {"tags": tuple((f"k{i}", "v") for i in many(51))}),
    ("BF411", ("tags", "k"), {"tags": (("k", "v" * 257),)}),
    ("BF416", ("instance", "count"), {"instance": ir.Instance(count=101)}),
    ("BF416", ("instance", "volume_size_gb"), {"instance": ir.Instance(volume_size_gb=0)}),
    ("BF416", ("timeout",), {"timeout": 777_601}),
    ("BF415", ("role",), {"role": "my-role"}),
    ("BF411", ("image",), {"image": ir.ImageUri("111122223333.dkr.ecr.eu-west-1.amazonaws.com/" + "i" * 255)}),
    ("BF411", ("description",), {"step": {"description": "d" * 3073}}),
    ("BF411", ("display_name",), {"step": {"display_name": "d" * 257}}),
    ("BF417", ("retry", 0, "errors"), {"step": {"retry": (ir.Retry(("throtling",), max_attempts=1),)}}),
    ("BF416", ("retry", 0, "max_attempts"), {"step": {"retry": (ir.Retry(("throttling",), max_attempts=21),)}}),
    ("BF416", ("retry", 0, "give_up_after"), {"step": {"retry": (ir.Retry(("throttling",), give_up_after=864_001),)}}),
]
TRAINING = [
    ("BF410", ("inputs",), {"inputs": tuple(ir.Input(f"i{i}", "s3://b/", "/i") for i in many(21))}),
    ("BF411", ("environment_variables", "A"), {"environment": (("A", "x" * 513),)}),
    ("BF410", ("hyperparameters",), {"hyperparameters": tuple((f"h{i}", "1") for i in many(101))}),
    ("BF411", ("hyperparameters", "h"), {"hyperparameters": (("h", "1" * 2501),)}),
    ("BF415", ("hyperparameters", "h"), {"hyperparameters": (("h", "1\n2"),)}),
    ("BF410", ("metrics",), {"metrics": tuple((f"m{i}", "x") for i in many(41))}),
    ("BF411", ("metrics", "m"), {"metrics": (("m", "x" * 501),)}),
    ("BF416", ("instance", "keep_alive"), {"instance": ir.Instance(keep_alive=21_601)}),
    ("BF418", ("checkpoints", "to"), {"checkpoints": ir.Checkpoints("/c", "./c")}),
    (
        "BF413",
        ("timeout",),
        {
            "timeout": ir.ParameterReference("s", ir.Kind.NUMBER),
            "spot": ir.Spot(60),
            "checkpoints": ir.Checkpoints("/opt/ml/checkpoints"),
        },
    ),
]


@pytest.mark.parametrize(("code", "path", "fields"), PROCESSING)
def test_what_a_processing_job_cannot_be_is_an_error_at_its_place(problem, make, code, path, fields):
    found = problem(make.processing("a", **fields))
    assert (found.code, found.path, found.severity) == (code, ("steps", "a", *path), Severity.ERROR)


@pytest.mark.parametrize(("code", "path", "fields"), TRAINING)
def test_what_a_training_job_cannot_be_is_an_error_at_its_place(problem, make, code, path, fields):
    found = problem(make.training("a", **fields))
    assert (found.code, found.path, found.severity) == (code, ("steps", "a", *path), Severity.ERROR)


def test_the_code_of_a_step_is_one_of_its_ten_inputs(problem, make):
    inputs = tuple(make.input(f"i{i}", "s3://b/") for i in many(10))
    assert "(one is its code)" in problem(make.processing(code=make.code, inputs=inputs)).summary
    assert [*backend.check(make.pipeline(make.processing(inputs=inputs)))] == []


def test_two_inputs_whose_names_become_one_variable_are_an_error(problem, make):
    inputs = (make.input("a-b", "s3://b/"), make.input("a.b", "s3://b/"))
    found = problem(make.processing("p", code=make.code, inputs=inputs))
    assert (found.code, found.path) == ("BF419", ("steps", "p"))


@pytest.mark.parametrize("image", ["python:3.11", "public.ecr.aws/docker/library/python:3.11"])
def test_an_image_that_is_not_in_ecr_is_a_warning(problem, make, image):
    found = problem(make.processing("a", image=ir.ImageUri(image)))
    assert (found.code, found.path, found.severity) == ("BF404", ("steps", "a", "image"), Severity.WARNING)


def test_a_family_of_instances_that_nobody_knows_yet_is_only_a_warning(problem, make):
    found = problem(make.processing(instance=ir.Instance("ml.m99.xlarge")))
    assert (found.code, found.severity) == ("BF405", Severity.WARNING)


def test_an_instance_type_without_its_prefix_is_completed(problem, make):
    assert problem(make.processing(instance=ir.Instance("m5.xlarge"))).hint == "did you mean 'ml.m5.xlarge'?"


def test_spot_without_checkpoints_is_a_warning(problem, make):
    found = problem(make.training("a", spot=ir.Spot(60)))
    assert (found.code, found.path, found.severity) == ("BF413", ("steps", "a", "spot"), Severity.WARNING)


@pytest.mark.parametrize(
    ("code", "path", "fields"),
    [
        ("BF415", ("name",), {"name": "flight_delays"}),
        ("BF411", ("name",), {"name": "a" * 248}),
        ("BF411", ("description",), {"description": "d" * 3073}),
        ("BF415", ("parameters", "p.q"), {"parameters": (ir.Parameter("p.q", "string"),)}),
    ],
)
def test_a_pipeline_has_names_that_the_service_takes(problem, code, path, fields):
    found = problem(**fields)
    assert (found.code, found.path) == (code, path)


def test_a_step_has_a_name_that_the_service_takes(problem, make):
    assert problem(make.processing("a.b")).path == ("steps", "a.b")


def test_a_definition_that_is_too_big_is_an_error(problem, make):
    steps = [make.processing(f"s{i}", arguments=("x" * 256,) * 100) for i in many(40)]
    assert problem(*steps).code == "BF414"


@pytest.mark.parametrize(
    ("shape", "limit"),
    [
        ("ProcessingInputs", limits.PROCESSING.inputs),
        ("InputDataConfig", limits.TRAINING.inputs),
        ("ProcessingEnvironmentValue", limits.PROCESSING.variable),
        ("TrainingEnvironmentValue", limits.TRAINING.variable),
        ("ProcessingInstanceCount", limits.PROCESSING.count[1]),
        ("ProcessingVolumeSizeInGB", limits.PROCESSING.volume[1]),
        ("ProcessingMaxRuntimeInSeconds", limits.PROCESSING.timeout[1]),
        ("ProcessingOutputs", limits.OUTPUTS),
        ("ContainerArguments", limits.WORDS),
        ("TrainingContainerEntrypoint", limits.WORDS),
        ("ContainerArgument", limits.WORD),
        ("TrainingContainerArgument", limits.WORD),
        ("ProcessingEnvironmentMap", limits.VARIABLES),
        ("TrainingEnvironmentMap", limits.VARIABLES),
        ("Subnets", limits.SUBNETS),
        ("VpcSecurityGroupIds", limits.SECURITY_GROUPS),
        ("TagList", limits.TAGS),
        ("TagKey", limits.TAG_KEY),
        ("TagValue", limits.TAG_VALUE),
        ("HyperParameters", limits.HYPERPARAMETERS),
        ("HyperParameterKey", limits.HYPERPARAMETER_KEY),
        ("HyperParameterValue", limits.HYPERPARAMETER),
        ("MetricDefinitionList", limits.METRICS),
        ("MetricName", limits.METRIC_NAME),
        ("MetricRegex", limits.REGEX),
        ("KeepAlivePeriodInSeconds", limits.KEEP_ALIVE),
        ("S3Uri", limits.URI),
        ("ImageUri", limits.IMAGE),
        ("AlgorithmImage", limits.IMAGE),
        ("ChannelName", limits.CHANNEL),
    ],
)
def test_a_limit_is_that_of_the_service(service_model, shape, limit):
    assert service_model.service().shape_for(shape).metadata["max"] == limit


def test_botocore_knows_every_instance_type_of_the_table():
    shapes = botocore.loaders.create_loader().load_service_model("sagemaker", "service-2")["shapes"]
    from buzzflow.instances.names import _families

    for kind, shape in (("processing", "ProcessingInstanceType"), ("training", "TrainingInstanceType")):
        names = {f"{family}.{size}" for family, sizes in _families(kind).items() for size in sizes}
        assert names <= {*shapes[shape]["enum"]}
