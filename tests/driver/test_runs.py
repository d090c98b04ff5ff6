"""Runs of this machine are found by id, by what is unique of it, by their folder, and by their pipeline."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from buzzflow.backends.local.records.manifest import Manifest, write_manifest
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.runs import all_runs, find_run, last_run, manifest_of, run_of, state_folder

OLD, MIDDLE, NEW = "20260101-090000-aaaa", "20260102-090000-bbbb", "20260102-093000-cccc"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    for name in ("ctr", "churn"):
        (tmp_path / "projects" / name).mkdir(parents=True)
        (tmp_path / "projects" / name / "pipeline.yaml").write_text("steps: {}\n")
    for run, name in ((MIDDLE, "ctr"), (OLD, "churn"), (NEW, "churn")):
        keep(tmp_path, run, f"projects/{name}/pipeline.yaml")
    return tmp_path


def keep(repository: Path, run: str, file: str) -> Path:
    folder = repository / ".buzzflow" / "runs" / run
    folder.mkdir(parents=True)
    manifest = Manifest(
        run=run, pipeline="p", file=file, buzzflow="0", executor="process", machine="m", owner="o", started="", steps={}
    )
    write_manifest(manifest, folder)
    return folder


def problem(error: pytest.ExceptionInfo[PipelineError]) -> Diagnostic:
    [found] = error.value.diagnostics
    return found


def test_runs_come_newest_first_and_folders_without_manifest_are_none(repository: Path) -> None:
    state = state_folder(repository)
    (state / "runs" / "20270101-000000-dddd").mkdir()
    (state / "runs" / "notes.txt").write_text("mine")
    assert [run.name for run in all_runs(state)] == [NEW, MIDDLE, OLD]


def test_of_runs_of_one_second_the_later_one_is_newer(repository: Path) -> None:
    state = state_folder(repository)
    for when, run in enumerate(("20260301-000000-ffff", "20260301-000000-1111")):
        plan = keep(repository, run, "x") / "run-plan.json"
        plan.write_text("{}")
        os.utime(plan, ns=(when, when))
    assert [run.name[-4:] for run in all_runs(state)][:2] == ["1111", "ffff"]


def test_a_repository_without_runs_has_none(tmp_path: Path) -> None:
    assert all_runs(state_folder(tmp_path)) == []
    with pytest.raises(PipelineError) as error:
        find_run(state_folder(tmp_path), None)
    assert problem(error).code == "BF510"
    assert "create --local" in (problem(error).hint or "")


@pytest.mark.parametrize(
    ("wanted", "found"), [(None, NEW), (OLD, OLD), ("20260101", OLD), ("bbbb", MIDDLE), ("20260102-09300", NEW)]
)
def test_a_run_is_found_by_what_is_unique_of_its_id(wanted: str | None, found: str, repository: Path) -> None:
    assert find_run(state_folder(repository), wanted).name == found


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("20260102", "2 runs answer to '20260102'"),
        ("eeee", "there is no run 'eeee'"),
        ("", "there is no run ''"),
    ],
)
def test_what_names_no_run_or_several_is_told_with_their_names(wanted: str, told: str, repository: Path) -> None:
    with pytest.raises(PipelineError) as error:
        find_run(state_folder(repository), wanted)
    assert (problem(error).code, problem(error).summary) == ("BF510", told)
    assert "20260102-093000-cccc" in (problem(error).hint or "")


def test_the_last_run_is_that_of_the_pipeline_here(repository: Path) -> None:
    ctr = repository / "projects" / "ctr"
    assert run_of(None, ctr).name == MIDDLE
    assert run_of(None, repository).name == NEW  # no pipeline here: of any
    assert run_of("projects/churn", repository).name == NEW
    assert run_of("pipeline.yaml", ctr).name == MIDDLE
    assert run_of("cccc", ctr).name == NEW  # a name finds runs of all pipelines
    assert run_of(str(state_folder(ctr) / "runs" / OLD), ctr).name == OLD


def test_a_pipeline_that_has_not_run_is_told_how_to_run_it(repository: Path) -> None:
    other = repository / "projects" / "other.pipeline.yaml"
    other.write_text("steps: {}\n")
    with pytest.raises(PipelineError) as error:
        last_run(other)
    assert problem(error).hint == f"run it: buzzflow create --local {other}"


def test_a_folder_of_several_pipelines_is_ambiguous(repository: Path) -> None:
    with pytest.raises(PipelineError) as error:
        run_of("projects", repository)
    assert problem(error).summary == "projects holds 2 pipelines"


def test_a_manifest_that_cannot_be_read_is_told(repository: Path) -> None:
    run = state_folder(repository) / "runs" / NEW
    assert manifest_of(run).run == NEW
    (run / "manifest.json").write_text('{"version": 1}')
    with pytest.raises(PipelineError) as error:
        manifest_of(run)
    assert problem(error).code == "BF511"
    assert last_run(repository / "projects/churn/pipeline.yaml").name == OLD  # passes over it
