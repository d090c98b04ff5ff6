"""Lay what the user patches over a compiled request."""

from __future__ import annotations

from buzzflow import ir
from buzzflow.backends.sagemaker.scope import Scope
from buzzflow.backends.sagemaker.text import Object


def patched(arguments: Object, patch: ir.Tree, scope: Scope) -> Object:
    """Return *arguments* with *patch* over them: objects merge, all else replaces, null removes (RFC 7396)."""
    if patch is None:
        return arguments
    merged = _merged(arguments, scope.tree(patch))
    assert isinstance(merged, dict), "a patch is an object"
    return merged


def _merged(low: object, high: object) -> object:
    if not isinstance(high, dict) or _is_reference(high):
        return high
    found = dict(low) if isinstance(low, dict) and not _is_reference(low) else {}
    for key, value in high.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = _merged(found.get(key), value)
    return found


def _is_reference(said: dict[str, object]) -> bool:
    return len(said) == 1 and next(iter(said)) in ("Get", "Std:Join", "Std:JsonGet")
