"""Every file of the corpus is a mistake that people make, told with its code at its file, line and column.

The screens of all cases of a code stand beside them in `screens.txt`; `UPDATE_GOLDEN=1 pytest` writes them anew.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from buzzflow.config.schema import environment_schema, pipeline_schema
from buzzflow.config.steps import fields_by_type
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.driver import check
from buzzflow.driver.local import LocalOptions, prepared_request
from buzzflow.loader.files import line_of
from buzzflow.views.problems import human
from tests.errors.case import ENVIRONMENT, Case, Place, read_case

HERE = Path(__file__).parent
CODES = sorted(folder for folder in (HERE / "corpus").iterdir() if folder.is_dir())
CASES = {case.name: case for folder in CODES for file in sorted(folder.glob("*.yaml")) for case in [read_case(file)]}
UNSEEN = HERE / "unseen_by_the_schema.txt"
_SHAPE = re.compile(r"BF2\d\d")


def _found(case: Case, project: Path) -> tuple[Diagnostic, ...]:
    """Return what is told of *case*, warnings too."""
    case.lay(project, (HERE / ENVIRONMENT).read_text())
    try:
        checked = check(project, backend=case.backend, settings=case.settings, local=case.local)
        if case.run:
            prepared_request(checked, LocalOptions(), project / ".buzzflow")
    except PipelineError as e:
        return e.diagnostics
    return checked.warnings


def _place(diagnostic: Diagnostic, project: Path) -> Place:
    span = diagnostic.span
    if span is None:
        return (diagnostic.code, None, None, None)
    file = span.file if span.file.startswith("--set ") else os.path.relpath(span.file, project)
    return (diagnostic.code, file, span.line, span.column)


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_told_where_it_stands(name: str, project: Path) -> None:
    case = CASES[name]

    found = _found(case, project)

    assert {_place(d, project) for d in found} == set(case.expected)
    assert name[:5] in {d.code for d in found}
    told = human(found, line_of).replace(str(project.parents[2]), "<root>").replace(str(project.parents[3]), "<above>")
    screen = f"==== {name.partition('/')[2]}\n{told}\n"
    golden = HERE / "corpus" / name[:5] / "screens.txt"
    screens = _screens(golden)
    if os.environ.get("UPDATE_GOLDEN"):
        alive = {other.partition("/")[2] for other in CASES if other.startswith(name[:5])}
        screens = {n: s for n, s in (screens | {name.partition("/")[2]: screen}).items() if n in alive}
        golden.write_text("\n".join(screens[key] for key in sorted(screens)))
    assert screens.get(name.partition("/")[2]) == screen


def _screens(golden: Path) -> dict[str, str]:
    """Return the screens in a file of them by the names of their cases."""
    text = golden.read_text() if golden.exists() else ""
    parts = re.split(r"^==== (\S+)\n", text, flags=re.MULTILINE)[1:]
    found = zip(parts[::2], parts[1::2], strict=True)
    return {name: f"==== {name}\n" + screen.rstrip("\n") + "\n" for name, screen in found}


def test_every_screen_has_its_case() -> None:
    for folder in CODES:
        named = {case.partition("/")[2] for case in CASES if case.startswith(folder.name)}
        assert set(_screens(folder / "screens.txt")) == named


def test_there_are_at_least_three_hundred_bad_files() -> None:
    assert len(CASES) + len([*(HERE / "cases").glob("*.yaml")]) >= 300


def test_every_step_type_has_five_bad_files() -> None:
    """A file counts for the types of the steps that hold a mistake, not for every type that stands in it."""
    count = Counter(kind for case in CASES.values() for kind in _types_with_mistakes(case))
    assert {kind: n for kind in fields_by_type() if (n := count[kind]) < 5} == {}


def _types_with_mistakes(case: Case) -> set[str]:
    found = set()
    for code, name, line, _ in case.expected:
        if name is None or line is None or name not in case.files or not _is_known(code):
            continue
        lines = case.files[name].splitlines()
        start = next((n for n in range(line - 1, -1, -1) if re.match(r" {2}[\w\"-]", lines[n])), None)
        if start is None:
            continue
        end = next((n for n in range(start + 1, len(lines)) if re.match(r" {0,2}[\w\"-]", lines[n])), len(lines))
        kind = re.search(r"\btype: ([a-z_]+)", "\n".join(lines[start:end]))
        found |= {kind[1]} if kind else set()
    return found


def _is_known(code: str) -> bool:
    return code[2] in "12345"


# ------------------------------------------------------------------ the schema that editors use


def _parts(case: Case) -> list[tuple[Draft202012Validator, Any]]:
    """Return the YAML files of *case* with the validator of each; none that YAML cannot read."""
    found = []
    for name, text in case.files.items():
        if not name.endswith(".yaml"):
            continue
        try:
            data = yaml.safe_load(text)
        except yaml.YAMLError:
            continue
        found.append((_validator(name.endswith(ENVIRONMENT)), data))
    return found


@cache
def _validator(environment: bool) -> Draft202012Validator:
    return Draft202012Validator(environment_schema() if environment else pipeline_schema())


def _refused(case: Case) -> bool:
    return any(not validator.is_valid(data) for validator, data in _parts(case))


def test_the_schema_sees_the_mistakes_of_shape_but_for_those_in_a_list() -> None:
    shape = [c for c in CASES.values() if any(_SHAPE.match(code) for code, *_ in c.expected) and not c.settings]
    unseen = "".join(f"{case.name}\n" for case in shape if not _refused(case))
    if os.environ.get("UPDATE_GOLDEN"):
        UNSEEN.write_text(unseen)
    assert unseen == UNSEEN.read_text()
    assert len(unseen.splitlines()) < len(shape) / 2


def test_the_schema_accepts_what_has_the_right_shape() -> None:
    right = [c for c in CASES.values() if {code[2] for code, *_ in c.expected} <= {"3", "4"}]
    assert right
    assert [case.name for case in right if _refused(case)] == []
