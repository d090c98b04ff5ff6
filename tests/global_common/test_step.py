"""The folders and parameters of a step: as buzzflow sets them, as SageMaker does, and bare."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from global_common import step
from global_common.step import inputs, outputs, parameters


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in, without variables or arguments."""
    for name in os.environ:
        if name.startswith(("BUZZFLOW_", "SM_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py"])
    return tmp_path


@pytest.fixture
def in_a_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The variables of a step with two inputs and one output."""
    monkeypatch.setenv("BUZZFLOW_STEP", "train")
    monkeypatch.setenv("BUZZFLOW_INPUTS", '["train", "hold-out.v1"]')
    monkeypatch.setenv("BUZZFLOW_INPUT_TRAIN", "/in/train")
    monkeypatch.setenv("BUZZFLOW_INPUT_HOLD_OUT_V1", "/in/hold-out")
    monkeypatch.setenv("BUZZFLOW_OUTPUTS", '["report"]')
    monkeypatch.setenv("BUZZFLOW_OUTPUT_REPORT", str(tmp_path / "out" / "report"))
    return tmp_path


@pytest.mark.usefixtures("in_a_step")
def test_an_input_is_the_folder_of_its_variable() -> None:
    assert inputs["train"] == Path("/in/train")
    assert inputs["hold-out.v1"] == Path("/in/hold-out")
    assert dict(inputs) == {"train": Path("/in/train"), "hold-out.v1": Path("/in/hold-out")}
    assert len(inputs) == 2
    assert repr(inputs) == "<inputs: train, hold-out.v1>"


@pytest.mark.usefixtures("in_a_step")
def test_an_unknown_name_is_refused_with_what_the_step_declares() -> None:
    with pytest.raises(KeyError) as e:
        inputs["trian"]
    assert str(e.value) == (
        "step 'train' has no input 'trian'; it declares 'train', 'hold-out.v1'. "
        "Add 'trian' under `inputs:` of the step in the pipeline.yaml"
    )
    assert "trian" not in inputs
    assert inputs.get("trian") is None
    with pytest.raises(KeyError, match="has no output 'x'; it declares 'report'"):
        outputs["x"]


def test_a_step_that_declares_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUZZFLOW_STEP", "train")
    Path("data/train").mkdir(parents=True)
    assert list(inputs) == []
    with pytest.raises(KeyError, match="it declares no inputs"):
        inputs["train"]


def test_an_output_folder_is_made_when_it_is_asked_for(in_a_step: Path) -> None:
    assert "report" in outputs
    assert not (in_a_step / "out").exists()
    assert outputs["report"] == in_a_step / "out" / "report"
    assert (in_a_step / "out" / "report").is_dir()


def test_the_channels_of_sagemaker_are_inputs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SM_CHANNEL_TRAIN", "/opt/ml/input/data/train")
    assert inputs["train"] == Path("/opt/ml/input/data/train")
    monkeypatch.setenv("BUZZFLOW_INPUT_TRAIN", "/in/train")
    assert inputs["train"] == Path("/in/train")


def test_bare_inputs_are_the_folders_in_data() -> None:
    assert list(inputs) == []
    assert inputs["train"] == Path("data/train")
    assert not Path("data").exists()
    Path("data/train").mkdir(parents=True)
    Path("data/notes.txt").touch()
    assert list(inputs) == ["train"]
    assert "train" in inputs
    assert "test" not in inputs
    assert inputs.get("test", Path("other")) == Path("other")


def test_a_bare_output_is_a_new_folder_in_data() -> None:
    assert outputs["report"] == Path("data/report")
    assert Path("data/report").is_dir()


def test_the_model_folder_is_buzzflows_then_sagemakers_then_in_data(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert step.model_dir == Path("data/model")
    monkeypatch.setenv("SM_MODEL_DIR", str(bare / "sm"))
    assert step.model_dir == bare / "sm"
    monkeypatch.setenv("BUZZFLOW_MODEL_DIR", str(bare / "bf"))
    assert step.model_dir == bare / "bf"
    assert all(folder.is_dir() for folder in (bare / "data/model", bare / "sm", bare / "bf"))


def test_the_model_folder_is_not_made_by_an_import_of_something_else(bare: Path) -> None:
    root = str(Path(step.__file__).parents[1])
    code = "from global_common.step import inputs, outputs, parameters"
    subprocess.run([sys.executable, "-B", "-c", code], check=True, env={**os.environ, "PYTHONPATH": root})
    assert list(bare.iterdir()) == []


def test_there_is_nothing_else_in_the_module() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'ouputs'"):
        _ = step.ouputs
    with pytest.raises(ImportError):
        exec("from global_common.step import ouputs")


def test_hyperparameters_are_decoded_where_they_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "SM_HPS",
        r'{"depth": "6", "rate": "0.1", "on": "true", "sizes": "[1,2]", "quoted": "\"6\"", "date": "2026-01-01",'
        r' "zeros": "007", "nan": "NaN", "commit": "12e3456", "minus": "-Infinity", "plain": 5}',
    )
    assert dict(parameters) == {
        "depth": 6,
        "rate": 0.1,
        "on": True,
        "sizes": [1, 2],
        "quoted": "6",
        "date": "2026-01-01",
        "zeros": "007",
        "nan": "NaN",
        "commit": "12e3456",
        "minus": "-Infinity",
        "plain": 5,
    }
    assert parameters.get("max_depth", 6) == 6
    assert len(parameters) == 11
    assert repr(parameters).startswith("<parameters: depth, rate")


def test_hyperparameters_come_before_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SM_HPS", '{"depth": "6"}')
    monkeypatch.setattr(sys, "argv", ["train.py", "--depth", "7", "--other", "8"])
    assert dict(parameters) == {"depth": 6}


@pytest.mark.parametrize("hps", [None, "", "{}"])
def test_without_hyperparameters_the_arguments_are_parameters(monkeypatch: pytest.MonkeyPatch, hps: str | None) -> None:
    monkeypatch.setenv("BUZZFLOW_STEP", "extract")
    if hps is not None:
        monkeypatch.setenv("SM_HPS", hps)
    argv = "extract.py first --date 2026-01-01 -v --shift -3 stray --rate=0.1 --empty= --dry --quick --last 1 --last 2"
    monkeypatch.setattr(sys, "argv", [*argv.split(), "--flag", "--", "--not", "ours"])
    assert dict(parameters) == {
        "date": "2026-01-01",
        "shift": -3,
        "rate": 0.1,
        "empty": "",
        "dry": True,
        "quick": True,
        "last": 2,
        "flag": True,
    }


def test_the_code_of_the_readme_runs_bare_without_any_package(bare: Path) -> None:
    code = (
        "from global_common.step import inputs, outputs, model_dir, parameters\n"
        "print(inputs['train'], outputs['report'], model_dir, parameters.get('max_depth', 6))"
    )
    argv = [sys.executable, "-S", "-B", "-c", code, "--max_depth", "3"]
    env = {"PYTHONPATH": str(Path(step.__file__).parents[1])}
    done = subprocess.run(argv, check=True, env=env, capture_output=True, text=True)
    assert done.stdout == f"{Path('data/train')} {Path('data/report')} {Path('data/model')} 3\n"
