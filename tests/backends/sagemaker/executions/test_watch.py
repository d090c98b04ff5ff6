"""Looking at a run again and again, on a clock that a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from buzzflow.backends.sagemaker.aws.account import Account
from buzzflow.backends.sagemaker.executions.find import find_run
from buzzflow.backends.sagemaker.executions.watch import Pace, patiently, watch
from buzzflow.diagnostics import Diagnostic, PipelineError
from tests.aws.fake import FakeAws, Fault
from tests.aws.sagemaker.scripts import step

ROLE = "arn:aws:iam::111122223333:role/steps"
TEXT = '{"Version": "2020-12-01", "Steps": [{"Name": "a", "Type": "Processing", "Arguments": {}}]}'


@dataclass
class Clock:
    """Time that passes only while somebody sleeps, here and in the account."""

    aws: FakeAws | None = None
    at: float = 0.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.slept.append(seconds)
        if self.aws is not None:
            self.aws.clock.advance(seconds)


@pytest.fixture
def account(aws: FakeAws) -> Iterator[Account]:
    """An account in which a run of `p` goes for a minute."""
    client = aws.client("sagemaker")
    client.create_pipeline(PipelineName="p", PipelineDefinition=TEXT, RoleArn=ROLE)
    aws.will_run({"a": step(60)})
    client.start_pipeline_execution(PipelineName="p", ClientRequestToken="t" * 32)
    return Account(aws.region)


def test_a_run_in_which_nothing_happens_is_asked_for_more_rarely(aws: FakeAws, account: Account) -> None:
    clock = Clock(aws)
    seen = [*watch(account, find_run(account, "p", "latest"), Pace(clock=clock), lambda _: None)]
    assert [s.run.summary.ended for s in seen] == [*[False] * (len(seen) - 1), True]
    assert clock.slept[:4] == [5.0, 6.25, 7.8125, pytest.approx(9.765625)]
    assert max(clock.slept) <= 15.0
    assert seen[-1].steps[0].state == "succeeded"


def test_a_wish_for_speed_is_kept(aws: FakeAws, account: Account) -> None:
    clock = Clock(aws)
    list(watch(account, find_run(account, "p", "latest"), Pace(2.0, clock=clock), lambda _: None))
    assert {*clock.slept} == {2.0}


def test_trouble_is_told_once_and_its_end_too(aws: FakeAws, account: Account) -> None:
    """Nine attempts fail for each look, which takes its time, so the looks that fail are few."""
    said: list[str] = []
    answers = iter([_silence(), _silence(), _silence(), "here"])

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, PipelineError):
            raise answer
        return answer

    assert patiently(ask, Pace(clock=Clock()), said.append) == "here"
    assert said == ["AWS cannot be reached: no route; trying on", "AWS answers again"]


def _silence() -> PipelineError:
    return PipelineError([Diagnostic("BF603", "AWS cannot be reached: no route")])


def test_patience_ends_with_what_to_do() -> None:
    def ask() -> None:
        raise _silence()

    clock = Clock()
    with pytest.raises(PipelineError) as caught:
        patiently(ask, Pace(clock=clock), lambda _: None)
    [told] = caught.value.diagnostics
    assert told.code == "BF641"
    assert "for 15 minutes" in told.summary
    assert clock.at == pytest.approx(905)


def test_what_patience_cannot_mend_is_raised_at_once(aws: FakeAws, account: Account) -> None:
    run = find_run(account, "p", "latest")
    aws.faults.on("ListPipelineExecutionSteps", Fault.EXPIRED_TOKEN, times=None)
    with pytest.raises(PipelineError, match="BF600"):
        list(watch(account, run, Pace(clock=Clock(aws)), lambda _: None))
