"""Which steps of a plan run, and when: scheduled for real, with a stand-in for the machine that runs containers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from buzzflow.backends.local import plan
from buzzflow.backends.local.events import Event, Notice, RunFinished, RunStarted, State, StepFinished, StepStarted
from buzzflow.backends.local.executor import End, ExecutorError, Outcome, Setting, Task
from buzzflow.backends.local.records.manifest import Manifest, StepRecord, UsageRecord, write_manifest
from buzzflow.backends.local.request.request import RunRequest, prepare
from buzzflow.backends.local.run import Report, run
from buzzflow.metrics import Usage

Act = Callable[[Task, Callable[[bytes], None], threading.Event], int | Outcome]


@dataclass
class StandIn:
    """An executor that does, for each step, what the test says; 0 is its exit code otherwise."""

    acts: Mapping[str, Act] = field(default_factory=dict)
    name: str = "stand-in"
    notes: Sequence[str] = ()
    memory_bytes: int | None = None
    tasks: dict[str, Task] = field(default_factory=dict)

    def prepare(self, settings: Sequence[Setting], tell: Callable[[str], None]) -> None: ...

    def run(self, task: Task, log: Callable[[bytes], None], stop: threading.Event) -> Outcome:
        self.tasks[task.step] = task
        ended = self.acts[task.step](task, log, stop) if task.step in self.acts else 0
        return Outcome(End.EXITED, ended, Usage(0.1)) if isinstance(ended, int) else ended

    def close(self) -> None: ...


@dataclass
class Ran:
    """A run that ended."""

    report: Report
    events: list[Event]
    executor: StandIn

    @property
    def states(self) -> dict[str, str]:
        return {name: event.state.value for name, event in self.report.steps.items()}

    def reason(self, step: str) -> str | None:
        return self.report.steps[step].reason

    def manifest(self) -> dict[str, Any]:
        return json.loads((self.report.folder / "manifest.json").read_text())


class Runs:
    """Runs steps in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self,
        *steps: plan.Step,
        jobs: int = 4,
        stop: threading.Event | None = None,
        acts: Mapping[str, Act] | None = None,
        memory: int | None = None,
    ) -> Ran:
        made = plan.RunPlan(pipeline="delays", prefix="s3://buzzflow-local/delays/", steps=list(steps))
        request = RunRequest("r1", made, {}, self.folder / "state", self.folder, jobs=jobs)
        events: list[Event] = []
        executor = StandIn(acts or {}, memory_bytes=memory)
        ready = prepare(request, started="2026-01-01T00:00:00Z")
        return Ran(run(request, ready, executor, events.append, stop or threading.Event()), events, executor)


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def needs(*names: str, when: str = "completed") -> list[plan.Need]:
    return [plan.Need(step=name, because="depends_on", when=when) for name in names]


def step(
    name: str, *after: str, when: str = "completed", branch: plan.Branch | None = None, **fields: Any
) -> plan.Step:
    found = needs(*after, when=when)
    if branch is not None:
        found.append(plan.Need(step=branch.condition, because="branch"))
    container = plan.Container(**{"image": "img"} | fields)
    return plan.ProcessingStep(name=name, needs=found, branch=branch, container=container)


def training(name: str, **fields: Any) -> plan.Step:
    outputs = [plan.Output(name="model", path="/opt/ml/model")]
    container = plan.Container(image="img", outputs=outputs, training=plan.Training(**fields))
    return plan.TrainingStep(name=name, container=container)


def condition(name: str, test: plan.Test, *after: str) -> plan.Step:
    return plan.ConditionStep(name=name, needs=needs(*after), test=test)


YES = plan.Compare(operator="==", left=1, right=1)
NO = plan.Negation(of=YES)


def fails(_task: Task, _log: Callable[[bytes], None], _stop: threading.Event) -> int:
    return 7


def writes(*lines: bytes, code: int = 0) -> Act:
    def act(_task: Task, log: Callable[[bytes], None], _stop: threading.Event) -> int:
        for line in lines:
            log(line)
        return code

    return act


def opt_ml(task: Task) -> Path:
    return next(m.source for m in task.mounts if m.target == "/opt/ml")


# ------------------------------------------------------------------ side by side


