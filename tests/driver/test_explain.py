"""Where a value comes from: every place that gives one, from the highest to the lowest."""

from __future__ import annotations

from pathlib import Path

import pytest

from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.explain import explain
from buzzflow.views.explained import as_data, values

BASE = """\
defaults:
  instance: {count: 2}
steps:
  train:
    timeout: 1h
    instance: {type: ml.m5.large}
"""
PIPELINE = """\
extends: base.yaml
variables: {size: "${variables.family}.xlarge", family: ml.m5, broken: "${variables.nothing}"}
parameters: {rate: 0.1}
defaults:
  by_type: {training: {instance: {type: ml.m4.xlarge}}}
  instance: {type: ml.m5.2xlarge}
steps:
  train:
    type: training
    code: a.py
    instance: {type: "${variables.size}"}
    metrics: {a.b: 'x=(.*)'}
    arguments: [--rate, "${param:rate}"]
    environment_variables: {DB_PASSWORD: hunter2}
    tags: {x: "${variables.nothing}"}
"""
ENVIRONMENT = """\
name: research
bucket: ${name}-ml
network: {subnets: [s-1], security_group_ids: [g-1]}
defaults: {by_type: {training: {instance: {type: ml.c5.xlarge}}}, instance: {type: ml.t3.medium}, timeout: 3h}
"""
LADDER = """\
steps.train.instance.type: ml.m5.xlarge

> step                   ${variables.size}  pipeline.yaml:11:22
  step                   ml.m5.large        base.yaml:6:22
  defaults, training     ml.m4.xlarge       pipeline.yaml:5:41
  defaults               ml.m5.2xlarge      pipeline.yaml:6:20
  environment, training  ml.c5.xlarge       environment.yaml:4:50
  environment            ml.t3.medium       environment.yaml:4:84
  built-in               ml.m5.xlarge

  ${variables.size}    ${variables.family}.xlarge  pipeline.yaml:2:19
  ${variables.family}  ml.m5                       pipeline.yaml:2:57"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    for name, text in {"base": BASE, "pipeline": PIPELINE, "environment": ENVIRONMENT}.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "pipeline.local.yaml").write_text("steps: {train: {timeout: 5m}}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(key: str, *settings: str, local: bool = False) -> str:
    return values(explain(Path(), key, settings=settings, local=local))


def refused(key: str) -> Diagnostic:
    with pytest.raises(PipelineError) as caught:
        explain(Path(), key)
    [found] = caught.value.diagnostics
    return found


def test_the_whole_ladder_is_told_from_the_top_with_what_is_written(folder: Path) -> None:
    assert told("steps.train.instance.type") == LADDER


def test_layers_of_a_local_run_and_settings_are_rungs_too(folder: Path) -> None:
    [found] = explain(Path(), "steps.train.timeout", settings=["steps.train.timeout=9m"], local=True)
    places = [(r.span.file if r.span else None, r.written, r.wins) for r in found.rungs]
    assert places == [
        ("--set steps.train.timeout", "9m", True),
        ("pipeline.local.yaml", "5m", False),
        ("base.yaml", "1h", False),
        ("environment.yaml", "3h", False),
        (None, "24h", False),
    ]


@pytest.mark.parametrize(
    ("key", "value", "layer"),
    [
        ("steps.train.instance.count", 2, "defaults"),
        ("steps.train.instance.volume_size_gb", 30, "built-in"),
        ("steps.train.network.subnets.0", "s-1", "environment"),
        ("steps.train.code.entry_point", "a.py", "step"),
        ("steps.train.metrics.a.b", "x=(.*)", "step"),
        ("steps.train.arguments.1", "${param:rate}", "step"),
        ("steps.train.input_mode", "file", "built-in"),
        ("variables.size", "ml.m5.xlarge", "pipeline"),
        ("parameters.rate.default", 0.1, "pipeline"),
        ("environment.bucket", "research-ml", "environment"),
        ("environment.registry", "mlflow", "built-in"),
    ],
)
def test_every_path_is_explained(key: str, value: object, layer: str, folder: Path) -> None:
    [found] = explain(Path(), key)
    assert found.value == value
    assert [r.layer for r in found.rungs if r.wins] == [layer]


def test_a_name_that_nobody_gives_is_the_folders(folder: Path) -> None:
    assert told("name").splitlines()[0] == f"name: {folder.name}"


def test_of_a_mapping_every_value_has_its_place(folder: Path) -> None:
    lines = [line.split() for line in told("steps.train.instance").splitlines()]
    assert lines == [
        ["steps.train.instance.type", "ml.m5.xlarge", "pipeline.yaml:11:22", "(step)"],
        ["steps.train.instance.count", "2", "base.yaml:2:21", "(defaults)"],
        ["steps.train.instance.volume_size_gb", "30", "built-in"],
    ]


def test_what_stands_behind_a_reference_to_a_mapping_is_explained(folder: Path) -> None:
    text = "variables: {m: {framework: sklearn, version: '1'}}\nsteps: {t: {type: training, image: '${variables.m}'}}\n"
    (folder / "pipeline.yaml").write_text(text)
    [found] = explain(Path(), "steps.t.image.framework")
    assert found.value == "sklearn"
    assert found.rungs[0].written == "${variables.m}"
    assert found.rungs[0].wins


def test_a_field_that_nobody_sets_is_called_so(folder: Path) -> None:
    assert told("steps.train.role") == "steps.train.role: not set"


@pytest.mark.parametrize(
    ("key", "summary", "hint"),
    [
        ("steps.train.instance.typ", "'steps.train.instance' has no key 'typ'", "did you mean 'type'?"),
        ("steps.trian.timeout", "'steps' has no key 'trian'", "did you mean 'train'?"),
        ("variable.size", "a pipeline has no key 'variable'", "did you mean 'variables'?"),
        ("steps.train.arguments.7", "'steps.train.arguments' has no key 7", "known: 0, 1"),
    ],
)
def test_a_wrong_path_gets_the_nearest_key(key: str, summary: str, hint: str, folder: Path) -> None:
    found = refused(key)
    assert (found.code, found.summary, found.hint) == ("BF161", summary, hint)


def test_only_the_value_that_is_asked_for_must_be_answerable(folder: Path) -> None:
    assert refused("steps.train.tags.x").code == "BF125"
    assert told("steps.train.code.entry_point").startswith("steps.train.code.entry_point: a.py")


def test_a_secret_is_not_shown(folder: Path) -> None:
    found = explain(Path(), "steps.train.environment_variables.DB_PASSWORD")
    assert "hunter2" not in values(found)
    assert "hunter2" not in str(as_data(found))
    assert "hunter2" not in values(explain(Path(), "steps.train.environment_variables"))
