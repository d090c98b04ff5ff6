"""A job on several machines: what each sees, and what becomes of what they leave."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from buzzflow.backends.local.events import StepLine
from buzzflow.backends.local.executor import End, Outcome, Task
from buzzflow.diagnostics import PipelineError
from buzzflow.metrics import Usage
from tests.backends.local.projects import Project, names_in, opt_ml

Log = Callable[[bytes], None]
PIPELINE = """
steps:
  train:
    type: training
    code: train.py
    instance: {type: ml.m5.large, count: 2}
    inputs:
      all: s3://bkt/data/
      part: {from: s3://bkt/data/, distribution: shard}
    metrics: {auc: "^auc=(.*)"}
  use: {type: processing, code: extract.py, inputs: {model: "${step:train.model}"}}
"""
DATA = "local: {data: {s3://bkt/data: data}}"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    for name in ("a", "b/c", "d"):
        made.write(f"data/{name}.csv", name)
    return made


def seen(task: Task, channel: str) -> list[str]:
    [mount] = [m for m in task.mounts if m.target == f"/opt/ml/input/data/{channel}"]
    return sorted(p.relative_to(mount.source).as_posix() for p in mount.source.rglob("*") if p.is_file())


def test_each_machine_knows_itself_and_the_others(project: Project) -> None:
    found: dict[str, tuple[dict[str, object], dict[str, object], list[str], list[str]]] = {}
    together = threading.Barrier(2, timeout=5)  # broken unless both are there at once

    def act(task: Task, log: Log, _stop: threading.Event) -> Outcome:
        together.wait()
        assert task.host is not None
        assert task.group == "train"
        config = opt_ml(task) / "input" / "config"
        resources = json.loads((config / "resourceconfig.json").read_text())
        channels = json.loads((config / "inputdataconfig.json").read_text())
        found[task.host] = (resources, channels, seen(task, "all"), seen(task, "part"))
        (opt_ml(task) / "model" / f"{task.host}.txt").write_text("")
        (opt_ml(task) / "model" / "same.txt").write_text("same")
        log(f"auc=0.{task.host[-1]}\n".encode())
        return Outcome(End.EXITED, 0, Usage(1.0, memory_peak_bytes=int(task.host[-1])))

    ran = project.run(PIPELINE, DATA, acts={"train": act})

    assert set(ran.states.values()) == {"succeeded"}
    assert {host: r["current_host"] for host, (r, *_) in found.items()} == {"algo-1": "algo-1", "algo-2": "algo-2"}
    resources, channels, everything, _ = found["algo-2"]
    assert resources["hosts"] == ["algo-1", "algo-2"]
    assert resources["instance_groups"] == [
        {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": ["algo-1", "algo-2"]}
    ]
    assert channels["part"] == {"TrainingInputMode": "File", "S3DistributionType": "ShardedByS3Key"}
    assert everything == ["a.csv", "b/c.csv", "d.csv"]
    assert (found["algo-1"][3], found["algo-2"][3]) == (["a.csv", "d.csv"], ["b/c.csv"])
    model = opt_ml(ran.executor.tasks["use"]) / "processing" / "input" / "model" / "model.tar.gz"
    assert names_in(model) == ["algo-1.txt", "algo-2.txt", "same.txt"]
    assert ran["train"].metrics == {"auc": 0.1}
    assert ran["train"].usage is not None
    assert ran["train"].usage.memory_peak_bytes == 2
    lines = {e.line for e in ran.events if isinstance(e, StepLine)}
    assert lines == {"algo-1 | auc=0.1", "algo-2 | auc=0.2"}
    log = (ran.folder / "steps" / "train" / "log.txt").read_text()
    assert sorted(log.splitlines()) == ["algo-1 | auc=0.1", "algo-2 | auc=0.2"]
    assert ran["train"].how == "2 machines, each a container; the figures are those of the largest"


def test_one_that_fails_ends_the_others(project: Project) -> None:
    def act(task: Task, log: Log, stop: threading.Event) -> Outcome:
        if task.host == "algo-2":
            log(b"out of luck\n")
            return Outcome(End.EXITED, 3, Usage(1.0))
        while not stop.is_set():
            threading.Event().wait(0.01)
        return Outcome(End.STOPPED, 143, Usage(1.0))

    ran = project.run(PIPELINE, DATA, acts={"train": act})

    assert (ran.states["train"], ran["train"].reason) == ("failed", "algo-2: exit code 3: out of luck")
    assert ran["train"].tail == ("out of luck",)


def test_different_files_of_one_name_are_told(project: Project) -> None:
    def act(task: Task, *_: object) -> int:
        (opt_ml(task) / "model" / "model.pt").write_text(str(task.host))
        return 0

    ran = project.run(PIPELINE, DATA, acts={"train": act})

    assert (ran["train"].reason or "").startswith(
        "the outputs cannot be kept: algo-1 and algo-2 both wrote model.pt, and on the service one would be lost"
    )


def test_the_number_of_machines_may_be_a_parameter(project: Project) -> None:
    hosts = []

    def act(task: Task, *_: object) -> int:
        hosts.append(task.host)
        return 0

    project.run(
        """
parameters: {machines: 3}
steps: {count: {type: processing, code: extract.py, instance: {count: "${param:machines}"}}}
""",
        acts={"count": act},
    )
    assert sorted(map(str, hosts)) == ["algo-1", "algo-2", "algo-3"]


def test_a_stop_ends_every_machine(project: Project) -> None:
    stop = threading.Event()

    def waits(_task: Task, _log: Log, told: threading.Event) -> Outcome:
        stop.set()
        while not told.is_set():
            threading.Event().wait(0.01)
        return Outcome(End.STOPPED, None, Usage(1))

    ran = project.run(PIPELINE, DATA, acts={"train": waits}, stop=stop)
    assert ran.states == {"train": "stopped", "use": "skipped"}


def test_without_docker_there_is_one_machine_and_no_model_to_ask(project: Project) -> None:
    pipeline = (
        PIPELINE
        + """
  served: {type: model, image: img, model: "${step:train.model}"}
  score: {type: transform, model: "${step:served.name}", inputs: {records: s3://bkt/data/}}
"""
    )
    with pytest.raises(PipelineError) as caught:
        project.run(pipeline, DATA, executor_name="process")
    found = [(d.code, d.summary) for d in caught.value.diagnostics]
    assert found == [
        ("BF535", "step 'train' wants 2 machines, which are containers, and there is no Docker"),
        ("BF535", "transform 'score' runs in Docker only: it starts the model's container"),
    ]
    assert all(d.span is not None for d in caught.value.diagnostics)
