"""Change one value in the text of a pipeline.yaml, and not one character besides.

ruamel.yaml says where things stand. Its own dump keeps comments, but lays lists, long lines and spaces in braces out
anew; so the text is cut at its marks, and its round-trip loader compares what the file says before and after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_FIELD, _KEY = "instance", "type"


class CannotEditError(Exception):
    """The value cannot be changed where it stands; the text says why, *line* is where, from 1."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why)
        self.line = line


def has_step(text: str, step: str) -> bool:
    """Whether *step* stands in the file itself, as a mapping."""
    return isinstance(_child(_child(_composed(text), "steps"), step), MappingNode)


def with_instance(text: str, step: str, instance: str) -> str:
    """Return *text* in which *step* asks for *instance*, where it says so or, where it does not, on a new line.

    CannotEditError when other places share what would change, or it is a `${…}`.
    """
    root = _composed(text)
    path = [root, _child(root, "steps"), _child(_child(root, "steps"), step)]
    block = path[-1]
    if not isinstance(block, MappingNode):
        raise CannotEditError("it does not stand in this file")
    given = _child(block, _FIELD)
    kind = _child(given, _KEY) if isinstance(given, MappingNode) else given
    _refuse_shared(root, [*path, *(node for node in (given, kind) if node is not None)])
    if given is None:
        changed = _with_entry(text, block, f"{_FIELD}: {{{_KEY}: {instance}}}")
    elif isinstance(given, MappingNode) and kind is None:
        changed = _with_entry(text, given, f"{_KEY}: {instance}")
    elif isinstance(given, MappingNode):
        changed = _with_scalar(text, given, _KEY, instance)
    else:
        changed = _with_scalar(text, block, _FIELD, instance)
    _compare(text, changed, step, instance, is_new=given is None)
    return changed


def _composed(text: str) -> Node | None:
    try:
        node: Node | None = YAML().compose(text)
    except YAMLError as e:
        raise CannotEditError(f"it cannot be read: {' '.join(str(e).split())}") from None
    return node


def _child(node: Node | None, key: str) -> Node | None:
    if not isinstance(node, MappingNode):
        return None
    return next((value for name, value in node.value if isinstance(name, ScalarNode) and name.value == key), None)


# ------------------------------------------------------------------ what else would change


def _refuse_shared(root: Node | None, path: list[Node | None]) -> None:
    seen = Counter(id(node) for node in _walked(root, set()))
    for node in path:
        if node is not None and seen[id(node)] > 1:
            raise CannotEditError(
                "an anchor (&) and its alias (*) share it with other places", node.start_mark.line + 1
            )


def _walked(node: Node | None, done: set[int]) -> Iterator[Node]:
    """Yield every node as often as the file names it; what an alias names is not entered again."""
    if node is None:
        return
    yield node
    if id(node) in done:
        return
    done.add(id(node))
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield from _walked(key, done)
            yield from _walked(value, done)
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield from _walked(item, done)


# ------------------------------------------------------------------ the cut


def _with_scalar(text: str, holder: MappingNode, key: str, new: str) -> str:
    name, node = next((k, v) for k, v in holder.value if k.value == key)
    if not isinstance(node, ScalarNode):
        raise CannotEditError("it is no text", node.start_mark.line + 1)
    if "${" in node.value:
        raise CannotEditError(f"it is {node.value}", node.start_mark.line + 1)
    start, end = node.start_mark.index, node.end_mark.index
    written = text[start:end]
    if not written:  # `instance:` and nothing
        colon = text.index(":", name.end_mark.index) + 1
        return f"{text[:colon]} {new}{text[colon:]}"
    if (quote := written[-1]) in "\"'":
        start += written.rindex(quote, 0, -1)
        return f"{text[:start]}{quote}{new}{quote}{text[end:]}"
    if not written.endswith(node.value) or "\n" in written:
        raise CannotEditError("it is written over several lines", node.start_mark.line + 1)
    return f"{text[: end - len(node.value)]}{new}{text[end:]}"


def _with_entry(text: str, node: MappingNode, entry: str) -> str:
    """Return *text* with *entry* in a mapping: after its `type`, or else as its first."""
    kind = next(((k, v) for k, v in node.value if k.value == _KEY), None)
    if node.flow_style:
        return _in_braces(text, node, kind, entry)
    key, value = kind or (node.value[0][0], None)
    start = key.start_mark.index
    indent = text[text.rfind("\n", 0, start) + 1 : start]
    if indent.strip():
        raise CannotEditError("its keys do not stand on lines of their own", key.start_mark.line + 1)
    line_end = "\r\n" if "\r\n" in text else "\n"
    if value is None:
        return f"{text[:start]}{entry}{line_end}{indent}{text[start:]}"
    end = text.find("\n", value.end_mark.index)
    if end < 0:
        return f"{text}{line_end}{indent}{entry}"
    return f"{text[: end + 1]}{indent}{entry}{line_end}{text[end + 1 :]}"


def _in_braces(text: str, node: MappingNode, kind: tuple[Node, Node] | None, entry: str) -> str:
    if kind is not None:
        end = kind[1].end_mark.index
        return f"{text[:end]}, {entry}{text[end:]}"
    if node.value:
        start = node.value[0][0].start_mark.index
        return f"{text[:start]}{entry}, {text[start:]}"
    start = text.index("{", node.start_mark.index) + 1
    return f"{text[:start]}{entry}{text[node.end_mark.index - 1 :]}"


# ------------------------------------------------------------------ the proof


def _compare(before: str, after: str, step: str, instance: str, *, is_new: bool) -> None:
    """Make sure that only the one value is another."""
    wanted, found = _loaded(before), _loaded(after)
    block = wanted["steps"][step]
    if is_new:
        block[_FIELD] = {_KEY: instance}
    elif isinstance(block[_FIELD], dict):
        block[_FIELD][_KEY] = instance
    else:
        block[_FIELD] = instance
    if wanted != found:
        raise CannotEditError("the file would say something else besides")


def _loaded(text: str) -> Any:
    try:
        return YAML().load(text)
    except YAMLError as e:
        raise CannotEditError(f"it cannot be read: {' '.join(str(e).split())}") from None
