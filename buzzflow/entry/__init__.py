"""The two files that start a step's code in its container; both travel in every bundle."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def entry_files() -> tuple[tuple[str, Path], ...]:
    """Return each file's path in a bundle, and where it lies here.

    A job runs `/bin/sh <bundle>/entry.sh <interpreter> <entry point in the bundle> [argument…]`.
    """
    return tuple((name, _FOLDER / name) for name in ("entry.py", "entry.sh"))
