"""Lay what the user patches over a compiled request, step, or definition.

RFC 7396, and two things that it lacks: `{"=": x}` is x itself, whatever it is, null too; and a mapping of positions
over a list, `{"0": …}` or `{"*": …}`, changes those items, or all of them.
"""

from __future__ import annotations

from buzzflow import ir
from buzzflow.backends.sagemaker.scope import Scope
from buzzflow.backends.sagemaker.text import Object

EXACTLY = "="  # the one key of a mapping that stands for its value as it is
EVERY = "*"  # in place of the position of an item


def patched(data: Object, patch: ir.Tree, scope: Scope) -> Object:
    """Return *data* with *patch* over it: objects merge, all else replaces, null removes."""
    return data if patch is None else merge_patch(data, scope.tree(patch))


def merge_patch(data: Object, patch: object) -> Object:
    """Return *data* with *patch*, an object in the service's words, over it."""
    assert isinstance(patch, dict), "a patch is an object"
    return _objects(data, patch)


def is_reference(said: object) -> bool:
    """Whether *said* stands for a value that only a run knows; it is replaced whole."""
    return isinstance(said, dict) and len(said) == 1 and next(iter(said)) in ("Get", "Std:Join", "Std:JsonGet")


def _merged(low: object, high: object) -> object:
    if not isinstance(high, dict) or is_reference(high):
        return high
    if [*high] == [EXACTLY]:
        return high[EXACTLY]
    if isinstance(low, list) and high and all(_is_place(key) for key in high):
        return _items(low, high)
    return _objects(low if isinstance(low, dict) and not is_reference(low) else {}, high)


def _objects(low: Object, high: Object) -> Object:
    found = dict(low)
    for key, value in high.items():
        if value is None:
            found.pop(key, None)
        elif key in found or not (isinstance(value, dict) and [*value] == [EVERY]):
            found[key] = _merged(found.get(key), value)
    return found


def _is_place(key: str) -> bool:
    return key == EVERY or (key.isascii() and key.isdecimal())


def _items(low: list[object], high: Object) -> list[object]:
    """Return the items with what is said of all, then of each, over them; null removes one."""
    found: list[object] = []
    for i, item in enumerate(low):
        kept = item
        for key in (EVERY, str(i)):
            if key in high:
                kept = None if high[key] is None else _merged(kept, high[key])
        if kept is not None or not {EVERY, str(i)} & high.keys():
            found.append(kept)
    return found
