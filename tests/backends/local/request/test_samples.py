"""Inputs from sample data are known by their address, by its beginning, or by their place, with their size."""

from __future__ import annotations

from pathlib import Path

import pytest

from buzzflow.backends.local import plan
from buzzflow.backends.local.evaluate import Known
from buzzflow.backends.local.request.request import RunRequest
from buzzflow.backends.local.request.samples import sample_data


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    folder = tmp_path / "sample"
    (folder / "day=1").mkdir(parents=True)
    (folder / "a.csv").write_bytes(b"x" * 100)
    (folder / "day=1" / "b.csv").write_bytes(b"x" * 20)
    (folder / "gone").symlink_to("nowhere")
    return folder


def found(tmp_path: Path, source: plan.Expression | plan.Files | None, **data: Path) -> dict[str, int]:
    names = {"address": "s3://raw/day/", "place": "steps.train.inputs.rows", "file": "s3://raw/day/a.csv"}
    request = RunRequest(
        run="r1",
        plan=plan.RunPlan(pipeline="p", prefix="s3://b/p/", steps=[]),
        contents={},
        state=tmp_path / "state",
        project=tmp_path,
        data={names[name]: path for name, path in data.items()},
    )
    container = plan.Container(image="i", inputs=[plan.Input(name="rows", source=source, path="/opt/ml/x")])
    known = Known({"day": "day=1"}, {}, find=request.store().path)
    return sample_data("train", container, request, known)


def test_a_sample_is_as_large_as_its_files(tmp_path: Path, sample: Path) -> None:
    assert found(tmp_path, "s3://raw/day", address=sample) == {"rows": 120}
    assert found(tmp_path, "s3://raw/day/a.csv", file=sample / "a.csv") == {"rows": 100}


def test_of_a_sample_only_the_part_that_is_read_counts(tmp_path: Path, sample: Path) -> None:
    part = plan.Join(parts=["s3://raw/day/", plan.ParameterValue(name="day"), "/"])
    assert found(tmp_path, part, address=sample) == {"rows": 20}


def test_an_input_without_an_address_is_known_by_its_place(tmp_path: Path, sample: Path) -> None:
    assert found(tmp_path, None, place=sample) == {"rows": 120}


@pytest.mark.parametrize(
    "source",
    [
        "s3://raw/daylight/",
        "s3://other/day/",
        None,
        plan.Files(digest="d", files=[]),
        plan.OutputAddress(step="a", name="b"),
    ],
)
def test_other_inputs_are_no_sample(source: plan.Expression | plan.Files | None, tmp_path: Path, sample: Path) -> None:
    assert found(tmp_path, source, address=sample) == {}
