"""Framework images have the addresses that the SDK's data gives them."""

import json
from importlib.resources import files

import botocore.loaders
import pytest

from buzzflow import ir
from buzzflow.backends.sagemaker.images import UnknownImageError, framework_image_uri

DLC = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.fixture(scope="module")
def table():
    return json.loads((files("buzzflow.backends.sagemaker") / "framework_images.json").read_text())


@pytest.mark.parametrize(
    ("image", "instance", "uri"),
    [
        (
            ("sklearn", "1.4-2"),
            "ml.m5.large",
            "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3",
        ),
        (("xgboost", "1.7-1"), "ml.m5.large", "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"),
        (("pytorch", "2.1.0"), "ml.m5.large", f"{DLC}/pytorch-training:2.1.0-cpu-py310"),
        (("pytorch", "2.1"), "ml.g5.xlarge", f"{DLC}/pytorch-training:2.1.0-gpu-py310"),
        (("pytorch", "1.8.1", "py36"), "ml.p3.2xlarge", f"{DLC}/pytorch-training:1.8.1-gpu-py36"),
        (
            ("tensorflow", "2.19.0", None, "gpu"),
            ir.ParameterReference("t", ir.Kind.TEXT),
            f"{DLC}/tensorflow-training:2.19.0-gpu-py312",
        ),
        (
            ("huggingface", "4.56.2"),
            "ml.g5.xlarge",
            f"{DLC}/huggingface-pytorch-training:2.8.0-transformers4.56.2-gpu-py312-cu129-ubuntu22.04",
        ),
    ],
)
def test_a_framework_image_has_the_address_of_the_sdk(image, instance, uri):
    assert framework_image_uri(ir.FrameworkImage(*image), instance, "eu-west-1") == uri


def test_every_image_of_the_table_has_an_address_within_the_services_limit(table):
    for name, framework in table["frameworks"].items():
        for version, pythons in framework["versions"].items():
            for python, tags in pythons.items():
                for accelerator in {*tags} - {"registries"}:
                    wanted = [None if w == "any" else w for w in (python, accelerator)]
                    uri = framework_image_uri(ir.FrameworkImage(name, version, *wanted), "ml.m5.large", "us-east-1")
                    assert uri.endswith(f".dkr.ecr.us-east-1.amazonaws.com/{tags[accelerator]}")
                    assert len(uri) <= 255


def test_every_region_of_the_table_has_the_dns_suffix_of_its_partition(table):
    partitions = botocore.loaders.create_loader().load_data("endpoints")["partitions"]
    suffixes = {region: p["dnsSuffix"] for p in partitions for region in p["regions"]}
    regions = {region for accounts in table["registries"] for region in accounts} & {*suffixes}
    assert len(regions) > 30
    for region in regions:
        try:
            uri = framework_image_uri(ir.FrameworkImage("xgboost", "1.7-1"), "ml.m5.large", region)
        except UnknownImageError:  # a region that only newer images reach
            uri = framework_image_uri(ir.FrameworkImage("pytorch", "2.10.0"), "ml.m5.large", region)
        assert uri.partition("/")[0].endswith(f".dkr.ecr.{region}.{suffixes[region]}")


@pytest.mark.parametrize(
    ("image", "instance", "field", "hint"),
    [
        (("sklern", "1.4-2"), "ml.m5.large", "framework", "did you mean 'sklearn'?"),
        (("sklearn", "1.4"), "ml.m5.large", "version", "did you mean '1.4-2'?"),
        (("sklearn", "9"), "ml.m5.large", "version", "there are 0.23-1, 1.0-1, 1.2-1, 1.4-2, 1.4-2-py312, 1.9-0"),
        (("pytorch", "1.8.1"), "ml.m5.large", "python", "add python: one of py3, py36"),
        (("pytorch", "2.1.0", "py39"), "ml.m5.large", "python", "did you mean 'py310'?"),
        (
            ("sklearn", "1.4-2"),
            "ml.g5.xlarge",
            "accelerator",
            "there is one for cpu: choose such an instance type, or say accelerator: cpu",
        ),
        (
            ("pytorch", "2.1.0"),
            ir.ParameterReference("t", ir.Kind.TEXT),
            "accelerator",
            "add accelerator: one of cpu, gpu",
        ),
    ],
)
def test_an_unknown_image_says_what_there_is_instead(image, instance, field, hint):
    with pytest.raises(UnknownImageError) as caught:
        framework_image_uri(ir.FrameworkImage(*image), instance, "eu-west-1")
    assert (caught.value.field, caught.value.hint) == (field, hint)


def test_a_region_without_the_image_is_named():
    with pytest.raises(UnknownImageError, match="no image in region 'eu-west-9'"):
        framework_image_uri(ir.FrameworkImage("sklearn", "1.4-2"), "ml.m5.large", "eu-west-9")
