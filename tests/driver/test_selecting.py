"""Which steps keep earlier results when a part of a pipeline runs, whatever its branches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from buzzflow.backends.local import plan
from buzzflow.backends.local.executor import End, Outcome, Setting, Task
from buzzflow.backends.local.records.manifest import read_manifest
from buzzflow.backends.local.request.request import RunRequest, prepare
from buzzflow.backends.local.reuse.results import EVERYTHING, Selection
from buzzflow.backends.local.run import run
from buzzflow.diagnostics import PipelineError
from buzzflow.driver.runs import all_runs
from buzzflow.driver.selecting import Part, select_part, select_unfinished
from buzzflow.metrics import Usage


class FailsSome:
    """An executor in which the steps of *failing* fail."""

    name = "stand-in"
    memory_bytes = None
    notes: Sequence[str] = ()

    def __init__(self) -> None:
        self.failing: set[str] = set()
        self.ran: set[str] = set()

    def prepare(self, settings: Sequence[Setting], tell: Callable[[str], None]) -> None: ...

    def run(self, task: Task, log: Callable[[bytes], None], stop: threading.Event) -> Outcome:
        self.ran.add(task.step)
        return Outcome(End.EXITED, int(task.step in self.failing), Usage(0.1))

    def close(self) -> None: ...


def step(name: str, *needs: str, when: str = "completed", branch: bool | None = None) -> plan.Step:
    listed = [plan.Need(step=n, because="depends_on", when=when) for n in needs]
    side = None
    if branch is not None:
        listed.append(plan.Need(step="gate", because="branch"))
        side = plan.Branch(condition="gate", taken=branch)
    container = plan.Container(image="img:1", entrypoint=["x"])
    return plan.ProcessingStep(name=name, needs=listed, branch=side, container=container)


def gate(*needs: str) -> plan.Step:
    listed = [plan.Need(step=n, because="depends_on") for n in needs]
    test = plan.Compare(operator=">=", left=plan.ParameterValue(name="score"), right=1)
    return plan.ConditionStep(name="gate", needs=listed, test=test)


STEPS = (
    step("a"),
    step("b", "a"),
    step("side"),
    gate("b"),
    step("yes", branch=True),
    step("no", branch=False),
    step("join", "yes", "no", when="any"),
)


class World:
    """Runs the steps, and parts of them."""

    def __init__(self, folder: Path) -> None:
        self.state, self.count = folder / "state", 0
        self.executor = FailsSome()

    def request(self, score: int) -> RunRequest:
        self.count += 1
        parameter = plan.Parameter(name="score", type="integer")
        made = plan.RunPlan(pipeline="p", prefix="s3://b-1/p/", parameters=[parameter], steps=list(STEPS))
        return RunRequest(f"r{self.count}", made, {}, self.state, self.state, parameters={"score": str(score)})

    def run(self, selection: Selection = EVERYTHING, *, score: int = 1, request: RunRequest | None = None) -> set[str]:
        request = request or self.request(score)
        ready = prepare(request, started="2026-01-01T00:00:00Z", without={*selection.kept, *selection.omitted})
        self.executor.ran = set()
        report = run(request, ready, self.executor, lambda _: None, threading.Event(), selection)
        self.states = {name: event.state.value for name, event in report.steps.items()}
        return self.executor.ran

    def part(self, *, score: int = 1, **part: tuple[str, ...]) -> set[str]:
        request = self.request(score)
        return self.run(select_part(request, Part(**part), all_runs(self.state)), request=request)

    def resume(self, *, score: int = 1) -> set[str]:
        last = self.state / "runs" / f"r{self.count}"
        request = self.request(score)
        return self.run(select_unfinished(request, last, read_manifest(last)), request=request)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_what_stands_before_is_kept_and_the_branch_is_chosen_again(world: World) -> None:
    world.run()
    assert world.part(begin=("b",)) == {"b", "yes", "join"}
    assert world.states == {
        "a": "cached",
        "b": "succeeded",
        "side": "cached",
        "gate": "succeeded",
        "yes": "succeeded",
        "no": "skipped",
        "join": "succeeded",
    }


def test_a_join_runs_on_the_side_that_was_taken(world: World) -> None:
    world.run()
    assert world.part(begin=("join",)) == {"join"}
    assert world.part(only=("join",)) == {"join"}
    assert (world.states["yes"], world.states["no"]) == ("cached", "skipped")


def test_a_side_that_is_chosen_now_and_has_no_results_stops_what_needs_it(world: World) -> None:
    world.run(score=1)
    assert world.part(begin=("join",), score=0) == set()
    assert world.states["no"] == world.states["join"] == "skipped"


def test_what_has_nothing_to_do_with_it_may_be_missing(world: World) -> None:
    world.executor.failing = {"side"}
    world.run()
    assert world.part(begin=("b",)) == {"b", "yes", "join"}
    assert world.states["side"] == "skipped"
    assert world.part(only=("b",)) == {"b"}
    assert world.states == {"a": "cached", "b": "succeeded"} | dict.fromkeys(
        ("side", "gate", "yes", "no", "join"), "skipped"
    )


def test_each_result_is_of_the_last_run_that_has_it(world: World) -> None:
    world.run()
    world.executor.failing = {"a"}
    world.run()
    world.executor.failing = set()
    request = world.request(1)
    found = select_part(request, Part(only=("b",)), all_runs(world.state))
    assert found.kept["a"].run == "r1"


def test_a_result_that_is_missing_is_told(world: World) -> None:
    world.executor.failing = {"a"}
    world.run()
    with pytest.raises(PipelineError) as told:
        world.part(only=("b",))
    [problem] = told.value.diagnostics
    assert (problem.code, problem.summary) == (
        "BF551",
        "b cannot run: results of a are needed, and no run of p on this machine has them whole",
    )


def test_resume_runs_what_failed_and_all_after_it(world: World) -> None:
    world.executor.failing = {"b"}
    assert world.run() == {"a", "b", "side"}
    world.executor.failing = set()
    assert world.resume() == {"b", "yes", "join"}


def test_resume_keeps_what_came_after_a_side_that_was_not_taken(world: World) -> None:
    world.executor.failing = {"side"}
    world.run()
    assert world.resume() == {"side"}
    assert (world.states["join"], world.states["no"]) == ("cached", "skipped")


def test_a_run_that_is_resumed_can_be_resumed(world: World) -> None:
    world.executor.failing = {"b"}
    world.run()
    world.resume()
    world.executor.failing = set()
    assert world.resume() == {"b", "yes", "join"}
    assert read_manifest(world.state / "runs" / "r3").resumed == "r2"
