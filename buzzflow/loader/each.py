"""Put the items of one copy in place of `${each:…}`, in the texts as they are written, before all else is answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from buzzflow.diagnostics import did_you_mean
from buzzflow.loader.items import UNNAMED, Combination, text_of
from buzzflow.loader.nodes import Node
from buzzflow.loader.unanswerable import Refused
from buzzflow.template import Reference, Template

MAX_TEXT = 16_384
_BACKSLASHES = re.compile(r"\\+")
_OPENING = re.compile(r"\$\{\s*each\s*:")
_EACH = re.compile(r"\$\{\s*each\s*:\s*([\w.-]*)\s*\}")
_BARE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # what may stand in a key and in an unquoted argument
_QUOTED = re.compile(r"[^'\"${}\\]*")


@dataclass(frozen=True, slots=True)
class _Use:
    """An `${each:argument}` in a text; *inside* what it stands: text, another `${…}`, or a quoted part of one."""

    start: int
    end: int
    argument: str
    inside: str


def has_each(value: object) -> bool:
    """Whether *value* is a text that may hold an `${each:…}`."""
    return isinstance(value, str) and _OPENING.search(value) is not None


def with_items(leaf: Node, items: Combination) -> Node:
    """Return what the text *leaf* says in the copy of *items*; Refused says what is wrong with an `${each:…}` in it."""
    text = str(leaf.value)
    _refuse_long(len(text))
    uses = [*_uses(text)]
    if len(uses) == 1 and (uses[0].start, uses[0].end) == (0, len(text)):
        return _standing_at(leaf, _look_up(uses[0].argument, items))
    pieces, end, length = [], 0, 0
    for use in uses:
        value = _look_up(use.argument, items)
        before = text[end : use.start]
        written = _inserted(value, use, text)
        if use.inside == "text" and not written.startswith("${"):
            before = _halved(before)
        length += len(before) + len(written)
        _refuse_long(length)
        pieces += [before, written]
        end = use.end
    whole = "".join([*pieces, text[end:]])
    return replace(leaf, value=whole, raw=whole) if uses else leaf


def _refuse_long(length: int) -> None:
    if length > MAX_TEXT:
        what = f"a text with ${{each:…}} in it is longer than {MAX_TEXT:,} characters"
        raise Refused("BF152", what, "keep it in a file")


def _uses(text: str) -> Iterator[_Use]:
    """Yield each `${each:…}`, by OmegaConf's rules for backslashes, braces and quotes."""
    open_: list[str] = []  # braces and quotes around the place, innermost last
    i = 0
    while i < len(text):
        quoted = bool(open_) and open_[-1] in "'\""
        if backslashes := _BACKSLASHES.match(text, i):
            run = len(backslashes[0])
            escaping = run % 2 == 1 and i + run < len(text) and (bool(open_) or text.startswith("${", i + run))
            i += run + (2 if escaping and text.startswith("${", i + run) else escaping)
        elif found := _EACH.match(text, i):
            yield _Use(i, found.end(), found[1], "text" if not open_ else "quotes" if quoted else "reference")
            i = found.end()
        elif _OPENING.match(text, i):
            hint = "write ${each:key} or ${each:key.field}"
            raise Refused("BF155", "${each:…} takes the name of a key, without quotes", hint)
        elif text.startswith("${", i):
            open_.append("{")
            i += 2
        else:
            _step_over(text[i], open_)
            i += 1


def _step_over(character: str, open_: list[str]) -> None:
    if not open_:
        return
    if open_[-1] in "'\"":
        if character == open_[-1]:
            open_.pop()
    elif character in "'\"{":
        open_.append(character)
    elif character == "}":
        open_.pop()


