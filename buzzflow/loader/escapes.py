"""Write text so that reading it answers nothing in it: the inverse of `interpolate` for what holds no reference."""

from __future__ import annotations

import re

from buzzflow.loader.nodes import Node

_BACKSLASHES = re.compile(r"(\\*)\$\{")


def escaped(text: str, *, before_reference: bool = False) -> str:
    r"""Return literal *text* of which no `${` is read as a reference: `\${`; each backslash before one is doubled."""
    found = _BACKSLASHES.sub(lambda m: m[1] * 2 + r"\${", text)
    if before_reference:
        kept = found.rstrip("\\")
        found += "\\" * (len(found) - len(kept))
    return found


def escaped_tree(node: Node) -> Node:
    """Return a tree that is answered already, so that answering it again changes nothing."""
    match node.value:
        case dict():
            return node.with_value({key: escaped_tree(value) for key, value in node.value.items()})
        case list():
            return node.with_value([escaped_tree(value) for value in node.value])
        case str() if "${" in node.value:
            return node.with_value(escaped(node.value))
        case _:
            return node
