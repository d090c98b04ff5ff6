"""Read what `foreach` and `items` say: keys, the items of each, and how they combine."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from buzzflow.diagnostics import Diagnostic, Path, PipelineError, Span
from buzzflow.loader.nodes import Node
from buzzflow.template import Template

MAX_COPIES = 500
MAX_NAME = 64
UNNAMED = ""  # the key of `foreach: [kr, us]`, read by ${each:}
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Item:
    """One item: *whole* is what `${each:k}` gives, *data* is what `${each:k.field}` looks into."""

    key: str
    whole: Node
    data: Node | None = None


Combination = Mapping[str, Item]


def key_of(combination: Combination) -> str:
    """Return what names the copy of *combination*: the items as text, in the characters of a step's name."""
    return "-".join(re.sub(r"[^A-Za-z0-9_-]", "-", item.key) for item in combination.values())


def name_of(base: str, key: str) -> str:
    """Return the name of a copy of *base*; one that would be too long ends in a hash of the whole."""
    name = f"{base}-{key}"
    if len(name) <= MAX_NAME:
        return name
    return f"{name[: MAX_NAME - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def text_of(value: object) -> str:
    """Return a scalar as `${each:…}` writes it into text."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def place_of(node: Node) -> Span:
    """Return where to point at *node*: of a mapping or list, its key."""
    return node.key if isinstance(node.value, dict | list) and node.key is not None else node.span


def read_items(node: Node, path: Path) -> list[Combination]:
    """Return the combinations of items in *node*, answered before, in order; PipelineError says what is wrong."""
    match node.value:
        case list(nodes) if any(n.is_mapping for n in nodes):
            if all(_is_word(n.value) for grid in nodes for _, n in grid.children()):
                hint = "write {case: [{name: a, lr: 1}]}, or {case: {a: {lr: 1}}}"
                raise _wrong("BF150", "items that are mappings need a key", path, hint, place_of(node))
            found = [c for i, grid in enumerate(nodes) for c in _grid(grid, (*path, i))]
            _refuse_too_many(len(found), node, path)
        case list():
            found = [{UNNAMED: item} for item in _items(UNNAMED, node, path)]
        case dict():
            found = _grid(node, path)
        case _:
            raise _no_items(node, path, "[kr, us]")
    seen: dict[str, Combination] = {}
    for combination in found:
        key = key_of(combination)
        if key in seen:
            this, other = (" and ".join(repr(i.key) for i in c.values()) for c in (combination, seen[key]))
            what = f"two copies would be called …-{key}: {other}, and {this}"
            raise _wrong("BF151", what, path, "write each combination once, with other words", place_of(node))
        seen[key] = combination
    return found


def _grid(node: Node, path: Path) -> list[Combination]:
    if not isinstance(node.value, dict):
        what = "among mappings, an item of foreach is a mapping too"
        raise _wrong("BF150", what, path, "write [{region: [kr]}, {region: [us]}]", place_of(node))
    keys = {k: _items(k, n, (*path, k)) for k, n in node.value.items() if n.value is not None}
    if not keys:
        raise _wrong("BF150", "foreach names no items", path, "write {region: [kr, us]}", place_of(node))
    for name in keys:
        if not _KEY.fullmatch(name):
            hint = "letters, digits, - and _, starting with a letter; ${each:…} reads it"
            where = node.value[name].key or node.span
            raise _wrong("BF150", f"{name!r} is no valid key of foreach", (*path, name), hint, where)
    _refuse_too_many(math.prod(map(len, keys.values())), node, path)
    return [dict(zip(keys, chosen, strict=True)) for chosen in product(*keys.values())]


def _refuse_too_many(count: int, node: Node, path: Path) -> None:
    if count > MAX_COPIES:
        raise too_many(f"foreach makes {count:,} copies; a pipeline may have {MAX_COPIES}", path, place_of(node))


def too_many(what: str, path: Path, span: Span) -> PipelineError:
    """Return what to say when *what* is more than a pipeline may have."""
    return _wrong("BF152", what, path, "split the pipeline, or name less", span)


def _items(name: str, node: Node, path: Path) -> list[Item]:
    match node.value:
        case dict(nodes):
            found = [(_named(k, n, path), n) for k, n in nodes.items() if n.value is not None]
        case list(nodes):
            found = [(_listed(name, n, (*path, i)), n) for i, n in enumerate(nodes)]
        case _:
            raise _no_items(node, path, f"[{_example(node)}]")
    if not found:
        hint = "write at least one item, or remove the step with null"
        raise _wrong("BF150", f"{name or 'foreach'!r} has no items", path, hint, place_of(node))
    _refuse_clashes(found, path)
    return [item for item, _ in found]


def _named(key: str, node: Node, path: Path) -> Item:
    """Of a mapping: the key names the copy, the value is its data; a single value is the item itself."""
    if not key:
        raise _wrong("BF150", "an empty key names no copy", path, "write {kr: {…}, us: {…}}", node.key or node.span)
    whole = Node(key, node.key or node.span, None, key) if node.is_mapping else node
    return Item(key, whole, node)


def _listed(name: str, node: Node, path: Path) -> Item:
    if isinstance(node.value, Template):
        raise _late(node, path)
    if node.is_mapping:
        for field in ("name", "key"):
            own = node.child(field)
            if own is not None and _is_word(own.value):
                return Item(text_of(own.value), own, node)
        hint = "add a name to it, or write a mapping: {a: {…}, b: {…}}"
        raise _wrong("BF150", "an item that is a mapping needs a name, for its copy", path, hint, node.span)
    if isinstance(node.value, list) or not _is_word(node.value):
        found = "a list" if isinstance(node.value, list) else "empty"
        what = f"an item of {name or 'foreach'!r} is text, a number or a truth value, not {found}"
        raise _wrong("BF150", what, path, "write [kr, us]", node.span)
    return Item(text_of(node.value), node)


def _is_word(value: object) -> bool:
    return isinstance(value, str | int | float | bool) and value != ""


def _refuse_clashes(found: list[tuple[Item, Node]], path: Path) -> None:
    seen: dict[str, str] = {}
    for item, node in found:
        cleaned = key_of({"": item})
        if (other := seen.get(cleaned)) is not None:
            what = f"item {item.key!r} stands twice"
            if other != item.key:
                what = f"items {other!r} and {item.key!r} would both be called {cleaned!r} in a step's name"
            hint = "give them names: {first: …, second: …}" if other != item.key else "remove one of the two"
            raise _wrong("BF151", what, path, hint, node.key or node.span)
        seen[cleaned] = item.key


def _no_items(node: Node, path: Path, example: str) -> PipelineError:
    if isinstance(node.value, Template):
        return _late(node, path)
    return _wrong("BF150", "foreach takes a list of items, or a mapping", path, f"write {example}", place_of(node))


def _example(node: Node) -> str:
    return text_of(node.value)[:40] if _is_word(node.value) else "kr, us"


def _late(node: Node, path: Path) -> PipelineError:
    what = f"{node.value} is known only when the pipeline runs; the copies of a step are made before"
    hint = f'write a group: name: {{type: foreach, items: "{node.value}", steps: {{step: {{…}}}}}}'
    return _wrong("BF153", what, path, hint, node.span)


def _wrong(code: str, summary: str, path: Path, hint: str, span: Span) -> PipelineError:
    return PipelineError([Diagnostic(code, summary, path, hint, span)])


def mentions_interpolation(node: Node) -> bool:
    """Whether a text in *node* has a `${…}` in it."""
    return any(isinstance(leaf.value, str) and "${" in leaf.value for _, leaf in node.leaves())
