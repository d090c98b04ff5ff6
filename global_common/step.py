"""The folders and parameters of the step that is running, for code that also runs bare as `python train.py`.

    from global_common.step import inputs, outputs, model_dir, parameters

    frame = read_csv(inputs["train"] / "train.csv")
    depth = parameters.get("max_depth", 6)

buzzflow sets the variables that these four read. Without them, inputs and outputs are the folders `./data/<name>`,
the model belongs into `./data/model`, and parameters come from the command line. Everything is read when it is used.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["UndeclaredError", "inputs", "model_dir", "outputs", "parameters"]

_BARE = Path("data")


class UndeclaredError(KeyError):
    """The pipeline.yaml declares no such input or output for this step."""

    def __str__(self) -> str:
        # KeyError shows the repr of its message, which is hard to read with quotes inside.
        return str(self.args[0])


# `typing.Mapping`, as `collections.abc.Mapping` takes no parameters at run time before Python 3.9.
class _Folders(typing.Mapping[str, Path]):
    """The folders of one kind by the names that the pipeline.yaml gives them."""

    def __init__(self, kind: str, prefixes: tuple[str, ...], *, create: bool) -> None:
        self._kind = kind
        self._prefixes = prefixes
        self._create = create

    def __getitem__(self, name: str) -> Path:
        folder = self._from_variable(name)
        if folder is None:
            if _in_a_step():
                raise UndeclaredError(self._undeclared(name))
            folder = _BARE / name
        if self._create:
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def __contains__(self, name: object) -> bool:
        # Bare, every name has a path, but only an existing folder is an input: `if "validation" in inputs`.
        return isinstance(name, str) and (self._from_variable(name) is not None or name in self._names())

    def get(self, name: str, default: Any = None) -> Any:
        """Return the folder, or *default* for a name that is not in this mapping."""
        return super().get(name, default) if name in self else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __repr__(self) -> str:
        return f"<{self._kind}s: {', '.join(self) or 'none'}>"

    def _from_variable(self, name: str) -> Path | None:
        suffix = re.sub(r"[-.]", "_", name).upper()
        values = (os.environ.get(prefix + suffix) for prefix in self._prefixes)
        return next((Path(value) for value in values if value), None)

    def _names(self) -> list[str]:
        declared = os.environ.get(f"BUZZFLOW_{self._kind.upper()}S")
        if declared or _in_a_step():
            return [str(name) for name in json.loads(declared or "[]")]
        return sorted(folder.name for folder in _BARE.glob("*") if folder.is_dir())

    def _undeclared(self, name: str) -> str:
        step, kind = os.environ.get("BUZZFLOW_STEP"), self._kind
        known = ", ".join(map(repr, self)) or f"no {kind}s"
        return (
            f"step {step!r} has no {kind} {name!r}; it declares {known}. "
            f"Add {name!r} under `{kind}s:` of the step in the pipeline.yaml"
        )


class _Parameters(typing.Mapping[str, Any]):
    """The hyperparameters, or without any the `--key value` arguments.

    Each value is text, and read as JSON where it is JSON: `6`, `0.1`, `true`, `[1, 2]`. What JSON has no form for stays
    text, so `007`, `NaN` and `2026-01-01` do, and so does a number beyond the range of a float (`12e3456` is more
    likely a commit).
    """

    def __getitem__(self, name: str) -> Any:
        return self._values()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())

    def __repr__(self) -> str:
        return f"<parameters: {', '.join(self) or 'none'}>"

    def _values(self) -> dict[str, Any]:
        hyperparameters = json.loads(os.environ.get("SM_HPS") or "{}") or _arguments(sys.argv[1:])
        return {name: _decoded(value) for name, value in hyperparameters.items()}


def _arguments(argv: list[str]) -> dict[str, Any]:
    """Read `--key value`, `--key=value` and the bare `--flag`; the last of equal keys wins, the rest is not ours.

    A value that itself starts with `--` needs the form with `=`.
    """
    found: dict[str, Any] = {}
    key = None
    for argument in argv:
        if argument == "--":
            break
        if argument.startswith("--"):
            key, equals, value = argument[2:].partition("=")
            found[key] = value if equals else True
            key = None if equals else key
        elif key is not None:
            found[key] = argument
            key = None
    return found


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=_finite, parse_float=_finite)
    except ValueError:
        return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _in_a_step() -> bool:
    return bool(os.environ.get("BUZZFLOW_STEP"))


inputs = _Folders("input", ("BUZZFLOW_INPUT_", "SM_CHANNEL_"), create=False)
outputs = _Folders("output", ("BUZZFLOW_OUTPUT_",), create=True)
parameters = _Parameters()

if TYPE_CHECKING:
    model_dir: Path
else:

    def __getattr__(name: str) -> Path:
        # Made only where nothing else made it, and only when somebody asks: not when somebody imports `inputs`.
        if name != "model_dir":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        folder = Path(os.environ.get("BUZZFLOW_MODEL_DIR") or os.environ.get("SM_MODEL_DIR") or _BARE / "model")
        if not _in_a_step():
            folder.mkdir(parents=True, exist_ok=True)
        return folder
