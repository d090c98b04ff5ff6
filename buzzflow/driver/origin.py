"""How a value came to stand where it stands: the layer that it overrides, the defaults that gave it, its variable."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from buzzflow.diagnostics import Path, Span
from buzzflow.loader.files import ENVIRONMENT
from buzzflow.loader.nodes import Node, SourceMap

_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*(?:\.\w+)+)\}")
_MOST = 3


def origin(paths: Sequence[Path], source: SourceMap) -> str | None:
    """Return what to say of the value at *paths*, which is one for several steps when it is a default.

    None when it stands where everybody would look for it.
    """
    path = paths[0]
    node = source.at(path) if path else None
    if node is None:
        return None
    notes = [*_from_defaults(node, paths, source), *_overridden(path, source), *_from_variable(node, source)]
    return "; ".join(notes) or None


def _from_defaults(node: Node, paths: Sequence[Path], source: SourceMap) -> Iterator[str]:
    of = _defaults_with(node.span, paths[0], source)
    if of is None:
        return
    steps = [*dict.fromkeys(str(path[1]) for path in paths if len(path) > 1)]
    shown = ", ".join(steps[:_MOST]) + (f" and {len(steps) - _MOST} more" if len(steps) > _MOST else "")
    yield f"set by {of}" + (f", for {len(steps)} steps: {shown}" if len(steps) > 1 else "")


def _defaults_with(span: Span, path: Path, source: SourceMap) -> str | None:
    """Return which defaults gave a step the value written at *span*, if any did."""
    if len(path) < 3 or path[0] != "steps":
        return None
    if _is_environment(span):
        return "the environment for every step"
    kind = source.at((*path[:2], "type"))
    places: dict[str, Path] = {"defaults": ("defaults",)}
    if kind is not None:
        places[f"defaults.by_type.{kind.value}"] = ("defaults", "by_type", str(kind.value))
    for name, place in places.items():
        if any(n.span == span for n in _and_replaced(source.at((*place, *path[2:])))):
            return name
    return None


def _and_replaced(node: Node | None) -> Iterator[Node]:
    if node is not None:
        yield node
        yield from node.replaced


def _is_environment(span: Span) -> bool:
    return span.file.replace("\\", "/").rpartition("/")[2] == ENVIRONMENT


def _overridden(path: Path, source: SourceMap) -> Iterator[str]:
    """Yield what lower layers had here; that a step has another value than its defaults is what defaults are for."""
    for end in range(len(path), 0, -1):
        node = source.at(path[:end])
        assert node is not None  # the whole path is there
        low = [n for n in node.replaced if _defaults_with(n.span, path[:end], source) is None]
        if low:
            places = [f"{n.span.file}:{n.span.line}" for n in reversed(low)]
            yield f"overrides {', '.join(dict.fromkeys(places[:_MOST]))}" + (" and more" if len(low) > _MOST else "")
            return


def _from_variable(node: Node, source: SourceMap) -> Iterator[str]:
    match = _VARIABLE.fullmatch(node.raw or "")
    span = source.find(tuple(match[1].split("."))) if match else None
    if match and span is not None and source.at(tuple(match[1].split("."))) is not None:
        yield f"{match[0]} is set in {span.file}:{span.line}"
