"""What a caller lets go wrong is read, or refused with what would be right."""

from __future__ import annotations

import pytest

from buzzflow.backends.local import plan
from buzzflow.backends.local.request.trials import Trial, read_trials

TRAINING = plan.Training(checkpoints="/opt/ml/checkpoints")
STEPS = [
    plan.ProcessingStep(name="extract", container=plan.Container(image="img")),
    plan.TrainingStep(name="train", container=plan.Container(image="img", training=TRAINING)),
    plan.TrainingStep(name="plain", container=plan.Container(image="img", training=plan.Training())),
    plan.FailStep(name="stop", message="no"),
]


@pytest.mark.parametrize(
    ("fail", "failures"),
    [
        (["train=capacity_error"], ("capacity_error",)),
        (["train=internal_error"], ("job_internal_error",)),
        (["train=exit=3,n=2"], ("exit=3", "exit=3")),
        (["train=throttling,n=2", "train=out_of_memory"], ("throttling", "throttling", "out_of_memory")),
    ],
)
def test_failures_come_one_after_another(fail: list[str], failures: tuple[str, ...]) -> None:
    assert read_trials(STEPS, fail, []) == ({"train": Trial(failures)}, [])


@pytest.mark.parametrize(("text", "seconds"), [("train@30s", 30.0), ("train@1.5m", 90.0), ("train@1h", 3600.0)])
def test_an_interruption_comes_after_its_time(text: str, seconds: float) -> None:
    assert read_trials(STEPS, [], [text, text]) == ({"train": Trial(interruptions=(seconds, seconds))}, [])


@pytest.mark.parametrize(
    ("fail", "interrupt", "code", "summary", "hint"),
    [
        ("train", None, "BF560", "a step, = and an error are needed", "--fail train=capacity_error"),
        ("tran=throttling", None, "BF560", "there is no step 'tran'", "did you mean 'train'?"),
        ("train=capacity_eror", None, "BF560", "no error 'capacity_eror'", "did you mean 'capacity_error'?"),
        ("train=exit=0", None, "BF560", "exit code 0 is no failure", "name another one"),
        ("stop=throttling", None, "BF560", "is a fail step, which runs no job", "processing or training"),
        (None, "train", "BF561", "a step, @ and a time are needed", "--interrupt train@30s"),
        (None, "train@30", "BF561", "a step, @ and a time are needed", "--interrupt train@30s"),
        (None, "extract@30s", "BF561", "'extract' is a processing step", "a training step"),
        (None, "plain@30s", "BF561", "has no checkpoints", "checkpoints: {}"),
    ],
)
def test_what_cannot_be_is_told(fail: str | None, interrupt: str | None, code: str, summary: str, hint: str) -> None:
    trials, problems = read_trials(STEPS, [fail] if fail else [], [interrupt] if interrupt else [])
    assert not trials
    assert [p.code for p in problems] == [code]
    assert summary in problems[0].summary
    assert hint in (problems[0].hint or "")
