"""A diagnostic says how the wrong value came to stand where it stands, and only where that is no matter of course."""

from __future__ import annotations

from pathlib import Path

import pytest

from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver import check

STEP = "type: training, code: a.py, image: docker.io/library/python:3.11"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "ctr"  # the pipeline's name
    (folder / ".git").mkdir(parents=True)
    (folder / "a.py").touch()
    monkeypatch.chdir(folder)
    return folder


def wrong(pipeline: str, *settings: str, **files: str) -> tuple[Diagnostic, ...]:
    for name, text in {"pipeline": pipeline, **files}.items():
        Path(f"{name}.yaml").write_text(text)
    with pytest.raises(PipelineError) as caught:
        check(Path("pipeline.yaml"), backend="local", settings=settings)
    return caught.value.diagnostics


def test_a_value_over_another_names_the_file_that_it_overrides(folder: Path) -> None:
    base = f"steps:\n  s:\n    timeout: 1h\n  t: {{{STEP}}}\n"
    [found] = wrong(f"extends: base.yaml\nsteps:\n  s: {{{STEP}, timeout: soon}}\n", base=base)
    assert found.note == "overrides base.yaml:3"


def test_a_setting_names_every_line_that_it_overrides_from_the_highest(folder: Path) -> None:
    base = "steps:\n  s:\n    timeout: 1h\n"
    pipeline = f"extends: base.yaml\nsteps:\n  s: {{{STEP}, timeout: 2h}}\n"
    [found] = wrong(pipeline, "steps.s.timeout=soon", base=base)
    assert found.span is not None
    assert (found.span.file, found.note) == ("--set steps.s.timeout", "overrides pipeline.yaml:3, base.yaml:3")


def test_a_default_is_called_one_with_the_steps_that_have_it(folder: Path) -> None:
    [found] = wrong(f"defaults: {{timeout: soon}}\nsteps:\n  s: {{{STEP}}}\n")
    assert found.note == "set by defaults"
    steps = "".join(f"  s{i}: {{{STEP}}}\n" for i in range(5))
    [found] = wrong(f"defaults: {{by_type: {{training: {{timeout: soon}}}}}}\nsteps:\n{steps}")
    assert found.note == "set by defaults.by_type.training, for 5 steps: s0, s1, s2 and 2 more"


def test_a_default_of_the_environment_is_called_one(folder: Path) -> None:
    [found] = wrong(f"steps:\n  s: {{{STEP}}}\n", environment="name: research\ndefaults: {timeout: soon}\n")
    assert found.note == "set by the environment for every step"


def test_a_step_may_have_another_value_than_its_defaults_without_a_word(folder: Path) -> None:
    [found] = wrong(f"defaults: {{timeout: 1h}}\nsteps:\n  s: {{{STEP}, timeout: soon}}\n")
    assert found.note is None


def test_a_default_over_a_lower_layers_default_names_both(folder: Path) -> None:
    pipeline = f"extends: base.yaml\ndefaults: {{timeout: soon}}\nsteps:\n  s: {{{STEP}}}\n"
    [found] = wrong(pipeline, base="defaults: {timeout: 1h}\n")
    assert found.note == "set by defaults"


def test_a_value_that_a_variable_gives_names_the_variables_line(folder: Path) -> None:
    [found] = wrong(f"variables:\n  t: soon\nsteps:\n  s: {{{STEP}, timeout: '${{variables.t}}'}}\n")
    assert found.note == "${variables.t} is set in pipeline.yaml:2"


def test_a_missing_value_has_no_note(folder: Path) -> None:
    assert [d.note for d in wrong("steps:\n  s: {type: fail}\n")] == [None]
