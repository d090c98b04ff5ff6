"""A project with scripts, into which a case is laid."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "projects" / "research" / "ctr"
    folder.mkdir(parents=True)
    for script in ("extract.py", "train.py", "evaluate.py"):
        (folder / script).write_text("print('hello')\n")
    monkeypatch.chdir(folder)
    return folder
