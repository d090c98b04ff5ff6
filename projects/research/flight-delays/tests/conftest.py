"""Imports this project's step modules, whose names other projects have too."""

import importlib
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
REPOSITORY = PROJECT.parents[2]


@pytest.fixture
def step_module(monkeypatch):
    """A function that imports a module of this project by name; afterwards `sys.modules` is as it was."""
    names = [path.stem for path in PROJECT.glob("*.py")]
    before = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    monkeypatch.setattr(sys, "path", [str(PROJECT), str(REPOSITORY), *sys.path])
    importlib.invalidate_caches()
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)
    sys.modules.update(before)
