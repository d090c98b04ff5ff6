"""A tuning: a bounded number of trainings, of which the best wins."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from buzzflow.backends.local.events import Notice, StepLine
from buzzflow.backends.local.executor import End, Outcome, Task
from buzzflow.metrics import Usage
from tests.backends.local.projects import Project, names_in, opt_ml

PIPELINE = """
steps:
  tune:
    type: tuning
    code: train.py
    hyperparameters: {objective: logistic}
    metrics: {auc: "auc=(.*)"}
    search:
      objective: {DIRECTION: auc}
      strategy: STRATEGY
      max_jobs: 20
      max_parallel_jobs: 4
      ranges: {depth: {values: [1, 2, 3, 4, 5, 6]}}
  use:
    type: processing
    code: extract.py
    inputs: {model: "${step:tune.best.model}"}
    arguments: ["${step:tune.best.metric}", "${step:tune.rank.2.job_name}", "${step:tune.job_name}"]
"""
Log = Callable[[bytes], None]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def pipeline(direction: str = "maximize", strategy: str = "random") -> str:
    return PIPELINE.replace("DIRECTION", direction).replace("STRATEGY", strategy)


def hyperparameters(task: Task) -> dict[str, str]:
    return dict(json.loads((opt_ml(task) / "input" / "config" / "hyperparameters.json").read_text()))


def learns(task: Task, log: Log, _stop: threading.Event) -> Outcome:
    depth = hyperparameters(task)["depth"]
    (opt_ml(task) / "model" / f"depth-{depth}").write_text("")
    log(f"auc=0.{depth}\n".encode())
    return Outcome(End.EXITED, 0, Usage(1.0, memory_peak_bytes=int(depth)))


@pytest.mark.parametrize(("direction", "best"), [("maximize", max), ("minimize", min)])
def test_the_best_training_wins(direction: str, best: Callable[[list[str]], str], project: Project) -> None:
    tried: list[str] = []

    def act(task: Task, log: Log, stop: threading.Event) -> Outcome:
        tried.append(hyperparameters(task)["depth"])
        assert hyperparameters(task)["objective"] == "logistic"
        return learns(task, log, stop)

    ran = project.run(pipeline(direction), acts={"tune": act})

    assert len(tried) == len(set(tried)) == 4
    task = ran.executor.tasks["use"]
    assert task.arguments[0] == f"0.{best(tried)}"
    assert task.arguments[2] == f"{ran.run.report.run}-tune"
    assert task.arguments[1].startswith(f"{ran.run.report.run}-tune-00")
    assert names_in(opt_ml(task) / "processing/input/model/model.tar.gz") == [f"depth-{best(tried)}"]
    assert ran["tune"].usage is not None
    assert ran["tune"].usage.memory_peak_bytes == int(max(tried))
    assert sorted(p.name for p in (ran.folder / "steps" / "tune" / "jobs").iterdir()) == ["001", "002", "003", "004"]


def test_a_bound_is_told(project: Project) -> None:
    ran = project.run(pipeline(strategy="bayesian"), acts={"tune": learns})

    assert Notice("tune: 4 of 20 trainings are tried here") in ran.events
    assert ran["tune"].how == (
        "4 of 20 trainings tried here; a random search stands in for bayesian;"
        " the figures are those of the largest training"
    )
    assert {e.line[:3] for e in ran.events if isinstance(e, StepLine)} == {"001", "002", "003", "004"}


def test_the_local_layer_sets_the_bound(project: Project) -> None:
    ran = project.run(pipeline(strategy="grid"), "local: {steps: {tune: {max_jobs: 6}}}", acts={"tune": learns})
    assert (ran["tune"].how or "").startswith("6 of 20 trainings tried here; the")
    assert ran.executor.tasks["use"].arguments[0] == "0.6"


def test_trainings_run_side_by_side_within_jobs(project: Project) -> None:
    lock, now, most = threading.Lock(), 0, 0

    def counts(task: Task, log: Log, stop: threading.Event) -> Outcome:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        threading.Event().wait(0.1)
        with lock:
            now -= 1
        return learns(task, log, stop)

    project.run(pipeline(), acts={"tune": counts}, jobs=2)
    assert most == 2


def test_a_training_that_fails_is_a_warning(project: Project) -> None:
    lock = threading.Lock()
    ends = iter([7, 0, 0, 0])

    def act(task: Task, log: Log, stop: threading.Event) -> Outcome:
        with lock:
            code = next(ends)
        return learns(task, log, stop) if code == 0 else Outcome(End.EXITED, code, Usage(1.0))

    ran = project.run(pipeline(), acts={"tune": act})
    assert ran.states["tune"] == "succeeded"
    [warning] = ran["tune"].warnings
    assert warning.endswith("failed: exit code 7")


def test_a_tuning_fails_when_no_training_succeeded(project: Project) -> None:
    ran = project.run(pipeline(), acts={"tune": lambda *_: 7})
    assert ran.states == {"tune": "failed", "use": "skipped"}
    assert ran["tune"].reason == "none of 4 trainings succeeded; 001: exit code 7"


def test_a_tuning_without_its_metric_fails(project: Project) -> None:
    ran = project.run(pipeline())
    assert (ran["tune"].reason or "").startswith("no training said its metric 'auc'")


def test_a_stop_ends_all_trainings(project: Project) -> None:
    stop = threading.Event()

    def waits(_task: Task, _log: Log, told: threading.Event) -> Outcome:
        stop.set()
        assert told.wait(5)
        return Outcome(End.STOPPED, None, Usage(1))

    ran = project.run(pipeline(), acts={"tune": waits}, stop=stop)
    assert ran.states == {"tune": "stopped", "use": "skipped"}
