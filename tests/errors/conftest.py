"""A project with scripts, into which a case is laid."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # for tests.errors.case, whichever way pytest was started

FILES = {
    "extract.py": "print('hello')\n",
    "train.py": "print('hello')\n",
    "evaluate.py": "print('hello')\n",
    "explore.ipynb": "{}\n",
    "serving/inference.py": "print('hello')\n",
    "settings/schema.json": "{}\n",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "projects" / "research" / "ctr"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.chdir(folder)
    return folder
