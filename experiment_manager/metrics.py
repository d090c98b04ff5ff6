"""Report a step's metrics: as lines in its log, which SageMaker and buzzflow read, and as a JSON report."""

from __future__ import annotations

import json
import math
import os
import re
import sys
import uuid
from collections.abc import Mapping
from decimal import Decimal
from numbers import Integral
from pathlib import Path
from typing import Any, SupportsFloat

__all__ = ["log_metrics", "write_report"]

_NAME = re.compile(r"[A-Za-z0-9_./:@%-]+")


def log_metrics(
    metrics: Mapping[str, SupportsFloat] | None = None, *, step: int | None = None, **named: SupportsFloat
) -> None:
    r"""Print one line `name=value` for each metric; with *step* (an epoch, a round) `name=value step=3`.

    A mapping takes the names that are no Python names, such as `val/auc`. A value is written in full without an
    exponent, so that `metrics: {auc: 'auc=([0-9\.]+)'}` in a pipeline.yaml reads back the same number. That regular
    expression also finds `auc=` in `val_auc=`: where both are logged, write `'^auc=…'`.

    Raises ValueError for NaN, an infinity or a name with other characters than letters, digits and `_./:@%-`, and
    TypeError for what is no number; then nothing is printed.
    """
    suffix = "" if step is None else f" step={int(step)}"
    lines = [
        f"{_name(name)}={_text(_number(value, name))}{suffix}\n" for name, value in {**(metrics or {}), **named}.items()
    ]
    sys.stdout.write("".join(lines))
    sys.stdout.flush()


def write_report(path: str | os.PathLike[str], metrics: Mapping[str, Any]) -> Path:
    """Write *metrics* to *path* as JSON, for `${json:…}` in a pipeline.yaml, and return the path.

    Values are numbers, text, booleans, None, and mappings and sequences of these; numpy's scalars and arrays become
    plain ones. Keys are sorted, the folder is made, and the file appears at once or not at all. Raises ValueError for
    NaN and infinities, which JSON does not have, and TypeError for any other value.
    """
    path = Path(path)
    text = json.dumps(_plain(metrics, ""), allow_nan=False, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except BaseException:
        if part.exists():
            part.unlink()
        raise
    return path


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"metric name {name!r} may have only letters, digits and _./:@%-")
    return name


def _text(number: float) -> str:
    # repr is the shortest text that round-trips; Decimal writes it without the exponent that regexes miss.
    return format(Decimal(repr(number)), "f")


def _number(value: Any, name: str) -> float:
    """Return a finite int or float; a Python int stays exact."""
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise TypeError(f"metric {name!r} is no number but {type(value).__name__}")
    number = int(value) if isinstance(value, Integral) else float(value)
    if not math.isfinite(number):
        raise ValueError(f"metric {name!r} is {number}, which is no finite number")
    return number


def _plain(value: Any, name: str) -> Any:
    """Return *value* in JSON's own types; *name* is its dotted place in the report, for the errors."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, Mapping):
        return {_key(key, name): _plain(item, f"{name}.{key}".lstrip(".")) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{name}[{i}]") for i, item in enumerate(value)]
    if hasattr(value, "tolist"):  # numpy: also its bool_, and arrays of any shape
        return _plain(value.tolist(), name)
    return _number(value, name)


def _key(key: Any, name: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key in {name or 'the report'} is no text but {type(key).__name__}")
    return key
