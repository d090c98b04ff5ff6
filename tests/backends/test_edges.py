"""Every backend keeps the graph: the edges that its artifact has are those of the IR, whatever the pipeline."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buzzflow import ir
from buzzflow.backends.backend import find_backend

BACKENDS = ("sagemaker", "local")
Pipelines = Callable[..., st.SearchStrategy[ir.Pipeline]]
Edges = dict[str, set[ir.Need]]


def definition_edges(definition: dict[str, Any]) -> Edges:
    """Read the edges of a pipeline definition: what it gets of other steps, its order, its nesting."""
    return dict(_nested_edges(definition["Steps"], condition=None))


def _nested_edges(steps: list[dict[str, Any]], condition: str | None) -> Iterator[tuple[str, set[ir.Need]]]:
    for step in steps:
        arguments = dict(step["Arguments"])
        branches = [arguments.pop(side, []) for side in ("IfSteps", "ElseSteps")]
        found = {ir.Need(other, ir.Because.REFERENCE) for other in _gets(arguments)}
        for order in step.get("DependsOn", ()):
            other, trigger = (order, "Completed") if isinstance(order, str) else (order["Step"], order["Trigger"])
            found.add(ir.Need(other, ir.Because.ORDER, ir.When(trigger.lower())))
        if condition is not None:
            found.add(ir.Need(condition, ir.Because.BRANCH))
        yield step["Name"], found
        for branch in branches:
            yield from _nested_edges(branch, step["Name"])


def _gets(data: object) -> Iterator[str]:
    """Yield the step of each `{"Get": "Steps.<name>.…"}`, also inside Std:Join and Std:JsonGet."""
    if isinstance(data, dict):
        if match := re.match(r"Steps\.([A-Za-z0-9_-]+)\.", str(data.get("Get", ""))):
            yield match[1]
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            yield from _gets(item)


def plan_lookups(data: object) -> Iterator[str]:
    """Yield the step of each expression of a run plan that looks something up in a step."""
    if isinstance(data, dict):
        if "get" in data and "step" in data:
            yield data["step"]
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            yield from plan_lookups(item)


def compiled(backend: str, pipeline: ir.Pipeline) -> Any:
    chosen = find_backend(backend)
    assert [d for d in chosen.check(pipeline) if d.is_error] == []
    return json.loads(chosen.compile(pipeline).content)


@given(data=st.data())
def test_a_pipeline_definition_has_exactly_the_edges_of_the_ir(data: st.DataObject, pipelines: Pipelines) -> None:
    pipeline = data.draw(pipelines(describe=True))
    edges = definition_edges(compiled("sagemaker", pipeline))
    assert edges == {step.name: set(step.needs) for step in pipeline.steps}


@given(data=st.data())
def test_each_step_of_a_definition_stands_on_its_side_of_its_condition(
    data: st.DataObject, pipelines: Pipelines
) -> None:
    pipeline = data.draw(pipelines(describe=True))

    def sides(steps: list[dict[str, Any]], branch: ir.Branch | None) -> Iterator[tuple[str, ir.Branch | None]]:
        for step in steps:
            yield step["Name"], branch
            for side, taken in (("IfSteps", True), ("ElseSteps", False)):
                yield from sides(step["Arguments"].get(side, []), ir.Branch(step["Name"], taken))

    found = list(sides(compiled("sagemaker", pipeline)["Steps"], None))
    assert sorted(found, key=str) == sorted(((s.name, s.branch) for s in pipeline.steps), key=str)


@given(data=st.data())
def test_a_run_plan_has_exactly_the_edges_of_the_ir(data: st.DataObject, pipelines: Pipelines) -> None:
    pipeline = data.draw(pipelines(describe=False))
    steps = compiled("local", pipeline)["steps"]
    needs = {
        step["name"]: {ir.Need(n["step"], ir.Because(n["because"]), ir.When(n["when"])) for n in step["needs"]}
        for step in steps
    }
    assert needs == {step.name: set(step.needs) for step in pipeline.steps}
    branches = {step["name"]: step["branch"] for step in steps}
    assert branches == {
        s.name: None if s.branch is None else {"condition": s.branch.condition, "taken": s.branch.taken}
        for s in pipeline.steps
    }


@given(data=st.data())
def test_an_expression_of_a_run_plan_looks_only_into_steps_that_its_step_needs(
    data: st.DataObject, pipelines: Pipelines
) -> None:
    pipeline = data.draw(pipelines(describe=False))
    for step in compiled("local", pipeline)["steps"]:
        needed = {n.step for n in pipeline.step(step["name"]).needs if n.because is ir.Because.REFERENCE}
        assert set(plan_lookups(step)) == needed


@settings(max_examples=25)
@given(data=st.data())
def test_every_step_of_an_artifact_comes_after_what_it_needs(data: st.DataObject, pipelines: Pipelines) -> None:
    pipeline = data.draw(pipelines(describe=False))
    seen: set[str] = set()
    for step in compiled("local", pipeline)["steps"]:
        assert {n["step"] for n in step["needs"]} <= seen
        seen.add(step["name"])
    assert len(definition_edges(compiled("sagemaker", pipeline))) == len(seen)


# ------------------------------------------------------------------ determinism


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=25)
@given(data=st.data())
def test_the_same_pipeline_compiles_to_the_same_bytes(backend: str, data: st.DataObject, pipelines: Pipelines) -> None:
    pipeline = data.draw(pipelines(describe=False))
    chosen = find_backend(backend)
    copy = pickle.loads(pickle.dumps(pipeline))
    assert chosen.compile(pipeline) == chosen.compile(pipeline) == chosen.compile(copy)


IN_ANOTHER_PROCESS = """
import pickle, sys
from buzzflow.backends.backend import find_backend
pipelines = pickle.load(sys.stdin.buffer)
found = [find_backend(name).compile(p).content for name in sys.argv[1:] for p in pipelines]
sys.stdout.buffer.write(pickle.dumps(found))
"""


@settings(max_examples=2)
@given(data=st.data())
def test_another_process_with_another_hash_seed_and_folder_compiles_the_same_bytes(
    data: st.DataObject, pipelines: Pipelines, tmp_path_factory: pytest.TempPathFactory
) -> None:
    drawn = data.draw(st.lists(pipelines(describe=False), min_size=5, max_size=10))
    here = [find_backend(name).compile(p).content for name in BACKENDS for p in drawn]
    for seed in ("1", "4242"):
        there = subprocess.run(
            [sys.executable, "-c", IN_ANOTHER_PROCESS, *BACKENDS],
            input=pickle.dumps(drawn),
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=tmp_path_factory.mktemp("elsewhere"),
            stdout=subprocess.PIPE,
            check=True,
        )
        assert pickle.loads(there.stdout) == here


PIPELINE = """
parameters: {day: "2026-01-01"}
defaults: {image: "docker.io/library/python:3.11"}
steps:
  extract:
    type: processing
    code: {entry_point: src/extract.py, include: [query/*.sql]}
    outputs: {data: {}, report: {json: m.json}}
  train:
    type: training
    code: train.py
    inputs: {data: "${step:extract.outputs.data}"}
    hyperparameters: {day: "${param:day}"}
"""
ENVIRONMENT = """
{name: research, account: "111122223333", region: eu-west-1, bucket: example-bucket,
 role: "arn:aws:iam::111122223333:role/R"}
"""


def checkout(root: Path) -> Path:
    project = root / "projects" / "research" / "delays"
    for name in ("src", "query", "__pycache__"):
        (project / name).mkdir(parents=True)
    (project / "pipeline.yaml").write_text(PIPELINE)
    (project.parent / "environment.yaml").write_text(ENVIRONMENT)
    (project / "src" / "extract.py").write_text("import helper\n")
    (project / "src" / "helper.py").write_text("")
    for name in ("b", "a", "c"):
        (project / "query" / f"{name}.sql").write_text(name)
    (project / "train.py").write_text("")
    return project


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_checkouts_compile_to_the_same_bytes(backend: str, tmp_path: Path) -> None:
    one, other = checkout(tmp_path / "one"), checkout(tmp_path / "other place" / "deeper")
    (other / "__pycache__" / "train.cpython-311.pyc").write_bytes(b"compiled")
    command = [str(Path(sys.executable).with_name("buzzflow")), "create", "--dry-run", "--json", "--backend", backend]
    places = ((one, one, "."), (other, tmp_path, str(other)))
    found = [
        subprocess.run(
            [*command, target], cwd=cwd, env={**os.environ, "PYTHONHASHSEED": str(n)}, capture_output=True, check=True
        ).stdout
        for n, (_, cwd, target) in enumerate(places)
    ]
    assert found[0] == found[1] != b""
    assert str(tmp_path).encode() not in found[0]
