"""Instance types are written into YAML in many spellings: one line changes, and nothing else; or the reason is told."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest

from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver.applying import apply_changes
from buzzflow.driver.stages import check
from buzzflow.instances.change import Applied, Change

CASES = sorted((Path(__file__).parent / "applying").glob("*.yaml"))
NEW = "ml.c5.xlarge"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "projects" / "ctr"
    folder.mkdir(parents=True)
    (folder / "train.py").write_text("print(1)\n")
    monkeypatch.chdir(folder)
    return folder


def write(project: Path, text: str, name: str = "pipeline.yaml") -> Path:
    file = project / name
    file.write_text(text)
    return file


def applied(file: Path, step: str = "train", asked: str | None = None) -> Applied:
    return apply_changes(file, [Change(step, NEW, asked)])


def problem(done: Applied) -> Diagnostic:
    [found] = done.problems
    assert done.before == done.after == done.file.read_bytes().decode()
    return found


# ------------------------------------------------------------------ one line changes


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_only_the_line_of_the_instance_changes(case: Path, project: Path) -> None:
    file = project / "pipeline.yaml"
    file.write_bytes(case.read_bytes())
    done = applied(file)
    assert done.problems == ()
    after = file.read_bytes().decode()
    assert check(file).config.steps["train"].instance.type == NEW
    lines = [text.splitlines(keepends=True) for text in (case.read_bytes().decode(), after)]
    changed = [line for line in difflib.ndiff(*lines) if line[0] in "+-"]
    if case.stem != "no-last-line-end":
        assert [line[0] for line in changed] in (["-", "+"], ["+"])
    golden = case.with_suffix(".diff")
    told = "".join(f"{line!r}\n" for line in changed)
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(told)
    assert told == golden.read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_second_time_changes_nothing(case: Path, project: Path) -> None:
    file = project / "pipeline.yaml"
    file.write_bytes(case.read_bytes())
    applied(file)
    again = applied(file)
    assert (again.before, again.done, again.problems) == (again.after, (), ())


def test_the_file_keeps_its_mode_and_leaves_nothing_beside_it(project: Path) -> None:
    file = write(project, "steps: {train: {type: training, code: train.py}}\n")
    file.chmod(0o640)
    applied(file)
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in project.iterdir()) == ["pipeline.yaml", "train.py"]


def test_several_changes_are_written_at_once_and_what_cannot_be_is_told(project: Path) -> None:
    file = write(project, "steps:\n  a: {type: training, code: train.py}\n  b: {type: processing, code: train.py}\n")
    done = apply_changes(file, [Change("a", NEW, None), Change("c", NEW, None), Change("b", NEW, "ml.m5.xlarge")])
    assert [change.step for change in done.done] == ["a", "b"]
    assert [problem.code for problem in done.problems] == ["BF512"]
    assert file.read_text().count(NEW) == 2


def test_a_link_is_followed_inside_the_repository_and_not_out_of_it(project: Path, tmp_path: Path) -> None:
    text = "steps: {train: {type: training, code: train.py}}\n"
    (project / "real.yaml").write_text(text)
    (project / "pipeline.yaml").symlink_to("real.yaml")
    applied(project / "pipeline.yaml")
    assert NEW in (project / "real.yaml").read_text()
    assert (project / "pipeline.yaml").is_symlink()


# ------------------------------------------------------------------ what cannot be written


def test_a_type_that_has_changed_since_the_run_is_left(project: Path) -> None:
    file = write(project, "steps: {train: {type: training, code: train.py, instance: ml.m5.large}}\n")
    found = problem(applied(file, asked="ml.m5.4xlarge"))
    assert found.code == "BF513"
    assert found.summary == "step 'train' asked for ml.m5.4xlarge in the run, and pipeline.yaml says ml.m5.large"
    assert applied(file, asked="ml.m5.large").problems == ()


REFERENCE = """\
variables: {big: ml.m5.4xlarge}
steps:
  train:
    type: training
    code: train.py
    instance: {type: "${variables.big}"}
"""
SHARED = """\
variables:
  big: &big {type: ml.m5.4xlarge}
steps:
  train: {type: training, code: train.py, instance: *big}
"""
SHARING = """\
steps:
  train: {type: training, code: train.py, instance: &big {type: ml.m5.4xlarge}}
  score: {type: processing, code: train.py, instance: *big}
"""
COPIES = """\
steps:
  train: {type: training, code: train.py, foreach: {region: [kr, us]}}
"""
GROUP = """\
parameters: {days: "[1, 2]"}
steps:
  days:
    type: foreach
    items: "${param:days}"
    steps:
      train: {type: training, code: train.py}
