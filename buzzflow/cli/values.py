"""Options that are given as `name=value`."""

from __future__ import annotations

from collections.abc import Sequence

from buzzflow.diagnostics import Diagnostic, PipelineError


def named_values(texts: Sequence[str], code: str) -> dict[str, str]:
    """Return the values of `--param` by their names, the last of one name; PipelineError with *code* for other text."""
    given = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            hint = "write --param max_depth=8"
            raise PipelineError([Diagnostic(code, f"--param {text}: a name, = and a value are needed", hint=hint)])
        given[name] = value
    return given
