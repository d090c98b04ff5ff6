"""Say once what several steps repeat: as a default of all steps, or of all of one type."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from buzzflow.backends.sagemaker.patch import EXACTLY, merge_patch
from buzzflow.backends.sagemaker.semantics import same
from buzzflow.backends.sagemaker.text import Object
from buzzflow.config.steps import default_fields
from buzzflow.diagnostics import Path
from buzzflow.driver.importing.surroundings import Surroundings

Fields = dict[str, Any]
_REPLACED = ("role", "image", "timeout", "retry")  # a step's own value takes the place of a default
_MERGED = ("network", "encryption", "tags", "cache", "environment_variables")  # it adds to the default
_MACHINE = {"type": "ml.m5.xlarge", "count": 1, "volume_size_gb": 30}  # the language's own defaults
_PATCHES = ("arguments_patch", "step_patch")
_SEVERAL = 2


def from_environment(data: Fields, around: Surroundings) -> Fields:
    """Return *data* without what the environment gives anyway."""
    found = deepcopy(data)
    defaults, steps = found.get("defaults", {}), all_steps(found)
    for field in ("role", "network", "encryption"):
        given = around.given(field)
        having = [step for step in steps.values() if field in default_fields()[step["type"]]]
        equal = [step for step in having if given is not None and step.get(field) == given]
        if equal and (len(equal) == len(having) or field == "role"):
            defaults.pop(field, None)
            for step in equal:
                del step[field]
    return found


def without_registry(data: Fields, around: Surroundings) -> Fields:
    """Return *data* without the registry, where it is the environment's."""
    found = deepcopy(data)
    for step in all_steps(found).values():
        if step.get("registry") == around.get("registry"):
            step.pop("registry", None)
    return found


def all_steps(data: Fields) -> dict[str, Fields]:
    """Return the steps of a file by name, those that a foreach runs too."""
    steps: dict[str, Fields] = data["steps"]
    inside = {name: step for outer in steps.values() for name, step in outer.get("steps", {}).items()}
    return {**steps, **inside}


def with_defaults(data: Fields) -> Fields:
    """Return *data* with the values that most steps have as defaults."""
    found = deepcopy(data)
    groups = _Groups(found)
    for field in _REPLACED:
        groups.factor(field, exceptions=True)
    for field in _MERGED:
        groups.factor(field, exceptions=False)
    for field, usual in _MACHINE.items():
        groups.factor_machine(field, usual)
    return found


class _Groups:
    """The steps of a file, all that have a field or those of one type."""

    def __init__(self, data: Fields) -> None:
        self._data = data
        self._steps = all_steps(data)

    def factor(self, field: str, *, exceptions: bool) -> None:
        """Make one value of *field* a default; with *exceptions*, some steps may have another."""
        known = default_fields()
        having = [step for step in self._steps.values() if field in known[step["type"]]]
        given = self._data.get("defaults", {})
        if (field not in given or exceptions) and self._put(field, having, given_to=None, exceptions=exceptions):
            return
        for kind in dict.fromkeys(step["type"] for step in having):
            of_kind = [step for step in having if step["type"] == kind]
            self._put(field, of_kind, given_to=kind, exceptions=exceptions)

    def _put(self, field: str, steps: list[Fields], *, given_to: str | None, exceptions: bool) -> bool:
        if any(field not in step for step in steps):
            return False
        value = _most_frequent([step[field] for step in steps], exceptions=exceptions)
        if value is None:
            return False
        self._defaults(given_to)[field] = value
        for step in steps:
            if step[field] == value:
                del step[field]
        return True

    def factor_machine(self, field: str, usual: Any) -> None:
        """Make one value of a field of `instance` a default; where a step says nothing, it means the usual."""
        known = default_fields()
        having = [step for step in self._steps.values() if "instance" in known[step["type"]]]
        value = _most_frequent([step.get("instance", {}).get(field, usual) for step in having], exceptions=True)
        if value is None or value == usual:
            return
        self._defaults(None).setdefault("instance", {})[field] = value
        for step in having:
            machine = {**step.get("instance", {})}
            if machine.get(field, usual) == value:
                del machine[field]
            else:
                machine.setdefault(field, usual)
            step["instance"] = machine
            if not machine:
                del step["instance"]

    def _defaults(self, kind: str | None) -> Fields:
        defaults: Fields = self._data.setdefault("defaults", {})
        return defaults if kind is None else defaults.setdefault("by_type", {}).setdefault(kind, {})


