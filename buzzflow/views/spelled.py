"""Values as the language spells them: `${step:extract.outputs.train}/part`."""

from __future__ import annotations

import re
from typing import assert_never

from buzzflow import ir

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


def spelled(value: ir.Value | ir.Number) -> str:
    """Return *value* as it may stand in a pipeline.yaml."""
    match value:
        case str():
            return value
        case int():
            return str(value)
        case ir.Text(parts=parts):
            return "".join(map(spelled, parts))
        case _:
            return f"${{{_reference(value)}}}"


def _reference(reference: ir.Reference) -> str:
    match reference:
        case ir.ParameterReference(parameter=name):
            return f"param:{name}"
        case ir.OutputReference(step=step, output=name):
            return f"step:{step}.outputs.{name}"
        case ir.PropertyReference(step=step, word=word):
            return f"step:{step}.{word}"
        case ir.DescribeReference(step=step, path=path):
            return f"step:{_path((step, 'properties', *path))}"
        case ir.JsonReference(step=step, file=report, path=path):
            return f"json:{_path((step, report, *path))}"
        case ir.StoredJsonReference(uri=uri, path=path):
            return f"json:'{spelled(uri)}','{'.'.join(path)}'"
        case ir.ItemReference(path=path):
            return f"each:{_path(path)}"
        case ir.RunReference(field=field):
            return f"run:{field}"
        case _:
            assert_never(reference)


def _path(parts: tuple[str, ...]) -> str:
    """Return a path with dots; a part that a dot cannot lead to stands in brackets, and the whole in quotes."""
    text = "".join(f".{p}" if _PLAIN.fullmatch(p) else f"['{p}']" for p in parts).removeprefix(".")
    return f'"{text}"' if "[" in text else text
