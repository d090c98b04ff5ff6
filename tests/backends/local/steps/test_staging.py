"""What a step sees as /opt/ml, against the folders and files that SageMaker documents."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import threading
from pathlib import Path

import pytest

from buzzflow.backends.local import plan
from buzzflow.backends.local.executor import Mount
from buzzflow.backends.local.steps.staging import Stage, StagingError, lay_out, pack

# "How Amazon SageMaker AI Provides Training Information" and "Build Your Own Processing Container"
RESOURCES = {"current_host", "current_instance_type", "current_group_name", "hosts", "instance_groups"}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "opt-ml")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "x.csv").write_text("1")
    return folder


def code(tmp_path: Path, folder: str) -> tuple[plan.Code, dict[str, Path]]:
    source = tmp_path / "main.py"
    source.write_text("print('hello')\n")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    files = [plan.CodeFile(path="src/main.py", sha256=digest, size=source.stat().st_size, executable=True)]
    return plan.Code(digest="0" * 64, path=folder, files=files), {digest: source}


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def folders(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_dir()}


def read(stage: Stage, path: str) -> object:
    return json.loads((stage.folder / path).read_text())


def test_a_processing_step_sees_the_folders_of_a_processing_job(stage: Stage, data: Path, tmp_path: Path) -> None:
    bundle, contents = code(tmp_path, "/opt/ml/processing/input/code")
    container = plan.Container(
        image="img",
        inputs=[plan.Input(name="train", source="s3://b/t/", path="/opt/ml/processing/input/train")],
        outputs=[plan.Output(name="report", path="/opt/ml/processing/output/report")],
        code=bundle,
    )
    mounts = lay_out(
        stage, container, hyperparameters={}, sources={"train": data}, contents=contents, instance_type="ml.m5.large"
    )
    assert mounts == (
        Mount(stage.folder, "/opt/ml", read_only=False),
        Mount(data, "/opt/ml/processing/input/train", read_only=True),
    )
    assert files(stage.folder) == {
        "config/processingjobconfig.json",
        "config/resourceconfig.json",
        "processing/input/code/src/main.py",
    }
    assert {"processing/output/report", "processing/input/train", "output"} <= folders(stage.folder)
    resources = read(stage, "config/resourceconfig.json")
    assert isinstance(resources, dict)
    assert resources.keys() >= {"current_host", "hosts"}
    assert resources["current_host"] in resources["hosts"]
    assert read(stage, "config/processingjobconfig.json") == {
        "ProcessingInputs": [{"InputName": "train", "LocalPath": "/opt/ml/processing/input/train"}],
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "report", "LocalPath": "/opt/ml/processing/output/report"}]
        },
    }
    script = stage.folder / "processing/input/code/src/main.py"
    assert os.access(script, os.X_OK)
    assert not script.is_symlink()


def test_a_training_step_sees_the_folders_of_a_training_job(stage: Stage, data: Path, tmp_path: Path) -> None:
    bundle, contents = code(tmp_path, "/opt/ml/input/data/code")
    container = plan.Container(
        image="img",
        inputs=[plan.Input(name="train", source="s3://b/t/", path="/opt/ml/input/data/train")],
        outputs=[plan.Output(name="model", path="/opt/ml/model")],
        code=bundle,
        training=plan.Training(input_mode="fast_file", checkpoints="/opt/ml/checkpoints"),
    )
    lay_out(
        stage,
        container,
        hyperparameters={"depth": "6"},
        sources={"train": data},
        contents=contents,
        instance_type="ml.m5.large",
    )
    assert files(stage.folder) == {
        "input/config/hyperparameters.json",
        "input/config/inputdataconfig.json",
        "input/config/resourceconfig.json",
        "input/data/code/src/main.py",
    }
    assert {"model", "output/data", "checkpoints", "input/data/train"} <= folders(stage.folder)
    assert read(stage, "input/config/hyperparameters.json") == {"depth": "6"}
    channels = read(stage, "input/config/inputdataconfig.json")
    assert channels == {"train": {"TrainingInputMode": "FastFile", "S3DistributionType": "FullyReplicated"}}
    resources = read(stage, "input/config/resourceconfig.json")
    assert isinstance(resources, dict)
    assert resources.keys() >= RESOURCES
    assert resources["current_instance_type"] == "ml.m5.large"
    assert resources["instance_groups"][0]["hosts"] == resources["hosts"]


def test_an_input_that_is_a_file_is_a_copy_in_the_inputs_folder(stage: Stage, data: Path) -> None:
    container = plan.Container(
        image="img", inputs=[plan.Input(name="one", source="s3://b/x.csv", path="/opt/ml/processing/input/one")]
    )
    sources = {"one": data / "x.csv"}
    mounts = lay_out(stage, container, hyperparameters={}, sources=sources, contents={}, instance_type="ml.m5.large")
    assert len(mounts) == 1
    place = stage.folder / "processing/input/one/x.csv"
    place.write_text("changed by the step")
    assert (data / "x.csv").read_text() == "1"


def test_code_that_changed_since_it_was_checked_is_told(stage: Stage, tmp_path: Path) -> None:
    bundle, contents = code(tmp_path, "/opt/ml/processing/input/code")
    (tmp_path / "main.py").write_text("print('changed')\n")
    container = plan.Container(image="img", code=bundle)
    with pytest.raises(StagingError, match=r"main\.py"):
        lay_out(stage, container, hyperparameters={}, sources={}, contents=contents, instance_type="ml.m5.large")


def test_what_a_step_says_of_its_failure_is_cut_at_1024_bytes(stage: Stage) -> None:
    (stage.folder / "output").mkdir(parents=True)
    assert stage.message() is None
    (stage.folder / "output" / "failure").write_text("x" * 5000)
    assert stage.message() == "x" * 1024


def test_a_failure_file_that_is_a_link_is_not_followed(stage: Stage, tmp_path: Path) -> None:
    (stage.folder / "output").mkdir(parents=True)
    (tmp_path / "secret").write_text("of the machine")
    (stage.folder / "output" / "failure").symlink_to(tmp_path / "secret")
    assert stage.message() is None


def test_equal_folders_pack_to_equal_bytes(tmp_path: Path) -> None:
    for name, when in (("one", 1), ("two", 1_000_000_000)):
        folder = tmp_path / name
        (folder / "sub").mkdir(parents=True)
        for file in (folder / "b.txt", folder / "a.txt", folder / "sub" / "c.txt")[:: 1 if when == 1 else -1]:
            file.write_text(file.name)
            os.utime(file, (when, when))
        pack(folder, tmp_path / "packed" / f"{name}.tar.gz", threading.Event())
    packed = tmp_path / "packed"
    assert (packed / "one.tar.gz").read_bytes() == (packed / "two.tar.gz").read_bytes()
    assert sorted(p.name for p in packed.iterdir()) == ["one.tar.gz", "two.tar.gz"]
    with tarfile.open(packed / "one.tar.gz") as tar:
        assert tar.getnames() == ["a.txt", "b.txt", "sub", "sub/c.txt"]
