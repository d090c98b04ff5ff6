"""Steps whose earlier result counts, and those for which it does not: runs with a stand-in for what runs containers."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buzzflow.backends.local import plan
from buzzflow.backends.local.events import Event, Notice, State
from buzzflow.backends.local.executor import End, Outcome, Setting, Task
from buzzflow.backends.local.request.request import RunRequest, prepare
from buzzflow.backends.local.reuse.results import EVERYTHING, Selection
from buzzflow.backends.local.run import Report, run
from buzzflow.metrics import Usage

OUT = "/opt/ml/processing/output/data"
REPORT = '{"score": 0.5}'


@dataclass
class Writer:
    """An executor whose steps write one file into each output."""

    content: str = REPORT
    name: str = "stand-in"
    memory_bytes: int | None = None
    notes: Sequence[str] = ()
    ran: list[str] = field(default_factory=list)

    def prepare(self, settings: Sequence[Setting], tell: Callable[[str], None]) -> None: ...

    def run(self, task: Task, log: Callable[[bytes], None], stop: threading.Event) -> Outcome:
        self.ran.append(task.step)
        [stage] = [mount.source for mount in task.mounts if mount.target == "/opt/ml"]
        for folder in ("processing/output/data", "model"):
            if (stage / folder).is_dir():
                (stage / folder / "report.json").write_text(self.content)
        return Outcome(End.EXITED, 0, Usage(0.1))

    def close(self) -> None: ...


class World:
    """Runs the same plan again and again, with changes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0
        self.executor = Writer()
        self.events: list[Event] = []

    def __call__(
        self,
        *steps: plan.Step,
        parameters: dict[str, str] | None = None,
        data: dict[str, Path] | None = None,
        images: dict[str, str] | None = None,
        started: str = "2026-01-01T00:00:00Z",
        selection: Selection = EVERYTHING,
    ) -> Report:
        self.count += 1
        rows = plan.Parameter(name="rows", type="integer", default=3)
        made = plan.RunPlan(pipeline="delays", prefix="s3://b-1/delays/", parameters=[rows], steps=list(steps))
        request = RunRequest(
            f"r{self.count}",
            made,
            {},
            self.folder / "state",
            self.folder,
            None,
            parameters or {},
            data or {},
            images or {},
        )
        ready = prepare(request, started=started)
        self.executor.ran.clear()
        return run(request, ready, self.executor, self.events.append, threading.Event(), selection)

    def outputs(self, run: int, step: str = "extract") -> Path:
        return self.folder / "state" / "runs" / f"r{run}" / "outputs" / step / "data"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def extract(expire_after: int | None = None, **fields: Any) -> plan.ProcessingStep:
    """A cached step whose key has one argument."""
    output = {"output": plan.Output(name="data", path=OUT, reports={"report": "report.json"})}
    container = {"image": "img:1", "entrypoint": ["x"], "outputs": [*output.values()], **fields}
    compared = {"image": container["image"], "arguments.0": plan.ParameterValue(name="rows")}
    compared |= {f"inputs.{i.name}": i.source for i in container.get("inputs", []) if i.source is not None}
    cache = plan.Caching(expire_after=expire_after, fields=compared)
    return plan.ProcessingStep(name="extract", cache=cache, container=plan.Container(**container))


def use(**fields: Any) -> plan.ProcessingStep:
    """A cached step that reads what `extract` left."""
    source = plan.OutputAddress(step="extract", name="data")
    cache = plan.Caching(fields={"inputs.data": source})
    container = plan.Container(
        image="img:1",
        entrypoint=["x"],
        inputs=[plan.Input(name="data", source=source, path="/opt/ml/processing/input/data")],
        outputs=[plan.Output(name="data", path=OUT)],
    )
    needs = [plan.Need(step="extract", because="reference")]
    return plan.ProcessingStep(name="use", needs=needs, cache=cache, container=container)


def record(report: Report, step: str = "extract") -> dict[str, Any]:
    return json.loads((report.folder / "manifest.json").read_text())["steps"][step]


def why(report: Report, step: str = "extract") -> str:
    return record(report, step)["cache"]["why"]


def test_the_second_run_runs_nothing(world: World) -> None:
    world(extract(), use())
    assert world.executor.ran == ["extract", "use"]
    second = world(extract(), use())
    assert world.executor.ran == []
    assert [event.state for event in second.steps.values()] == [State.CACHED, State.CACHED]
    assert second.steps["use"].reason == "taken from run r1, 0 s ago"
    assert record(second)["left"] == {
        "addresses": {"data": "s3://b-1/delays/r1/extract/data/"},
        "reports": {"report": "../r1/outputs/extract/data/report.json"},
        "properties": {"arn": "local:r1-extract", "job_name": "r1-extract"},
    }
    assert record(second)["outputs"]["data"]["files"] == 1


def test_values_of_a_cached_report_decide(world: World) -> None:
    test = plan.Compare(
        operator="==", left=plan.ReportValue(step="extract", report="report", path=["score"]), right=0.5
    )
    gate = plan.ConditionStep(name="gate", needs=[plan.Need(step="extract", because="reference")], test=test)
    world(extract(), gate)
    assert world(extract(), gate).steps["gate"].result == "0.5 == 0.5: yes"


def test_a_changed_value_runs_the_step_and_those_that_use_it(world: World) -> None:
    world(extract(), use())
    second = world(extract(), use(), parameters={"rows": "4"})
    assert world.executor.ran == ["extract", "use"]
    assert record(second)["cache"]["changed"] == ["arguments.0"]
    assert record(second, "use")["cache"] | {"key": "", "fields": {}} == {
        "why": "changed", "run": "r1", "changed": ["inputs.data"], "key": "", "fields": {}
    }  # fmt: skip
    world(extract(), use())
    assert world.executor.ran == []