def test_ready_steps_run_side_by_side(runs: Runs) -> None:
    together = threading.Barrier(3, timeout=5)  # broken unless three steps are there at once

    def meets(*_: object) -> int:
        together.wait()
        return 0

    ran = runs(*(step(n) for n in "abc"), jobs=3, acts=dict.fromkeys("abc", meets))
    assert ran.report.state is State.SUCCEEDED


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_more_steps_run_at_once_than_jobs(jobs: int, runs: Runs) -> None:
    lock, now, most = threading.Lock(), 0, 0
    gate = threading.Event()

    def counts(*_: object) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        gate.wait(0.05)
        with lock:
            now -= 1
        return 0

    ran = runs(*(step(n) for n in "abcdef"), jobs=jobs, acts=dict.fromkeys("abcdef", counts))
    assert ran.report.state is State.SUCCEEDED
    assert most == jobs


def test_steps_wait_for_the_memory_that_they_used_last_time(runs: Runs) -> None:
    usage = UsageRecord(wall_seconds=1.0, memory_peak_bytes=6)
    steps = {name: StepRecord(type="processing", usage=usage) for name in "ab"}
    before = Manifest(
        run="r0", pipeline="delays", buzzflow="1", executor="x", machine="m", owner="1:1", started="", steps=steps
    )
    (runs.folder / "state/runs/r0").mkdir(parents=True)
    write_manifest(before, runs.folder / "state/runs/r0")
    active: list[str] = []

    def alone(task: Task, *_: object) -> int:
        active.append(task.step)
        time.sleep(0.1)
        assert active == [task.step]
        active.remove(task.step)
        return 0

    ran = runs(step("a"), step("b"), acts={"a": alone, "b": alone}, memory=10)
    assert ran.states == {"a": "succeeded", "b": "succeeded"}
    assert [e.text.partition(":")[0] for e in ran.events if isinstance(e, Notice)] == ["b waits for memory"]


def test_a_step_starts_after_what_it_needs(runs: Runs) -> None:
    ran = runs(step("a"), step("b", "a"), step("c", "a", "b"))
    told = [(type(e), e.step) for e in ran.events if isinstance(e, StepStarted | StepFinished)]
    assert told == [(kind, name) for name in "abc" for kind in (StepStarted, StepFinished)]
    assert isinstance(ran.events[0], RunStarted)
    assert isinstance(ran.events[-1], RunFinished)


# ------------------------------------------------------------------ failures


def test_a_failed_step_stops_only_what_depends_on_it(runs: Runs) -> None:
    ran = runs(step("bad"), step("next", "bad"), step("last", "next"), step("other"), acts={"bad": fails})
    assert ran.states == {"bad": "failed", "next": "skipped", "last": "skipped", "other": "succeeded"}
    assert ran.report.state is State.FAILED
    assert (ran.reason("bad"), ran.reason("next"), ran.reason("last")) == (
        "exit code 7",
        "bad failed",
        "next was skipped, as bad failed",
    )
    assert set(ran.executor.tasks) == {"bad", "other"}


@pytest.mark.parametrize(
    ("when", "after_good", "after_bad"),
    [
        ("completed", "succeeded", "skipped"),
        ("failed", "skipped", "succeeded"),
        ("stopped", "skipped", "skipped"),
        ("any", "succeeded", "succeeded"),
    ],
)
def test_a_trigger_says_after_which_end_a_step_runs(when: str, after_good: str, after_bad: str, runs: Runs) -> None:
    ran = runs(
        step("good"), step("bad"), step("x", "good", when=when), step("y", "bad", when=when), acts={"bad": fails}
    )
    assert ran.states == {"good": "succeeded", "bad": "failed", "x": after_good, "y": after_bad}


def test_any_is_met_by_no_step_that_was_skipped(runs: Runs) -> None:
    ran = runs(step("bad"), step("skipped", "bad"), step("x", "skipped", when="any"), acts={"bad": fails})
    assert ran.states["x"] == "skipped"


@pytest.mark.parametrize(("test", "full", "quick"), [(YES, "succeeded", "skipped"), (NO, "skipped", "succeeded")])
def test_a_step_goes_on_after_both_branches_whichever_was_taken(
    test: plan.Test, full: str, quick: str, runs: Runs
) -> None:
    both = [*needs("full", "more", when="any"), *needs("quick", when="any")]
    ran = runs(
        condition("if", test),
        step("full", branch=plan.Branch(condition="if", taken=True)),
        step("more", "full"),
        step("quick", branch=plan.Branch(condition="if", taken=False)),
        plan.ProcessingStep(name="join", needs=both, container=plan.Container(image="img")),
    )
    assert ran.states == {"if": "succeeded", "full": full, "more": full, "quick": quick, "join": "succeeded"}


