"""Every case is a pipeline that says, on the line, what is wrong with it; beside it stands the screen it gives."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from buzzflow.diagnostics import PipelineError
from buzzflow.driver import check
from buzzflow.loader.files import line_of
from buzzflow.views.problems import human

HERE = Path(__file__).parent
CASES = sorted((HERE / "cases").glob("*.yaml"))
_MARK = re.compile(r"# (BF\d{3})(?:@(\d+))?")


def _expected(text: str) -> set[tuple[str, int]]:
    found = set()
    for number, line in enumerate(text.splitlines(), 1):
        for match in _MARK.finditer(line):
            found.add((match[1], int(match[2] or number)))
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.stem)
def test_a_wrong_pipeline_is_told_on_its_line(case: Path, project: Path) -> None:
    text = case.read_text()
    (project / "pipeline.yaml").write_text(text)

    with pytest.raises(PipelineError) as caught:
        check(project)

    found = {(d.code, d.span.line if d.span else 0) for d in caught.value.diagnostics}
    assert found == _expected(text)
    assert {d.span.file for d in caught.value.diagnostics if d.span} == {"pipeline.yaml"}
    screen = human(caught.value.diagnostics, line_of).replace(str(project.parents[2]), "<root>") + "\n"
    golden = case.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(screen)
    assert screen == golden.read_text()


def test_every_code_has_a_test() -> None:
    root = HERE.parents[1]
    released = set()
    for source in (root / "buzzflow").rglob("*.py"):
        released |= set(re.findall(r'"(BF\d{3})"', source.read_text()))
    tested = {case.stem[:5] for case in CASES} | {folder.name for folder in (HERE / "corpus").iterdir()}
    for test in (root / "tests").rglob("test_*.py"):
        tested |= set(re.findall(r"BF\d{3}", test.read_text()))
    assert sorted(released - tested) == []