def _halved(before: str) -> str:
    """Return *before* as it is without a `${` behind it, where a pair of backslashes is two."""
    bare = before.rstrip("\\")
    return bare + "\\" * ((len(before) - len(bare)) // 2)


# ------------------------------------------------------------------ the value


def _look_up(argument: str, items: Combination) -> Node:
    name, _, rest = argument.partition(".")
    if name not in items:
        raise _unknown_key(name, items)
    item = items[name]
    if not rest:
        return item.whole
    node = item.data
    parts = rest.split(".")
    for part in parts:
        child = (
            None
            if node is None
            else node.child(int(part) if isinstance(node.value, list) and part.isdecimal() else part)
        )
        if child is None and parts == ["key"]:
            return Node(item.key, item.whole.span, None, item.key)
        if child is None:
            known = [str(k) for k, _ in node.children()] if node is not None else []
            hint = did_you_mean(part, known, label=f"{item.key!r} has") or f"{item.key!r} is a single value"
            raise Refused("BF155", f"${{each:{argument}}}: an item has no {part!r}", hint)
        node = child
    assert node is not None
    return node


def _unknown_key(name: str, items: Combination) -> Refused:
    if UNNAMED in items:
        return Refused(
            "BF155", f"foreach has no key {name!r}", "its items have no key: write ${each:}, or foreach: {key: […]}"
        )
    inside = [k for k, i in items.items() if i.data is not None and i.data.child(name) is not None]
    if not name:
        hint: str | None = f"say which: ${{each:{next(iter(items))}}}"
        return Refused("BF155", "the items of foreach have keys", hint)
    hint = f"write ${{each:{inside[0]}.{name}}}" if inside else did_you_mean(name, items, label="keys")
    return Refused("BF155", f"foreach has no key {name!r}", hint)


def _standing_at(leaf: Node, value: Node) -> Node:
    """Return *value* where *leaf* stands, written so that answering it gives the same."""
    if isinstance(value.value, dict):
        return replace(leaf, value={k: _below(leaf, v) for k, v in value.value.items()}, raw=None)
    if isinstance(value.value, list):
        return replace(leaf, value=[_below(leaf, v) for v in value.value], raw=None)
    written = _written(value.value)
    return replace(leaf, value=written, raw=written if isinstance(written, str) else value.raw)


def _below(leaf: Node, value: Node) -> Node:
    return _standing_at(Node(None, leaf.span, leaf.key), value)


def _inserted(value: Node, use: _Use, text: str) -> str:
    """Return *value* as it is written into *text* in place of *use*."""
    if isinstance(value.value, dict | list):
        kind = "mapping" if value.is_mapping else "list"
        what = f"${{each:{use.argument}}} is a {kind}, which cannot stand inside text"
        raise Refused("BF156", what, "name one value in it")
    if isinstance(value.value, Template):
        written = str(_written(value.value))
        fits = use.inside == "text"
    else:
        written = text_of(value.value)
        fits = _fits(written, use, text)
    if not fits:
        where = "inside longer text" if use.inside == "text" else "inside another ${…}"
        what = f"${{each:{use.argument}}} is {_shortened(written)}, which cannot stand {where}"
        raise Refused("BF156", what, "let it stand alone, or give the item a field for this")
    return written


def _fits(written: str, use: _Use, text: str) -> bool:
    match use.inside:
        case "reference":
            return _BARE.fullmatch(written) is not None
        case "quotes":
            return _QUOTED.fullmatch(written) is not None
        case _:
            opens = written.startswith("{") and text[: use.start].endswith("$")
            goes_on = written.endswith(("\\", "$")) and use.end < len(text)
            return not ("${" in written or opens or goes_on)


def _shortened(written: str) -> str:
    return repr(written if len(written) <= 60 else written[:57] + "…")


def _written(value: Any) -> Any:
    """Return *value* as a text that is answered with it: escaped, and references as they are written."""
    match value:
        case str():
            return _escaped(value)
        case Template(parts=parts):
            return "".join(
                _reference(p) if isinstance(p, Reference) else _literal(p, i, parts) for i, p in enumerate(parts)
            )
        case _:
            return value


def _escaped(text: str) -> str:
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", text)


def _literal(text: str, index: int, parts: tuple[str | Reference, ...]) -> str:
    text = _escaped(text)
    if index + 1 == len(parts):
        return text
    return text + "\\" * (len(text) - len(text.rstrip("\\")))


def _reference(reference: Reference) -> str:
    if reference.address is not None:
        return str(reference)
    arguments = ",".join(a if re.fullmatch(r"[A-Za-z_][\w.-]*", a) else _quote(a) for a in reference.arguments)
    return f"${{{reference.form}:{arguments}}}"


def _quote(argument: str) -> str:
    mark = "'" if "'" not in argument else '"'
    return mark + argument + mark