def test_a_fail_step_fails_the_run_with_its_message(runs: Runs) -> None:
    message = plan.Join(parts=["run ", plan.RunValue(field="id"), " is not good"])
    ran = runs(step("a"), plan.FailStep(name="stop", message=message, needs=needs("a")))
    assert ran.report.state is State.FAILED
    assert ran.reason("stop") == "run r1 is not good"


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome(End.OUT_OF_MEMORY, 137, Usage(1)), "out of memory: it was killed, exit code 137"),
        (Outcome(End.TIMED_OUT, None, Usage(1)), "timed out: it ran longer than its timeout"),
        (Outcome(End.LOST, None, Usage(1), "gone"), "lost: the engine went away while it ran (gone)"),
        (Outcome(End.EXITED, 139, Usage(1), "SIGSEGV"), "exit code 139 (SIGSEGV)"),
    ],
)
def test_each_end_is_told(outcome: Outcome, reason: str, runs: Runs) -> None:
    ran = runs(step("a"), acts={"a": lambda *_: outcome})
    assert (ran.states["a"], ran.reason("a")) == ("failed", reason)


def test_what_the_machine_cannot_do_fails_the_step_with_its_hint(runs: Runs) -> None:
    def cannot(*_: object) -> int:
        raise ExecutorError("no such image", "pull it")

    ran = runs(step("a"), step("b"), acts={"a": cannot})
    assert ran.states == {"a": "failed", "b": "succeeded"}
    assert ran.reason("a") == "no such image: pull it"


def test_a_bug_in_a_steps_thread_comes_out_and_stops_the_others(runs: Runs) -> None:
    stopped = threading.Event()

    def waits(_task: Task, _log: Callable[[bytes], None], stop: threading.Event) -> Outcome:
        if stop.wait(5):
            stopped.set()
        return Outcome(End.STOPPED, None, Usage(1))

    def bug(*_: object) -> int:
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        runs(step("slow"), step("bug"), acts={"slow": waits, "bug": bug})
    assert stopped.is_set()


# ------------------------------------------------------------------ branches


@pytest.mark.parametrize(("test", "taken"), [(YES, True), (NO, False)])
def test_only_the_branch_that_a_condition_chose_runs(test: plan.Test, taken: bool, runs: Runs) -> None:
    ran = runs(
        condition("good", test),
        step("yes", branch=plan.Branch(condition="good", taken=True)),
        step("no", branch=plan.Branch(condition="good", taken=False)),
        step("after_yes", "yes"),
        step("after_no", "no"),
        step("always", "good"),
    )
    chosen, other = ("yes", "no") if taken else ("no", "yes")
    assert ran.states == {
        "good": "succeeded",
        chosen: "succeeded",
        other: "skipped",
        f"after_{chosen}": "succeeded",
        f"after_{other}": "skipped",
        "always": "succeeded",
    }
    assert ran.report.state is State.SUCCEEDED
    assert ran.reason(other) == "good chose the other branch"
    assert ran.report.steps["good"].result == ("1 == 1: yes" if taken else "1 != 1: no")


def test_a_condition_in_a_branch_not_taken_chooses_nothing(runs: Runs) -> None:
    inner = plan.ConditionStep(
        name="inner",
        test=YES,
        needs=[plan.Need(step="outer", because="branch")],
        branch=plan.Branch(condition="outer", taken=True),
    )
    ran = runs(
        condition("outer", NO),
        inner,
        step("deep", branch=plan.Branch(condition="inner", taken=True)),
    )
    assert ran.states == {"outer": "succeeded", "inner": "skipped", "deep": "skipped"}


def test_a_condition_without_its_value_fails_and_neither_branch_runs(runs: Runs) -> None:
    report = plan.ReportValue(step="measure", report="report", path=["auc"])
    ran = runs(
        step(
            "measure",
            outputs=[plan.Output(name="r", path="/opt/ml/processing/output/r", reports={"report": "metrics.json"})],
        ),
        condition("good", plan.Compare(operator=">", left=report, right=0), "measure"),
        step("yes", branch=plan.Branch(condition="good", taken=True)),
        step("no", branch=plan.Branch(condition="good", taken=False)),
    )
    assert ran.states == {"measure": "succeeded", "good": "failed", "yes": "skipped", "no": "skipped"}
    assert ran.reason("good") == (
        "report 'report' of step 'measure' was not written: there is no metrics.json in the output"
    )


# ------------------------------------------------------------------ stop