def _most_frequent(values: list[Any], *, exceptions: bool) -> Any:
    """Return the value of most, None where there is none; without *exceptions*, that of all."""
    counted = Counter(json.dumps(value, sort_keys=True) for value in values).most_common(1)
    if not counted or counted[0][1] < _SEVERAL:
        return None
    text, count = counted[0]
    enough = 2 * count > len(values) if exceptions else count == len(values)
    return next(v for v in values if json.dumps(v, sort_keys=True) == text) if enough else None


# ------------------------------------------------------------------ patches


def with_common_patches(data: Fields, definitions: Mapping[str, Object]) -> Fields:
    """Return *data* with what several steps of a type patch in the same way as a default of that type.

    *definitions* are the steps as they are to be: none of that type may change by it.
    """
    found = deepcopy(data)
    steps = all_steps(found)
    for kind in dict.fromkeys(step["type"] for step in steps.values()):
        names = [name for name, step in steps.items() if step["type"] == kind and kind != "raw"]
        for field in _PATCHES:
            for path, value in _common(field, names, steps, definitions):
                patch = found.setdefault("defaults", {}).setdefault("by_type", {}).setdefault(kind, {})
                _put_leaf(patch.setdefault(field, {}), path, value)
                for name in names:
                    _drop_leaf(steps[name], (field, *path), value)
    return found


def _common(
    field: str, names: list[str], steps: Mapping[str, Fields], definitions: Mapping[str, Object]
) -> Iterator[tuple[Path, Any]]:
    counted: Counter[str] = Counter()
    for name in names:
        counted.update(json.dumps([path, value]) for path, value in _leaves(steps[name].get(field, {}), ()))
    for told, count in counted.items():
        path, value = json.loads(told)
        if count < _SEVERAL or "${" in told:
            continue
        leaf = {"arguments_patch": _leaf(path, value)}.get(field, _leaf(path, value))
        if all(_leaves_as_is(_patched_part(definitions[name], field), leaf) for name in names):
            yield tuple(path), value


def _patched_part(step: Object, field: str) -> Object:
    if field == "step_patch":
        return {key: value for key, value in step.items() if key != "Arguments"}
    arguments = step.get("Arguments")
    return arguments if isinstance(arguments, dict) else {}


def _leaves_as_is(part: Object, patch: Object) -> bool:
    return same(merge_patch(part, patch), part)


def _leaves(patch: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield what a patch sets or removes."""
    if isinstance(patch, dict) and patch and EXACTLY not in patch:
        for key, value in patch.items():
            yield from _leaves(value, (*path, key))
    elif path:
        yield path, patch


def _leaf(path: Path, value: Any) -> Object:
    for key in reversed(path):
        value = {str(key): value}
    found: Object = value
    return found


def _put_leaf(patch: Fields, path: Path, value: Any) -> None:
    *parents, last = path
    for key in parents:
        patch = patch.setdefault(str(key), {})
    patch[str(last)] = value


def _drop_leaf(fields: Fields, path: Path, value: Any) -> None:
    """Remove *value* at *path*, and the mappings that are empty then."""
    first, *rest = path
    if first not in fields:
        return
    if rest and isinstance(fields[str(first)], dict):
        _drop_leaf(fields[str(first)], tuple(rest), value)
        if not fields[str(first)]:
            del fields[str(first)]
    elif not rest and fields[str(first)] == value:
        del fields[str(first)]