"""
ENVIRONMENT = """\
name: research
region: us-east-1
account: "123456789012"
bucket: my-bucket
role: arn:aws:iam::123456789012:role/sagemaker
"""


@pytest.mark.parametrize(
    ("text", "step", "told", "line"),
    [
        (REFERENCE, "train", "cannot be changed where it stands: it is ${variables.big}", 6),
        (SHARED, "train", "an anchor (&) and its alias (*) share it with other places", 2),
        (SHARING, "train", "an anchor (&) and its alias (*) share it with other places", 2),
        (COPIES, "train-kr", "step 'train-kr' is a copy of 'train', and all copies share its instance", 2),
    ],
)
def test_what_other_places_share_is_not_changed(text: str, step: str, told: str, line: int, project: Path) -> None:
    found = problem(applied(write(project, text), step))
    assert found.code == "BF514"
    assert told in found.summary
    assert found.span is not None
    assert (found.span.file, found.span.line) == ("pipeline.yaml", line)
    assert f"write instance: {{type: {NEW}}} into" in (found.hint or "")


def test_a_step_in_a_group_is_changed_by_hand(project: Path) -> None:
    write(project, ENVIRONMENT, "environment.yaml")
    found = problem(applied(write(project, GROUP)))
    assert (found.code, found.summary) == ("BF514", "step 'train' stands in a group")
    assert found.span is not None
    assert found.span.line == 7


def test_a_step_of_another_file_is_changed_there_by_hand(project: Path) -> None:
    write(project, "steps: {train: {type: training, code: train.py}}\n", "common.yaml")
    for word in ("include", "extends"):
        file = write(project, f"{word}: [common.yaml]\nsteps: {{score: {{type: processing, code: train.py}}}}\n")
        found = problem(applied(file))
        assert found.summary == "step 'train' stands in common.yaml, which other pipelines may share"
        assert found.hint == f"write instance: {{type: {NEW}}} there"
        assert found.span is not None
        assert found.span.file == "common.yaml"


def test_a_step_that_lies_over_another_file_is_changed_where_it_lies_over(project: Path) -> None:
    base = "steps: {train: {type: training, code: train.py, instance: ml.m5.4xlarge}}\n"
    write(project, base, "common.yaml")
    file = write(project, "extends: [common.yaml]\nsteps:\n  train:\n    timeout: 1h\n")
    assert applied(file, asked="ml.m5.4xlarge").problems == ()
    assert file.read_text().splitlines()[3] == f"    instance: {{type: {NEW}}}"
    assert (project / "common.yaml").read_text() == base


def test_a_file_outside_the_repository_is_never_touched(tmp_path: Path) -> None:
    text = "steps: {train: {type: training, code: train.py}}\n"
    outside = tmp_path / "outside" / "pipeline.yaml"
    outside.parent.mkdir()
    outside.write_text(text)
    inside = tmp_path / "repository" / "pipeline.yaml"
    (inside.parent / ".git").mkdir(parents=True)
    inside.symlink_to(outside)
    (inside.parent / "train.py").write_text("print(1)\n")
    (outside.parent / "train.py").write_text("print(1)\n")
    with pytest.raises(PipelineError) as error:
        applied(inside)
    assert error.value.diagnostics[0].summary == f"{inside} leads out of the repository"
    assert outside.read_text() == text


def test_a_pipeline_with_errors_is_not_touched(project: Path) -> None:
    text = "steps: {train: {type: training, code: absent.py}}\n"
    file = write(project, text)
    with pytest.raises(PipelineError):
        applied(file)
    assert file.read_text() == text


def test_a_file_that_would_have_errors_is_restored(project: Path) -> None:
    text = "budget: 10\nsteps: {train: {type: training, code: train.py, timeout: 1h, instance: ml.m5.large}}\n"
    file = write(project, text)
    write(project, ENVIRONMENT, "environment.yaml")
    with pytest.raises(PipelineError) as error:
        apply_changes(file, [Change("train", "ml.p4d.24xlarge", None)])
    assert error.value.diagnostics[0].code == "BF515"
    assert len(error.value.diagnostics) > 1
    assert file.read_text() == text


def test_more_than_the_type_would_change_where_a_null_hides_defaults(project: Path) -> None:
    text = "defaults: {instance: {count: 3}}\nsteps: {train: {type: training, code: train.py, instance: null}}\n"
    file = write(project, text)
    with pytest.raises(PipelineError) as error:
        applied(file)
    assert [found.code for found in error.value.diagnostics] == ["BF515"]
    assert file.read_text() == text
