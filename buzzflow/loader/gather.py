"""Write out, in a step, what means several steps: the bare name of a step with copies, a reference to all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from buzzflow.diagnostics import Diagnostic, Path
from buzzflow.loader.copies import Copies
from buzzflow.loader.items import name_of, place_of, too_many
from buzzflow.loader.nodes import Node

MAX_VALUES = 50_000  # in all copies and all that gathers them, as in one file
_LISTS_OF_STEPS = ("depends_on", "then", "else")
_ALL = re.compile(
    r"\$\{\s*(?P<form>step|json)\s*:\s*(?P<quote>['\"]?)(?P<name>[A-Za-z0-9_-]+)\.\*(?P<rest>(?:\.[^${}'\"\\,*]*)?)"
    r"(?P=quote)\s*\}"
)


class Gathering:
    """Writes out steps, and keeps the *problems* that it finds. PipelineError when it comes to too much."""

    def __init__(self, copies: Copies) -> None:
        self.copies = copies
        self.problems: list[Diagnostic] = []
        self._values = 0

    def written_out(self, name: str, step: Node) -> Node:
        """Return *step* with every name and reference that means several steps written once for each."""
        if not isinstance(step.value, dict):
            return step
        fields = {k: self._lists(n) for k, n in step.value.items()}
        for key in _LISTS_OF_STEPS:
            if key in fields and isinstance(listed := fields[key].value, list):
                fields[key] = fields[key].with_value([i for n in listed for i in self._steps(name, n)])
        if "checks" in fields and isinstance(checks := fields["checks"].value, dict):
            fields["checks"] = fields["checks"].with_value({k: self._one_step(name, n) for k, n in checks.items()})
        if "arguments" in fields and isinstance(named := fields["arguments"].value, dict):
            fields["arguments"] = fields["arguments"].with_value({k: self._option(n) for k, n in named.items()})
        if "inputs" in fields:
            fields["inputs"] = self._inputs(fields["inputs"], ("steps", name, "inputs"))
        return step.with_value(fields)

    # ---- lists

    def _steps(self, step: str, node: Node) -> Iterator[Node]:
        match node.value:
            case str(written):
                for name in self.copies.all_of(written, step):
                    self._spend(node)
                    yield node if name == written else replace(node, value=name, raw=name)
            case {"step": Node() as named, **rest}:  # an item of depends_on, with when:
                for one in self._steps(step, named):
                    yield node.with_value({"step": one, **rest})
            case _:
                yield node

    def _one_step(self, step: str, node: Node) -> Node:
        """Return the one step that *node* means; where it is several, what it says stays for a later stage to tell."""
        named = [*self._steps(step, node)]
        return named[0] if len(named) == 1 else node

    def _lists(self, node: Node) -> Node:
        """Return *node* with each item of a list that means all copies written once for each."""
        if isinstance(node.value, dict):
            return node.with_value({k: self._lists(n) for k, n in node.value.items()})
        if not isinstance(node.value, list):
            return node
        items: list[Node] = []
        for item in node.value:
            every = self._one_by_one(item)
            items += every.values() if every else [self._lists(item)]
        return node.with_value(items)

    def _option(self, node: Node) -> Node:
        """Return the value of an option: a list of all copies where it is a reference to all of them."""
        every = self._one_by_one(node)
        return replace(node, value=[replace(n, key=None) for n in every.values()], raw=None) if every else node

    def _one_by_one(self, node: Node) -> dict[str, Node]:
        """Return, by its key, the reference to each copy where *node* is one to all of them."""
        match = _ALL.fullmatch(node.value) if isinstance(node.value, str) else None
        if match is None or match["name"] not in self.copies.of:
            return {}
        form, quote, rest = match["form"], match["quote"], match["rest"]
        found = {}
        for key, name in self.copies.of[match["name"]].items():
            self._spend(node)
            text = f"${{{form}:{quote}{name}{rest}{quote}}}"
            found[key] = replace(node, value=text, raw=text)
        return found

    # ---- inputs

    def _inputs(self, inputs: Node, path: Path) -> Node:
        """Return *inputs* with one input for each copy where the source is all of them."""
        if not isinstance(inputs.value, dict):
            return inputs
        found: dict[str, Node] = {}
        for name, node in inputs.value.items():
            source = node.child("from")
            is_json = source is not None and str(source.value).lstrip("${ ").startswith("json")
            every = {} if source is None or is_json else self._one_by_one(source)
            made = {name_of(name, k): _input(name, k, node, s) for k, s in every.items()} or {name: node}
            for twice in found.keys() & made.keys():
                hint = "give one of the two another name"
                what = f"two inputs would be called {twice!r}"
                self.problems.append(Diagnostic("BF151", what, (*path, name), hint, node.key or node.span))
            found |= made
        return inputs.with_value(found)

    def _spend(self, node: Node) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise too_many(f"all copies, written out, are more than {MAX_VALUES:,} values", (), place_of(node))


def _input(name: str, key: str, node: Node, source: Node) -> Node:
    group = Node(name, node.key or node.span, node.key, name)
    folder = node.child("path")
    more = {"group": group, "key": replace(group, value=key, raw=key)}
    if folder is not None and isinstance(folder.value, str):
        below = f"{folder.value.rstrip('/')}/{key}"
        more = {"group": group, "path": replace(folder, value=below, raw=below)}
    assert isinstance(node.value, dict)
    return node.with_value({**node.value, "from": source, **more})
