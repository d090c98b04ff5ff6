"""Every table says where it comes from, in one way, and when it is too old to be trusted."""

import json
import subprocess
import sys
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

from buzzflow.backends.sagemaker.tables import TABLES, provenances
from buzzflow.instances.tables import NAMES, PRICES
from buzzflow.tables import Provenance

ROOT = Path(__file__).parents[3]


def test_every_table_that_is_shipped_says_where_it_comes_from():
    package = files("buzzflow.backends.sagemaker")
    shipped = {
        file.name
        for folder in (package, package / "service", files("buzzflow.instances"))
        for file in folder.iterdir()
        if file.name.endswith(".json")
    }
    assert shipped == {Path(table.file).name for table in TABLES}
    for table in TABLES:
        found = table.provenance()
        assert found.source
        assert found.version[0].isalnum()
        assert found.date.year >= 2026


def test_the_hardware_has_a_source_of_its_own():
    assert [p.table for p in provenances()] == [*(table.name for table in TABLES), "instance hardware"]


def test_a_table_is_old_after_180_days():
    table = PRICES.provenance()
    day = lambda days: table.date + timedelta(days)  # noqa: E731
    assert [table.is_old(day(days)) for days in (0, 179, 180, 181)] == [False, False, False, True]
    assert table.age(day(181)) == 181
    assert isinstance(table, Provenance)


def test_the_table_of_prices_is_small_and_quick():
    text = (files(PRICES.package) / PRICES.file).read_bytes()
    assert len(text) < 400_000
    timed = """
import json, sys, time
text = open(sys.argv[1]).read()
begun = time.process_time()
json.loads(text)
print(time.process_time() - begun)
"""
    path = str(files(PRICES.package) / PRICES.file)
    seconds = min(
        float(subprocess.run([sys.executable, "-c", timed, path], capture_output=True, check=True).stdout)
        for _ in range(3)
    )
    assert seconds < 0.005


def test_prices_stand_in_the_order_of_the_types():
    table = PRICES.read()
    assert [len(prices) for prices in table["prices"].values()] == [len(table["types"])] * len(table["prices"])
    names = NAMES.read()
    known = {
        f"{family}.{size}"
        for kind in ("processing", "training", "transform")
        for family, sizes in names[kind].items()
        for size in sizes
    }
    assert known <= table["types"].keys()


def test_make_refresh_data_runs_every_tool():
    recipe = (ROOT / "Makefile").read_text().partition("refresh-data: ")[2].partition("\n\n")[0]
    tools = {"refresh_framework_images", "refresh_service_model", "refresh_instance_types", "refresh_instances"}
    assert all(f"tools/{tool}.py" in recipe for tool in tools)
    assert all((ROOT / "tools" / f"{tool}.py").is_file() for tool in tools)
    assert json.loads((ROOT / "buzzflow/instances/prices.json").read_text())["date"]