def test_a_result_is_as_old_as_the_run_that_made_it(world: World) -> None:
    world(extract(expire_after=3600))
    assert why(world(extract(expire_after=3600), started="2026-01-01T00:59:59Z")) == "hit"
    assert why(world(extract(expire_after=3600), started="2026-01-01T01:00:01Z")) == "expired"
    hit = world(extract(), started="2026-01-03T01:00:01Z")
    assert hit.steps["extract"].reason == "taken from run r3, 2 d ago"


@pytest.mark.parametrize("what", ["deleted", "edited", "longer", "run deleted", "list deleted", "manifest damaged"])
def test_a_result_that_is_not_whole_does_not_count(world: World, what: str) -> None:
    first = world(extract())
    file = world.outputs(1) / "report.json"
    match what:
        case "deleted":
            file.unlink()
        case "edited":
            file.write_text('{"score": 0.6}')
            os.utime(file, ns=(1, 1))
        case "longer":
            file.write_text(REPORT + " ")
        case "run deleted":
            first.folder.rename(world.folder / "gone")
        case "list deleted":
            (first.folder / "steps/extract/outputs.json").unlink()
        case "manifest damaged":
            (first.folder / "manifest.json").write_text("{")
    assert why(world(extract())) == "outputs are gone"
    assert why(world(extract())) == "hit"


def test_a_result_that_was_only_touched_counts(world: World) -> None:
    world(extract())
    os.utime(world.outputs(1) / "report.json", ns=(1, 1))
    assert why(world(extract())) == "hit"


def test_a_failed_step_leaves_no_result(world: World, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    report = {"report": "absent.json"}
    outputs = [plan.Output(name="data", path=OUT, to="s3://other/../x/", reports=report)]
    assert world(extract(outputs=outputs)).state is State.FAILED
    assert why(world(extract())) == "no earlier run"


def test_sample_data_counts_by_its_content(world: World, tmp_path: Path) -> None:
    sample = tmp_path / "sample"
    sample.mkdir()
    (sample / "a.txt").write_text("1")
    step = extract(inputs=[plan.Input(name="raw", source="s3://raw/day/", path="/opt/ml/processing/input/raw")])
    data = {"s3://raw/day": sample}
    world(step, data=data)
    assert why(world(step, data=data)) == "hit"
    (sample / "a.txt").write_text("2")
    assert record(world(step, data=data))["cache"]["changed"] == ["inputs.raw.content"]
    (sample / "b.txt").write_text("")
    assert record(world(step, data=data))["cache"]["changed"] == ["inputs.raw.content"]
    (sample / "b.txt").unlink()
    assert why(world(step, data=data)) == "hit"


def test_data_in_the_store_counts_by_its_content_too(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "state/s3/raw/day"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("1")
    step = extract(inputs=[plan.Input(name="raw", source="s3://raw/day/", path="/opt/ml/processing/input/raw")])
    world(step)
    (folder / "a.txt").write_text("2")
    assert why(world(step)) == "changed"


def test_what_stands_in_for_the_image_and_what_runs_it_count(world: World) -> None:
    world(extract())
    assert record(world(extract(), images={"img:1": "img:2"}))["cache"]["changed"] == ["image.here"]
    world.executor = replace(world.executor, name="another")
    assert "executor" in record(world(extract()))["cache"]["changed"]


def test_force_looks_for_nothing_and_leaves_results(world: World) -> None:
    world(extract(), use())
    forced = world(extract(), use(), selection=Selection(forced=None))
    assert (why(forced), why(forced, "use")) == ("forced", "forced")
    assert record(world(extract(), use()))["cache"]["run"] == "r2"
    some = world(extract(), use(), selection=Selection(forced=frozenset({"use"})))
    assert (why(some), why(some, "use")) == ("hit", "forced")


def test_results_that_cannot_be_listed_are_a_warning(world: World, tmp_path: Path) -> None:
    (tmp_path / "state/cache").mkdir(parents=True)
    (tmp_path / "state/cache/steps").write_text("no folder")
    assert world(extract()).state is State.SUCCEEDED
    [told] = [e.text for e in world.events if isinstance(e, Notice) and e.warning]
    assert told.startswith("extract: later runs will not find its results: ")


def test_a_step_without_a_cache_has_no_record_of_one(world: World) -> None:
    step = extract().model_copy(update={"cache": None})
    world(step)
    second = world(step)
    assert world.executor.ran == ["extract"]
    assert "cache" not in record(second)
    assert record(second)["outputs"]["data"]["bytes"] == len(REPORT)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.dictionaries(st.sampled_from("abcde"), st.sampled_from("123")), edit=st.data())
def test_a_compared_field_always_counts_and_another_never(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, str], edit: st.DataObject
) -> None:
    world = World(tmp_path_factory.mktemp("world"))
    after = edit.draw(st.one_of(st.just(before), st.dictionaries(st.sampled_from("abcde"), st.sampled_from("123"))))

    def step(fields: dict[str, str], **more: Any) -> plan.ProcessingStep:
        return extract(**more).model_copy(update={"cache": plan.Caching(fields=dict(fields))})

    world(step(before))
    second = world(step(after, timeout=7, instance_type="ml.m5.4xlarge", arguments=["not", "compared"]))
    assert why(second) == ("hit" if before == after else "changed")
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert {*record(second)["cache"]["changed"]} == changed