def test_a_stop_ends_what_runs_and_starts_nothing_more(runs: Runs) -> None:
    stop = threading.Event()

    def stops(_task: Task, _log: Callable[[bytes], None], told: threading.Event) -> Outcome:
        stop.set()
        assert told.wait(5)
        return Outcome(End.STOPPED, 143, Usage(1))

    ran = runs(step("a"), step("b", "a"), step("c"), jobs=1, stop=stop, acts={"a": stops})
    assert ran.report.state is State.STOPPED
    assert ran.states == {"a": "stopped", "b": "skipped", "c": "skipped"}
    assert ran.reason("c") == "the run was stopped"
    assert ran.manifest()["state"] == "stopped"


# ------------------------------------------------------------------ data


def test_what_a_step_writes_is_what_the_next_one_reads(runs: Runs) -> None:
    def make(task: Task, *_: object) -> int:
        (opt_ml(task) / "processing" / "output" / "d" / "x.txt").write_text("made")
        return 0

    seen = []

    def use(task: Task, *_: object) -> int:
        [mount] = [m for m in task.mounts if m.target == "/opt/ml/processing/input/d"]
        seen.append(((mount.source / "x.txt").read_text(), mount.read_only))
        return 0

    address = plan.OutputAddress(step="make", name="d")
    ran = runs(
        step("make", outputs=[plan.Output(name="d", path="/opt/ml/processing/output/d")]),
        step(
            "use",
            "make",
            inputs=[plan.Input(name="d", source=address, path="/opt/ml/processing/input/d")],
            arguments=[address, plan.StepProperty(step="make", word="job_name")],
        ),
        acts={"make": make, "use": use},
    )
    assert ran.report.state is State.SUCCEEDED
    assert seen == [("made", True)]
    assert ran.executor.tasks["use"].arguments == ("s3://buzzflow-local/delays/r1/make/d/", "r1-make")
    assert (ran.report.folder / "outputs" / "make" / "d" / "x.txt").read_text() == "made"


def test_nothing_at_an_address_fails_the_step_that_reads_it(runs: Runs) -> None:
    address = plan.Join(parts=[plan.OutputAddress(step="make", name="d"), "absent/"])
    ran = runs(
        step("make", outputs=[plan.Output(name="d", path="/opt/ml/processing/output/d")]),
        step("use", "make", inputs=[plan.Input(name="d", source=address, path="/opt/ml/processing/input/d")]),
    )
    told = "it cannot start: input 'd': there is nothing at s3://buzzflow-local/delays/r1/make/d/absent/"
    assert (ran.states["use"], ran.reason("use")) == ("failed", told)


def test_a_run_leaves_a_manifest_and_its_plan_and_nothing_for_git(runs: Runs) -> None:
    ran = runs(step("a"), step("bad"), acts={"bad": fails})
    assert (ran.report.folder.parents[1] / ".gitignore").read_text() == "*\n"
    manifest = ran.manifest()
    assert (manifest["run"], manifest["pipeline"], manifest["state"]) == ("r1", "delays", "failed")
    assert manifest["executor"] == "stand-in"
    assert (
        manifest["steps"]["bad"].items()
        >= {
            "type": "processing",
            "instance": {"type": "ml.m5.xlarge", "count": 1},
            "state": "failed",
            "reason": "exit code 7",
            "exit_code": 7,
            "log": "steps/bad/log.txt",
        }.items()
    )
    kept = plan.RunPlan.model_validate_json((ran.report.folder / "run-plan.json").read_text())
    assert [s.name for s in kept.steps] == ["a", "bad"]


def test_what_is_not_tried_is_told_after_the_start(tmp_path: Path) -> None:
    made = plan.RunPlan(pipeline="p", prefix="s3://buzzflow-local/p/", steps=[step("a")], not_tried=["spot"])
    request = RunRequest("r1", made, {}, tmp_path / "state", tmp_path)
    events: list[Event] = []
    run(request, prepare(request, started="now"), StandIn(), events.append, threading.Event())
    assert events[1] == Notice("not tried here: spot")


def test_the_manifest_on_disk_is_true_while_steps_run(runs: Runs) -> None:
    seen: dict[str, Any] = {}

    def looks(task: Task, _log: Callable[[bytes], None], _stop: threading.Event) -> int:
        run_folder = opt_ml(task).parents[2]
        seen.update(json.loads((run_folder / "manifest.json").read_text()))
        return 0

    runs(step("a"), step("b", "a"), step("c", "b"), acts={"b": looks})
    assert seen["state"] == "running"
    assert [seen["steps"][name]["state"] for name in "abc"] == ["succeeded", "running", "waiting"]
    assert seen["steps"]["b"]["needs"] == ["a"]
