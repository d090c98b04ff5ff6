"""The functions of `import buzzflow`: what they return, what they raise, and that their examples are true."""

from __future__ import annotations

import doctest
import json
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

import buzzflow
from buzzflow.api import events, pipelines, runs

GOLDENS = sorted(file.parent for file in (Path(__file__).parents[1] / "goldens").glob("*/pipeline.yaml"))
TYPO = "steps.train.inputs.train=${step:extract.outputs.trian}"


@pytest.mark.parametrize("module", [pipelines, runs, events], ids=lambda module: module.__name__)
def test_the_examples_of_the_docstrings_are_true(module: object, flights: Path) -> None:
    names = {name: getattr(buzzflow, name) for name in buzzflow.__all__}
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    found = [t for t in finder.find(module, extraglobs=names) if t.examples]
    told: list[str] = []
    for example in found:
        runner.run(example, out=told.append)
    assert found
    assert not told, "".join(told)


def test_every_public_name_is_there_and_says_what_it_is() -> None:
    assert sorted(buzzflow.__all__) == buzzflow.__all__
    for name in buzzflow.__all__:
        assert getattr(buzzflow, name).__doc__
    assert set(buzzflow.__all__) <= set(dir(buzzflow))
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        buzzflow.laod  # type: ignore[attr-defined]  # noqa: B018


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import buzzflow, sys; print(*sorted(m for m in sys.modules if m.startswith(('buzzflow', 'pydantic', 'yaml'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["buzzflow", "buzzflow.diagnostics"]


def test_a_pipeline_says_what_its_file_says(flights: Path) -> None:
    pipeline = buzzflow.load(flights)
    assert (pipeline.name, pipeline.description, pipeline.owner) == ("flights", "Counts", "ops")
    assert (pipeline.file, pipeline.backend) == (flights / "pipeline.yaml", "local")
    assert list(pipeline.steps) == ["extract", "train", "gate", "reject"]
    rows = pipeline.parameters["rows"]
    assert (rows.type, rows.default, rows.description) == ("integer", 2, "How many")


def test_a_step_says_what_its_file_says(flights: Path) -> None:
    pipeline = buzzflow.load(flights)
    extract, train = pipeline.steps["extract"], pipeline.steps["train"]
    assert train.needs == ("extract",)
    assert train.inputs["train"].source == "${step:extract.outputs.train}"
    assert train.hyperparameters == {"depth": "3", "label": "n=${param:rows}"}
    assert train.instance is not None
    assert (train.instance.type, train.instance.count, train.timeout) == ("ml.m5.2xlarge", 1, 3600)
    assert train.code is not None
    assert train.code.entry_point == "train.py"
    assert "src/train.py" in train.code.files
    assert extract.arguments == ("--rows", "${param:rows}")
    assert extract.outputs["train"].path == "/opt/ml/processing/output/train"
    assert pipeline.steps["reject"].branch == ("gate", False)
    assert pipeline.steps["reject"].instance is None


def test_a_step_that_is_not_there_is_told_with_a_close_name(flights: Path) -> None:
    with pytest.raises(KeyError, match="there is no step 'trian': did you mean 'train'"):
        buzzflow.load(flights).steps["trian"]


def test_what_a_step_compiles_to_is_found_in_a_branch_too(flights: Path) -> None:
    (flights / "environment.yaml").write_text(
        "{name: research, region: eu-west-1, bucket: b-1, role: 'arn:aws:iam::111122223333:role/r'}"
    )
    pipeline = buzzflow.load(flights)
    assert pipeline.backend == "sagemaker"
    assert pipeline.steps["reject"].definition["Type"] == "Fail"
    assert pipeline.compile().step("train")["Arguments"]["ResourceConfig"]["InstanceType"] == "ml.m5.2xlarge"
    with pytest.raises(KeyError):
        pipeline.compile().step("trian")


def test_compiling_twice_gives_the_same_bytes(flights: Path) -> None:
    first, second = buzzflow.compile(flights), buzzflow.compile(flights, backend="local")
    assert first == second
    assert first.json()["steps"][0]["name"] == "extract"
    assert json.loads(str(first)) == first.json()
    assert str(first).startswith("{\n  ")


def test_what_is_wrong_reads_like_the_command_line(flights: Path) -> None:
    (flights / "pipeline.yaml").write_text(
        (flights / "pipeline.yaml").read_text().replace("outputs.train}", "outputs.trian}")
    )
    with pytest.raises(buzzflow.PipelineError) as caught:
        buzzflow.compile(flights)
    assert str(caught.value) == (
        "error[BF302]: step 'extract' has no output 'trian'\n"
        "  --> flights/pipeline.yaml:15:21\n"
        '  15 |     inputs: {train: "${step:extract.outputs.trian}"}\n'
        "     |                     ^\n"
        "  at: steps.train.inputs.train.from\n"
        "  help: did you mean 'train'?\n\n1 error"
    )
    assert [d.code for d in caught.value.diagnostics] == ["BF302"]


def test_validate_raises_for_no_mistake(flights: Path, tmp_path: Path) -> None:
    assert buzzflow.validate() == []  # a tree
    assert [d.code for d in buzzflow.validate(flights, set=TYPO)] == ["BF302"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "pipeline.yaml").write_text("steps: []\n")
    found = buzzflow.validate([flights, other, tmp_path / "none"])
    assert {d.code for d in found} >= {"BF100"}
    assert len(found) == 2
    assert all(d.is_error for d in found)


def test_a_run_says_how_each_step_ended_and_what_it_left(flights: Path) -> None:
    events: list[object] = []
    report = buzzflow.run_local(flights, parameters={"rows": 4}, executor="process", on_event=events.append)
    assert (report.state, report.succeeded) == ("succeeded", True)
    assert {name: step.state for name, step in report.steps.items()} == {
        "extract": "succeeded", "train": "succeeded", "gate": "succeeded", "reject": "skipped",
    }  # fmt: skip
    assert (report.steps["extract"].outputs["train"] / "rows.txt").read_text() == "x\n" * 4
    train = report.steps["train"]
    assert train.metrics == {"rows": 4.0}
    assert train.model is not None
    with tarfile.open(train.model) as archive:
        assert archive.getnames() == ["model.txt"]
    assert train.log is not None
    assert train.log.read_text() == "rows=4 depth=3\n"
    assert report.folder.is_relative_to(flights.parent / ".buzzflow" / "runs")
    assert len(events) > 8


def test_a_step_that_fails_is_in_the_report(flights: Path) -> None:
    report = buzzflow.run_local(flights, parameters={"rows": 0}, executor="process")
    assert (report.state, report.steps["reject"].reason) == ("failed", "no rows")


def test_a_run_that_cannot_start_raises(flights: Path) -> None:
    with pytest.raises(buzzflow.PipelineError, match=r"error\[BF500\]: there is no parameter 'row'"):
        buzzflow.run_local(flights, parameters={"row": 4}, executor="process")


def test_a_run_is_a_stream_of_events(flights: Path) -> None:
    run = buzzflow.run_events(flights, parameters={"rows": 4}, executor="process")
    with pytest.raises(RuntimeError, match="has not ended"):
        _ = run.report
    told = [*run]
    assert isinstance(told[-1], buzzflow.RunFinished)
    [started] = [event for event in told if isinstance(event, buzzflow.RunStarted)]
    assert [name for name, _ in started.steps] == ["extract", "train", "gate", "reject"]
    assert [e.line for e in told if isinstance(e, buzzflow.StepLine)] == ["rows=4 depth=3"]
    assert run.report.succeeded
    assert [*run] == []  # once


def test_who_leaves_a_stream_early_stops_the_run(flights: Path) -> None:
    (flights / "extract.py").write_text("import time\nprint('waiting', flush=True)\ntime.sleep(60)\n")
    begun = time.monotonic()
    with buzzflow.run_events(flights, executor="process") as run:
        for event in run:
            if isinstance(event, buzzflow.StepLine):
                break
    assert time.monotonic() - begun < 30
    assert run.report.state == "stopped"
    assert run.report.steps["train"].state == "skipped"


def test_a_stream_can_be_stopped_and_followed_to_its_end(flights: Path) -> None:
    (flights / "extract.py").write_text("import time\nprint('waiting', flush=True)\ntime.sleep(60)\n")
    run = buzzflow.run_events(flights, executor="process")
    ended = {}
    for event in run:
        if isinstance(event, buzzflow.StepLine):
            run.stop()
        if isinstance(event, buzzflow.StepFinished):
            ended[event.step] = event.state
    assert ended["extract"] is buzzflow.State.STOPPED
    assert run.report.state == "stopped"


def test_a_stream_that_cannot_start_raises(flights: Path) -> None:
    with pytest.raises(buzzflow.PipelineError, match="no parameter 'row'"):
        [*buzzflow.run_events(flights, parameters={"row": 4}, executor="process")]


@pytest.mark.parametrize("folder", GOLDENS, ids=lambda f: f.name)
def test_every_type_of_step_can_be_looked_at(folder: Path) -> None:
    pipeline = buzzflow.load(folder, backend="sagemaker")
    for name, step in pipeline.steps.items():
        assert step.definition["Name"] == name
        assert set(step.needs) <= set(pipeline.steps)
        assert all("${}" not in item.source for item in step.inputs.values())
