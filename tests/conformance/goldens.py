"""The cases, what the SDK makes of them, and what buzzflow does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from buzzflow.driver import Checked, check, compile_artifact
from tests.conformance.compare import STEPS

HERE = Path(__file__).parent
CASES = sorted(file.parent.name for file in HERE.glob("cases/*/pipeline.yaml"))


def _number(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.name.partition("-")[2].split(".") if part.isdecimal())


GOLDENS = max(HERE.glob("sagemaker-*"), key=_number)  # of the newest SDK: the one that the rules are about
VERSION = GOLDENS.name.removeprefix("sagemaker-")


@cache
def sdk(name: str) -> Any:
    """Return what the SDK made: of a case, or `attempts`, or `<case>.analyses`."""
    return json.loads((GOLDENS / f"{name}.json").read_text("utf-8"))


@cache
def checked(case: str) -> Checked:
    """Return a case after every stage of buzzflow but the last."""
    return check(HERE / "cases" / case, backend="sagemaker")


@cache
def compiled(case: str) -> Any:
    """Return the definition that buzzflow makes of a case."""
    return json.loads(compile_artifact(checked(case)).content)


def steps(definition: Any) -> Iterator[Any]:
    """Yield every step, those in branches and loops too."""
    for kind in STEPS:
        for step in definition.get(kind, ()):
            yield step
            yield from steps(step["Arguments"])


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object anywhere in *value*."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner)
