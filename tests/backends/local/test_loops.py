"""A foreach over what only the run knows: copies, their order, their end."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from buzzflow.backends.local.executor import Task
from tests.backends.local.projects import Project, opt_ml

PIPELINE = """
parameters: {days: '["mon", "tue", "wed"]'}
steps:
  each:
    type: foreach
    items: ${param:days}
    max_concurrency: MOST
    steps:
      make: {type: processing, code: extract.py, arguments: ["${each:}"], outputs: [rows]}
      use: {type: processing, code: evaluate.py, inputs: {rows: "${step:make.outputs.rows}"}}
  after: {type: processing, code: extract.py, arguments: ["${step:each.status}", "${step:each.succeeded}"]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_each_item_has_copies_of_the_steps_and_their_own_data(project: Project) -> None:
    def make(task: Task, *_: object) -> int:
        (opt_ml(task) / "processing" / "output" / "rows" / "day").write_text(task.arguments[0])
        return 0

    seen: dict[str, str] = {}

    def use(task: Task, *_: object) -> int:
        [mount] = [m for m in task.mounts if m.target == "/opt/ml/processing/input/rows"]
        seen[task.step] = (mount.source / "day").read_text()
        return 0

    acts = {f"make-{i}": make for i in range(3)} | {f"use-{i}": use for i in range(3)}
    ran = project.run(PIPELINE.replace("MOST", "3"), acts=acts)

    assert set(ran.states.values()) == {"succeeded"}
    assert seen == {"use-0": "mon", "use-1": "tue", "use-2": "wed"}
    assert list(ran.states) == ["each", "make-0", "use-0", "make-1", "use-1", "make-2", "use-2", "after"]
    assert ran.executor.tasks["after"].arguments == ("Succeeded", "6")
    assert ran["each"].result == "3 items; of their steps, 6 succeeded"
    assert json.loads((ran.folder / "manifest.json").read_text())["steps"]["use-2"]["needs"] == ["make-2"]


def test_no_more_items_are_under_way_than_max_concurrency(project: Project) -> None:
    lock, now, most = threading.Lock(), set[str](), 0

    def begins(task: Task, *_: object) -> int:
        nonlocal most
        with lock:
            now.add(task.step[-1])
            most = max(most, len(now))
        threading.Event().wait(0.05)
        return 0

    def ends(task: Task, *_: object) -> int:
        with lock:
            now.discard(task.step[-1])
        return 0

    acts = {f"make-{i}": begins for i in range(3)} | {f"use-{i}": ends for i in range(3)}
    ran = project.run(PIPELINE.replace("MOST", "1"), acts=acts)

    assert set(ran.states.values()) == {"succeeded"}
    assert most == 1


def test_a_copy_that_fails_fails_the_foreach_and_not_the_other_items(project: Project) -> None:
    ran = project.run(PIPELINE.replace("MOST", "2"), acts={"make-1": lambda *_: 7})

    assert (ran.states["make-1"], ran.states["use-1"]) == ("failed", "skipped")
    assert (ran.states["use-0"], ran.states["use-2"]) == ("succeeded", "succeeded")
    assert (ran.states["each"], ran["each"].reason) == ("failed", "make-1 failed, and 1 more")
    assert ran.states["after"] == "skipped"


def test_no_items_are_a_success(project: Project) -> None:
    ran = project.run(PIPELINE.replace("MOST", "2"), parameters={"days": "[]"})
    assert ran.states == {"each": "succeeded", "after": "succeeded"}
    assert ran["each"].result == "0 items; of their steps, none"


@pytest.mark.parametrize("given", ["mon", '{"a": 1}', "3"])
def test_items_that_are_no_list_fail_the_step(given: str, project: Project) -> None:
    ran = project.run(PIPELINE.replace("MOST", "2"), parameters={"days": given})
    assert ran.states == {"each": "failed", "after": "skipped"}
    assert (ran["each"].reason or "").startswith("it cannot start: ")


def test_items_may_have_fields_and_come_from_a_step(project: Project) -> None:
    ran = project.run(
        """
steps:
  find: {type: lambda, function: days, outputs: {days: {}}}
  each:
    type: foreach
    items: ${step:find.outputs.days}
    steps: {one: {type: processing, code: extract.py, arguments: ["${each:day}", "${each:n}"]}}
""",
        """local: {steps: {find: {result: {outputs: {days: '[{"day": "mon", "n": 1}, {"day": "tue", "n": 2}]'}}}}}""",
    )
    assert ran.executor.tasks["one-1"].arguments == ("tue", "2")


def test_a_step_of_a_body_can_be_answered_for(project: Project) -> None:
    project.write("sample/rows.csv", "1")
    ran = project.run(PIPELINE.replace("MOST", "2"), "local: {steps: {make: {result: {outputs: {rows: sample}}}}}")
    assert set(ran.states.values()) == {"succeeded"}
    assert ran["make-2"].how == "answered by local.steps.make.result"
    assert {*ran.executor.tasks} == {"use-0", "use-1", "use-2", "after"}


def test_a_stop_ends_the_copies_and_their_foreach(project: Project) -> None:
    stop = threading.Event()

    def stops(*_: object) -> int:
        stop.set()
        return 0

    ran = project.run(PIPELINE.replace("MOST", "1"), acts={"make-0": stops}, stop=stop)
    assert ran.run.report.state.value == "stopped"
    assert (ran.states["use-0"], ran.states["each"], ran.states["after"]) == ("skipped", "skipped", "skipped")
