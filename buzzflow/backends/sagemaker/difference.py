"""Find the patch that makes one object another: the inverse of `merge_patch`."""

from __future__ import annotations

import json

from buzzflow.backends.sagemaker.patch import EVERY, EXACTLY, is_reference, merge_patch
from buzzflow.backends.sagemaker.semantics import same
from buzzflow.backends.sagemaker.text import Object


def difference(have: Object, wanted: Object) -> Object:
    """Return the smallest patch that this can find, empty where both are the same already."""
    patch = _object(have, wanted)
    if not same(merge_patch(have, patch), wanted):  # a key of the data looks like a word of patches
        changed = (key for key, value in wanted.items() if key not in have or not same(have[key], value))
        patch = {key: _exactly(wanted[key]) for key in changed} | {key: None for key in have if key not in wanted}
    return patch


def _object(have: Object, wanted: Object) -> Object:
    patch: Object = {}
    for key, value in wanted.items():
        if key not in have:
            patch[key] = _new(value)
        elif not same(have[key], value):
            patch[key] = _changed(have[key], value)
    return patch | {key: None for key in have if key not in wanted}


def _changed(have: object, wanted: object) -> object:
    whole = _new(wanted)
    parts: object = whole
    match have, wanted:
        case dict(), dict() if not is_reference(have) and not is_reference(wanted):
            if _plain_keys(have) and _plain_keys(wanted):
                parts = _object(have, wanted)
        case list(), list() if have and len(have) == len(wanted):
            parts = _items(have, wanted)
    return parts if _size(parts) <= _size(whole) else whole


def _items(have: list[object], wanted: list[object]) -> object:
    changes = {str(i): _changed(h, w) for i, (h, w) in enumerate(zip(have, wanted, strict=True)) if not same(h, w)}
    if any(change is None for change in changes.values()):
        return wanted
    told = {json.dumps(change, sort_keys=True) for change in changes.values()}
    if len(changes) == len(have) and len(told) == 1:
        return {EVERY: next(iter(changes.values()))}
    return changes


def _new(value: object) -> object:
    """Return what puts *value* where nothing, or something else, stands."""
    return _exactly(value) if _means_something(value) else value


def _exactly(value: object) -> Object:
    return {EXACTLY: value}


def _means_something(value: object) -> bool:
    """Whether *value*, in a patch, would be read as a word of patches."""
    if value is None:
        return True
    if not isinstance(value, dict) or is_reference(value):
        return False
    return not _plain_keys(value) or any(map(_means_something, value.values()))


def _plain_keys(value: Object) -> bool:
    return not {EXACTLY, EVERY} & value.keys()


def _size(value: object) -> int:
    return len(json.dumps(value))
