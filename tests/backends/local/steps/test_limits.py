"""What references make of a job is refused as the service would refuse it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from buzzflow.backends.local import plan
from buzzflow.backends.local.evaluate import Known
from buzzflow.backends.local.executor import Mount
from buzzflow.backends.local.request.request import RunRequest
from buzzflow.backends.local.steps import limits
from buzzflow.backends.local.steps.limits import RefusedError, refuse, too_large
from buzzflow.backends.local.steps.results import StepPlace

TEXT, NUMBER = plan.ParameterValue(name="text"), plan.ParameterValue(name="number")


def place(*, text: str = "", number: int = 1, training: plan.Training | None = None, **fields: Any) -> StepPlace:
    container = plan.Container(image="img", training=training, **fields)
    kind = plan.ProcessingStep if training is None else plan.TrainingStep
    step = kind(name="step", container=container)
    made = plan.RunPlan(pipeline="delays", prefix="s3://buzzflow-local/delays/", steps=[step])
    request = RunRequest("r1", made, {}, Path("/nowhere"), Path("/nowhere"))
    return StepPlace(step, request, Known({"text": text, "number": number}, {}))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"arguments": ["--x", TEXT], "text": "x" * 257}, "argument 2 has 257 characters, and SageMaker takes 256"),
        ({"arguments": [TEXT], "text": "a\nb"}, "argument 1 has several lines"),
        ({"arguments": ["x"] * 101}, "101 arguments are more than the 100"),
        ({"entrypoint": [TEXT], "text": "x" * 257}, "word of the entrypoint 1 has 257 characters"),
        ({"environment": {"A": TEXT}, "text": "x" * 257}, "variable A has 257 characters, and SageMaker takes 256"),
        ({"environment": {f"A{n}": "" for n in range(101)}}, "101 environment variables are more than the 100"),
        ({"inputs": [plan.Input(name=f"i{n}", source="s3://b/", path="/x") for n in range(11)]}, "11 inputs"),
        ({"outputs": [plan.Output(name=f"o{n}", path="/x") for n in range(11)]}, "11 outputs"),
        ({"instance_count": NUMBER, "number": 101}, "101 instances are outside of what SageMaker takes, 1 to 100"),
        ({"volume_size_gb": NUMBER, "number": 20_000}, "20000 GB of disk are outside"),
        ({"timeout": NUMBER, "number": 0}, "0 seconds of timeout are outside"),
    ],
)
def test_what_a_processing_job_may_not_have_is_refused(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        refuse(place(**fields))


def test_a_training_has_limits_of_its_own() -> None:
    text = "x" * 2501
    training = plan.Training(hyperparameters={"depth": TEXT, **{f"h{n}": "1" for n in range(100)}})
    with pytest.raises(RefusedError) as caught:
        refuse(place(text=text, training=training, environment={"A": plan.Join(parts=["y" * 500, "z" * 13])}))
    assert str(caught.value).split("; ") == [
        "variable A has 513 characters, and SageMaker takes 512",
        "101 hyperparameters are more than the 100 that SageMaker takes",
        "hyperparameter depth has 2501 characters, and SageMaker takes 2500",
    ]


def test_what_the_service_takes_is_taken() -> None:
    most = {"text": "x" * 256, "arguments": [TEXT] * 100, "environment": {f"A{n}": TEXT for n in range(100)}}
    refuse(place(**most))
    refuse(place(training=plan.Training(hyperparameters={"a": TEXT}), text="x" * 2500))


def test_data_that_does_not_fit_the_disk_is_warned_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_GIB", 100)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_bytes(bytes(150))
    (tmp_path / "b").write_bytes(bytes(100))
    mounts = [Mount(tmp_path / "deep", "/opt/ml", read_only=False), Mount(tmp_path / "b", "/x", read_only=True)]
    assert [*too_large(place(volume_size_gb=3), mounts)] == []
    [told] = too_large(place(volume_size_gb=2), mounts)
    assert told == (
        "2.5 GB of inputs, outputs and files do not fit the disk that it asks for on SageMaker,"
        " instance.volume_size_gb: 2"
    )
