"""HTML from values: what is no markup is text, and is escaped, so that nothing that a run says becomes markup."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape

from buzzflow.backends.printable import printable

Attribute = str | int | float | bool | None
_IN_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, *children: str | Markup, **attributes: Attribute) -> Markup:
    """Return an element. `class_` is class, `aria_label` is aria-label; True stands alone, False and None are left out.

    >>> tag("p", "a < b", class_="note", hidden=True)
    '<p class="note" hidden>a &lt; b</p>'
    """
    written = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    return Markup(f"<{name}{written}>{''.join(map(text, children))}</{name}>")


def text(content: str | Markup) -> Markup:
    """Return *content* as HTML shows it, without characters that would move what stands around it."""
    if isinstance(content, Markup):
        return content
    return Markup(escape("\n".join(map(printable, content.split("\n")))))


def join(parts: Iterable[str | Markup], between: str = "") -> Markup:
    """Return *parts* one after the other."""
    return Markup(text(between).join(map(text, parts)))


def data_block(identity: str, data: object) -> Markup:
    """Return *data* as JSON in a script element that is not run; no text in it can end the element."""
    content = json.dumps(data, separators=(",", ":")).translate(_IN_SCRIPT)
    return Markup(f'<script type="application/json" id="{identity}">{content}</script>')


def _attribute(name: str, value: Attribute) -> str:
    match value:
        case None | False:
            return ""
        case True:
            return f" {name}"
        case _:
            return f' {name}="{text(str(value))}"'
