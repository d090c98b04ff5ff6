"""The pipelines that the benchmark gives to several tools are the same, and its comparison of definitions is strict."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from benchmarks.peers.definitions import compare
from benchmarks.peers.pipelines import From, jobs_of, write
from buzzflow import load

PEERS = Path(__file__).parents[2] / "benchmarks" / "peers"
SIZES = [2, 5, 10, 11, 50]


def _steps_of_module(text):
    """The first argument of every …Step(…) call."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return {c.args[0].value for c in calls if isinstance(c.func, ast.Name) and c.func.id.endswith("Step")}


def _edges(data):
    """Every `Steps.…` reference of a definition as (step, step that it refers to)."""
    steps = [*data["Steps"], *(s for step in data["Steps"] for s in step["Arguments"].get("ElseSteps", []))]
    found = {step["Name"]: json.dumps(step["Arguments"]) for step in steps if step["Type"] != "Condition"}
    return {(name, other) for name, text in found.items() for other in re.findall(r"Steps\.([\w-]+)\.", text)}


@pytest.mark.parametrize("steps", SIZES)
def test_every_form_has_the_same_steps_and_as_many_as_asked_for(tmp_path, steps):
    write(tmp_path, steps, "bench-x")
    ours = set(load(tmp_path).steps)
    rendered = yaml.safe_load((tmp_path / "common.yaml").read_text())["bench-x"]
    assert len(ours) == steps
    assert set(rendered) - {"name", "parameters", "property_files"} == ours
    assert _steps_of_module((tmp_path / "pipeline.py").read_text()) == ours


@pytest.mark.parametrize("steps", SIZES)
def test_every_step_refers_to_the_steps_that_the_plan_names(tmp_path, steps):
    data = load(write(tmp_path, steps, "bench-x")).compile().json()
    planned = {(job.name, s.step) for job in jobs_of(steps) for s in job.inputs.values() if isinstance(s, From)}
    assert planned
    assert _edges(data) == planned


def test_the_same_size_gives_the_same_files(tmp_path):
    one, two = write(tmp_path / "one", 10, "bench-x"), write(tmp_path / "two", 10, "bench-x")
    read = lambda folder: {f.relative_to(folder): f.read_bytes() for f in folder.rglob("*") if f.is_file()}  # noqa: E731
    assert read(one) == read(two)
    assert load(one).compile().content == load(two).compile().content


def test_one_step_is_no_pipeline_to_compare():
    with pytest.raises(ValueError, match="two steps or more"):
        jobs_of(1)


@pytest.fixture
def definition(tmp_path):
    return load(write(tmp_path, 10, "bench-x")).compile().json()


def test_a_definition_equals_itself_step_by_step(definition):
    definition["Steps"][0]["Arguments"] = dict(reversed(definition["Steps"][0]["Arguments"].items()))
    found = compare(json.dumps(definition), json.dumps(definition, sort_keys=True))
    assert (found.steps, sum(found.by_reason.values())) == ((10, 10), 0)
    assert found.same > 300


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("ProcessingResources", "ClusterConfig", "InstanceCount"), 2),
        (("NetworkConfig", "EnableNetworkIsolation"), True),
        (("ProcessingInputs", 0, "S3Input", "S3Uri"), "s3://other/"),
        (("Environment", "BUZZFLOW_STEP"), "other"),
    ],
)
def test_a_value_that_differs_without_a_known_reason_is_told(definition, place, value):
    theirs = json.loads(json.dumps(definition))
    inner = theirs["Steps"][0]["Arguments"]
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    found = compare(json.dumps(definition), json.dumps(theirs))
    assert len(found.unknown) == 1
    assert f"| {value}" in found.unknown[0]


def test_a_step_that_only_one_has_is_told(definition):
    theirs = {**definition, "Steps": definition["Steps"][1:]}
    found = compare(json.dumps(definition), json.dumps(theirs))
    assert found.steps == (10, 9)
    assert any("prepare-0" in line for line in found.unknown)


# ------------------------------------------------------------------ the scripts that are measured


def _measured(script, *arguments):
    command = [sys.executable, str(PEERS / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_what_is_emitted_from_the_ir_is_what_a_user_gets(tmp_path):
    folder = write(tmp_path / "bench", 5, "bench-x")
    told = json.loads(_measured("run_emit.py", tmp_path / "out.json", 2, folder))
    assert (len(told["cpu"]), told["problems"], told["calls"]) == (3, 0, {})
    assert (tmp_path / "out.json").read_bytes() == load(folder).compile().content


def test_many_pipelines_become_as_many_definitions(tmp_path):
    folders = [write(tmp_path / f"bench-{n}", 3, f"bench-{n}") for n in range(3)]
    (tmp_path / "out").mkdir()
    assert _measured("run_many.py", tmp_path / "out", *folders) == "3\n"
    for folder in folders:
        assert (tmp_path / "out" / f"{folder.name}.json").read_bytes() == load(folder).compile().content
