"""Lay one file over another: maps merge, lists and scalars replace, null deletes, alternatives are replaced whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from buzzflow.diagnostics import Path
from buzzflow.loader.nodes import Node

# of these keys a mapping takes one: a higher layer that names one lets go of the others
_SOURCES = frozenset(("from", "file_system", "athena", "redshift", "feature_store"))
_TARGETS = frozenset(("to", "feature_group"))
_PROGRAMS = frozenset(("image", "algorithm"))
_WHOLE = frozenset(("image", "code"))
# in these a null means something: an option without value, a member that goes
_WITH_NULLS = frozenset(("arguments", "arguments_patch", "step_patch"))


def merge(low: Node, high: Node, path: Path = ()) -> Node:
    """Return *high* over *low*. A null stays until `drop_nulls`, so that it can delete a default too."""
    if not isinstance(low.value, dict) or not isinstance(high.value, dict) or _replaced_whole(path):
        replaced = (*low.replaced, low, *high.replaced)
        return Node(high.value, high.span, high.key or low.key, high.raw, replaced)
    kept: dict[str, Node] = dict(low.value)
    for group in _alternatives(path):
        if group & high.value.keys():
            kept = {k: v for k, v in kept.items() if k not in group or k in high.value}
    merged = dict(kept)
    for key, node in high.value.items():
        merged[key] = merge(kept[key], node, (*path, key)) if key in kept else node
    return Node(merged, low.span, high.key or low.key, None, (*low.replaced, *high.replaced))


def _in_step(path: Path) -> Path | None:
    """Return the path inside a step, for a step, a default, or a default by type."""
    match path:
        case ("steps", _, "steps", _, *rest) | ("steps", _, *rest):  # in a group, or not
            return tuple(rest)
        case ("defaults", "by_type", _, *rest) | ("defaults", *rest):
            return tuple(rest)
        case _:
            return None


def _replaced_whole(path: Path) -> bool:
    inside = _in_step(path)
    return inside is not None and len(inside) == 1 and inside[0] in _WHOLE


def _alternatives(path: Path) -> tuple[frozenset[str], ...]:
    match _in_step(path):
        case ():
            return (_PROGRAMS,)
        case ("inputs", _):
            return (_SOURCES,)
        case ("outputs", _):
            return (_TARGETS,)
        case _:
            return ()


def apply_defaults(root: Node, environment: Node | None, fields: Mapping[str, Collection[str]]) -> Node:
    """Return *root* with the defaults under every step: environment's, its `by_type`, the pipeline's, its `by_type`.

    *fields* tells which fields each step type has: a default reaches only the types that have its field.
    """
    steps = root.child("steps")
    if steps is None or not isinstance(steps.value, dict):
        return root
    layers = [d for d in (_defaults(environment), _defaults(root)) if d is not None]
    filled = {name: _fill(step, layers, fields) for name, step in steps.value.items()}
    assert isinstance(root.value, dict)
    return root.with_value({**root.value, "steps": steps.with_value(filled)})


def _defaults(node: Node | None) -> Node | None:
    found = node.child("defaults") if node is not None else None
    return found if found is not None and found.is_mapping else None


def _fill(step: Node, layers: list[Node], fields: Mapping[str, Collection[str]]) -> Node:
    if not isinstance(step.value, dict):
        return step
    kind = step.value.get("type")
    known = fields.get(kind.value, ()) if kind is not None and isinstance(kind.value, str) else ()
    below = Node({}, step.span, step.key)
    for defaults in layers:
        by_type = defaults.at(("by_type", str(kind.value))) if kind is not None else None
        for layer in (defaults, by_type):
            if layer is not None and isinstance(layer.value, dict):
                reaching = {k: v for k, v in layer.value.items() if k in known and k != "by_type"}
                below = merge(below, layer.with_value(reaching), ("steps", ""))
    filled = merge(below, step, ("steps", ""))
    return Node(filled.value, step.span, step.key, None, step.replaced)


def drop_nulls(root: Node) -> Node:
    """Return *root* without what null deleted.

    Variables may be null, and in a patch null means something. A null that was never more stays: it is nothing in a
    field, and told where no field is.
    """
    if not isinstance(root.value, dict):
        return root
    kept = {}
    for key, node in root.value.items():
        if key in ("variables", "definition_patch"):
            kept[key] = node
        elif key == "steps" and isinstance(node.value, dict):
            steps = {k: _kept(v) for k, v in node.value.items() if not _deleted(v)}
            kept[key] = node.with_value(steps)
        elif not _deleted(node):
            kept[key] = _without_nulls(node)
    return root.with_value(kept)


def _deleted(node: Node) -> bool:
    return node.value is None and bool(node.replaced)


def _kept(step: Node) -> Node:
    if not isinstance(step.value, dict):
        return step
    fields = {k: v for k, v in step.value.items() if not _deleted(v)}
    return step.with_value({k: v if k in _WITH_NULLS else _without_nulls(v) for k, v in fields.items()})


def _without_nulls(node: Node) -> Node:
    if isinstance(node.value, dict):
        return node.with_value({k: _without_nulls(v) for k, v in node.value.items() if not _deleted(v)})
    if isinstance(node.value, list):
        return node.with_value([_without_nulls(v) for v in node.value])
    return node
