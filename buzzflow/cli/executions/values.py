"""The values of parameters on the command line: `--param name=value`, and a file of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from buzzflow.cli.values import named_values
from buzzflow.diagnostics import Diagnostic, PipelineError
from buzzflow.loader.files import read_file, shown


def read_values(texts: Sequence[str], file: Path | None = None) -> dict[str, object]:
    """Return the values in *file*, a mapping in YAML or JSON, and over them those of the command line."""
    return {**({} if file is None else _in_file(file)), **named_values(texts, "BF634")}


def _in_file(file: Path) -> dict[str, object]:
    tree = read_file(file)
    if not isinstance(tree.value, dict):
        summary, hint = f"{shown(file)} holds no mapping of parameters", "write a line for each: max_depth: 8"
        raise PipelineError([Diagnostic("BF634", summary, hint=hint, span=tree.span)])
    problems = [
        Diagnostic("BF634", f"the value of {name!r} is no text, number or truth value", (name,), span=node.span)
        for name, node in tree.value.items()
        if node.value is None or isinstance(node.value, dict | list)
    ]
    if problems:
        raise PipelineError(problems)
    return {
        name: node.raw if node.raw is not None and not isinstance(node.value, bool) else node.value
        for name, node in tree.value.items()
    }
