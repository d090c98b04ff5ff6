"""What stands for a run-time reference while OmegaConf evaluates the text around it."""

from __future__ import annotations

import re

from buzzflow.loader.nodes import Node
from buzzflow.template import Reference, Template

_START, _END = "\ue000", "\ue001"  # of the private-use area, which no text of a file may hold
_PLACEHOLDER = re.compile(f"{_START}([0-9]+){_END}")


def waits(text: str) -> bool:
    """Whether *text* holds a value that only a run knows."""
    return _START in text


class Placeholders:
    """The run-time references of one pipeline, each with the text that stands for it."""

    def __init__(self) -> None:
        self._numbers: dict[Reference, int] = {}
        self._references: list[Reference] = []

    def stand_in(self, reference: Reference) -> str:
        """Return the text that stands for *reference*."""
        if reference not in self._numbers:
            self._numbers[reference] = len(self._references)
            self._references.append(reference)
        return f"{_START}{self._numbers[reference]}{_END}"

    def templates(self, node: Node) -> Node:
        """Return *node* with a `Template` for each text that holds a placeholder."""
        if isinstance(node.value, dict):
            return node.with_value({k: self.templates(v) for k, v in node.value.items()})
        if isinstance(node.value, list):
            return node.with_value([self.templates(v) for v in node.value])
        if isinstance(node.value, str) and waits(node.value):
            return node.with_value(self.template(node.value))
        return node

    def readable(self, raw: str) -> str:
        """Return *raw* as its author wrote it, on one line."""
        return " ".join(_PLACEHOLDER.sub(lambda m: str(self._references[int(m[1])]), raw).split())

    def template(self, text: str) -> Template:
        """Return *text*, which holds a placeholder, with its references."""
        pieces = _PLACEHOLDER.split(text)  # literal, index, literal, …
        parts = [self._references[int(p)] if i % 2 else p for i, p in enumerate(pieces)]
        return Template(tuple(p for p in parts if p != ""))
