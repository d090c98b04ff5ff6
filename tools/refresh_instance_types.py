"""Write `names.json`: the instance types of each kind of job, from botocore's service model.

python tools/refresh_instance_types.py --date 2026-11-22
"""

from __future__ import annotations

import argparse
import json
import re
from datetime import date
from pathlib import Path

import botocore
import botocore.loaders

TARGET = Path(__file__).parents[1] / "buzzflow/instances/names.json"
SHAPES = {
    "processing": "ProcessingInstanceType",
    "training": "TrainingInstanceType",
    "transform": "TransformInstanceType",
}


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--date", type=date.fromisoformat, default=date.today(), help="the day to write into the file")
    arguments = parser.parse_args()
    head = {"source": "botocore", "version": botocore.__version__, "date": str(arguments.date)}
    table = {**head, **instance_types()}
    text = json.dumps(table, indent=1)
    TARGET.write_text(re.sub(r"\[[^]]*\]", lambda sizes: re.sub(r"\s+", " ", sizes[0]), text) + "\n", "utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


def instance_types() -> dict[str, dict[str, list[str]]]:
    """Return the sizes of every family, for each kind of job: `{"training": {"ml.m5": ["large", …]}}`."""
    shapes = botocore.loaders.create_loader().load_service_model("sagemaker", "service-2")["shapes"]
    found: dict[str, dict[str, list[str]]] = {}
    for job, shape in SHAPES.items():
        families = found.setdefault(job, {})
        for name in sorted(shapes[shape]["enum"]):
            family, _, size = name.rpartition(".")
            families.setdefault(family, []).append(size)
    return found


if __name__ == "__main__":
    main()
