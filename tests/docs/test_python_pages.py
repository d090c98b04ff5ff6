"""Every Python snippet of docs/python.md and docs/testing.md runs in a project of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```(?:python|yaml)\n(?:# (\S+\.(?:py|yaml))\n)?(.*?)^```$", re.MULTILINE | re.DOTALL)


def written(page: str, folder: Path) -> list[str]:
    """Write the blocks that name a file, and return the others."""
    (folder / ".git").mkdir()
    loose = []
    for name, text in _BLOCK.findall((DOCS / page).read_text("utf-8")):
        if name:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        else:
            loose.append(text)
    return loose


def test_the_snippets_of_the_python_page_run_one_after_another(tmp_path: Path) -> None:
    snippets = written("python.md", tmp_path)
    assert len(snippets) >= 6
    (tmp_path / "page.py").write_text("".join(snippets))
    done = subprocess.run([sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "trian.py" in done.stdout


@pytest.mark.slow
def test_the_tests_of_the_testing_page_pass(tmp_path: Path) -> None:
    assert written("testing.md", tmp_path) == []
    names = {k: v for k, v in os.environ.items() if k not in ("CI", "UPDATE_GOLDEN")}
    pytest_command = [sys.executable, "-m", "pytest", "-q", "--strict-markers"]
    for variables in ({"UPDATE_GOLDEN": "1"}, {}):
        done = subprocess.run(
            pytest_command, cwd=tmp_path, env=names | variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
        assert "5 passed" in done.stdout
