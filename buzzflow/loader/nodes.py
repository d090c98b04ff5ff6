"""YAML as a tree that remembers where each value was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from buzzflow.diagnostics import Path, Span

Scalar = str | int | float | bool | None


@dataclass(slots=True, eq=False)
class Node:
    """A mapping, a sequence or a scalar, with its place.

    *raw* is the text of a scalar as it stands in the file, before YAML gave it a type. *key* is the place of the key
    that holds this node. *replaced* holds what stood here in the layers below, the highest of them last. Trees
    may share nodes (YAML aliases), so nobody changes one: build a new one.
    """

    value: dict[str, Node] | list[Node] | Scalar | Any
    span: Span
    key: Span | None = None
    raw: str | None = None
    replaced: tuple[Node, ...] = ()

    @property
    def is_mapping(self) -> bool:
        """Whether it is a mapping."""
        return isinstance(self.value, dict)

    def child(self, part: str | int) -> Node | None:
        """Return the node under *part*, if there is one."""
        if isinstance(self.value, dict):
            return self.value.get(str(part)) if isinstance(part, str) else None
        if isinstance(self.value, list) and isinstance(part, int) and -len(self.value) <= part < len(self.value):
            return self.value[part]
        return None

    def at(self, path: Path) -> Node | None:
        """Return the node at *path*, if there is one."""
        node: Node | None = self
        for part in path:
            if node is None:
                return None
            node = node.child(part)
        return node

    def children(self) -> Iterator[tuple[str | int, Node]]:
        """Yield the key or index and the node of each child."""
        if isinstance(self.value, dict):
            yield from self.value.items()
        elif isinstance(self.value, list):
            yield from enumerate(self.value)

    def leaves(self, path: Path = ()) -> list[tuple[Path, Node]]:
        """Return every scalar below, with its path."""
        found: list[tuple[Path, Node]] = []
        _add_leaves(self, path, found)
        return found

    def with_value(self, value: Any) -> Node:
        """Return the same place with another value."""
        return Node(value, self.span, self.key, self.raw, self.replaced)

    def plain(self) -> Any:
        """Return dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {k: v.plain() for k, v in self.value.items()}
        if isinstance(self.value, list):
            return [v.plain() for v in self.value]
        return self.value


def _add_leaves(node: Node, path: Path, found: list[tuple[Path, Node]]) -> None:
    match node.value:
        case dict():
            for key, child in node.value.items():
                _add_leaves(child, (*path, key), found)
        case list():
            for i, child in enumerate(node.value):
                _add_leaves(child, (*path, i), found)
        case _:
            found.append((path, node))


def from_plain(value: Any, span: Span) -> Node:
    """Make a tree from dicts, lists and scalars; all of it came from *span*."""
    if isinstance(value, dict):
        return Node({str(k): from_plain(v, span) for k, v in value.items()}, span, span)
    if isinstance(value, list | tuple):
        return Node([from_plain(v, span) for v in value], span)
    return Node(value, span, raw=None if value is None else str(value))


class SourceMap:
    """Where every value of the loaded configuration came from."""

    def __init__(self, root: Node) -> None:
        self._root = root

    def find(self, path: Path) -> Span | None:
        """Return the span of the value at *path*, or of its nearest parent that has one.

        A missing field has no line of its own, so the mapping that should have held it is the most useful place to
        point at. Of a mapping or list that is its key, because it has no first word of its own.
        """
        node = self._nearest(path)
        if node is None:
            return None
        return node.key if isinstance(node.value, dict | list) and node.key is not None else node.span

    def find_key(self, path: Path) -> Span | None:
        """Return the span of the key at *path*, or of its nearest parent that has one."""
        node = self._nearest(path)
        return None if node is None else node.key or node.span

    def at(self, path: Path) -> Node | None:
        """Return the node at *path*, if there is one."""
        return self._root.at(path)

    def raw(self, path: Path) -> str | None:
        """Return the scalar at *path* as it is written in the file."""
        node = self._root.at(path)
        return None if node is None else node.raw

    def replaced(self, path: Path) -> tuple[Span, ...]:
        """Return the places of the values that lower layers had at *path*."""
        node = self._root.at(path)
        return () if node is None else tuple(low.span for low in node.replaced)

    def file(self, path: Path) -> str | None:
        """Return the file in which the value at *path* was written."""
        span = self.find(path)
        return None if span is None else span.file

    def _nearest(self, path: Path) -> Node | None:
        for end in range(len(path), -1, -1):
            if (node := self._root.at(path[:end])) is not None:
                return node
        return None
