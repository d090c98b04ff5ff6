"""The copies that foreach made, and what a name means among them: one copy, all copies, the copy of the same item."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from buzzflow.diagnostics import Diagnostic, Path, closest, did_you_mean
from buzzflow.loader.nodes import Node
from buzzflow.loader.unanswerable import Refused

_LISTS_OF_STEPS = ("depends_on", "then", "else")
_WORDS = frozenset(("outputs", "properties", "metrics", "best", "rank"))  # after a step's name, with more behind
_ALL = re.compile(
    r"\$\{\s*(?P<form>step|json)\s*:\s*(?P<quote>['\"]?)(?P<name>[A-Za-z0-9_-]+)\.\*(?P<rest>(?:\.[^${}'\"\\,*]*)?)"
    r"(?P=quote)\s*\}"
)


@dataclass(frozen=True, slots=True)
class Copies:
    """Every copy by its step and key.

    *of* gives the copies' names by the step's name and the item's key; *groups* the names of a group's steps;
    *siblings*, for a copy in a group, the copies of the same item by their steps' names. *late* are the steps that run
    for items that only a run knows.
    """

    of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    siblings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    late: frozenset[str] = frozenset()

    def meant(self, form: str, argument: str, step: str | None) -> str:
        """Return the argument of a `${step:…}` or `${json:…}` in *step* with the name of a copy in it.

        *step* is None for a text that stands in no step. Refused says why it names none.
        """
        name, _, rest = argument.partition(".")
        head, _, tail = rest.partition(".")
        if head == "*":
            raise self._misplaced(form, argument, name)
        own = self.siblings.get(step or "", {}).get(name)
        if own is not None:
            if form == "step" and tail and head in self.of[name] and head not in _WORDS:
                hint = f"the copy of another item is ${{step:{self.of[name][head]}.{tail}}}"
                raise Refused("BF157", f"inside its group, {name!r} is the copy of the same item", hint)
            return f"{own}.{rest}" if rest else own
        if name in self.groups:
            names = self.groups[name]
            hint = f"name one of its steps: ${{{form}:{names[0]}.{next(iter(self.of[names[0]]))}.…}}"
            raise Refused("BF157", f"{name!r} is a group of steps", hint)
        if name not in self.of:
            return argument
        if head in self.of[name]:
            return self.of[name][head] + (f".{tail}" if tail else "")
        raise self._no_copy(form, name, head, tail)

    def _no_copy(self, form: str, name: str, head: str, tail: str) -> Refused:
        copies = self.of[name]
        if tail and head not in _WORDS and (close := closest(head, copies)):
            return Refused("BF158", f"step {name!r} has no copy {head!r}", f"did you mean {close!r}?")
        if not tail or head in _WORDS or form == "json":
            rest = f".{head}" * bool(head) + f".{tail}" * bool(tail)
            hint = (
                f"write ${{{form}:{name}.{next(iter(copies))}{rest}}}; {did_you_mean('', copies, label='its copies')}"
            )
            return Refused("BF157", f"step {name!r} has copies: say which of them is meant", hint)
        return Refused("BF158", f"step {name!r} has no copy {head!r}", did_you_mean(head, copies, label="its copies"))

    def _misplaced(self, form: str, argument: str, name: str) -> Refused:
        if name in self.groups:
            hint = f"name one of its steps: ${{{form}:{self.groups[name][0]}.*.…}}"
            return Refused("BF157", f"{name!r} is a group of steps", hint)
        if name not in self.of:
            hint = did_you_mean(name, self.of, label="steps with foreach") or "it has no foreach"
            return Refused("BF158", f"step {name!r} has no copies", hint)
        hint = 'alone as the source of an input, inputs: {all: "${step:…}"}, as an item of a list in a step, or of arguments'
        if form == "json":
            hint = "alone as an item of a list in a step, or of arguments"
        return Refused("BF159", f"all copies, ${{{form}:{argument}}}, cannot stand here", f"it may stand {hint}")

    def all_of(self, name: str, step: str) -> tuple[str, ...]:
        """Return the steps that a bare *name* in a list of steps of *step* means."""
        if (own := self.siblings.get(step, {}).get(name)) is not None:
            return (own,)
        if name in self.groups:
            return tuple(copy for inner in self.groups[name] for copy in self.of[inner].values())
        return tuple(self.of[name].values()) if name in self.of else (name,)


# ------------------------------------------------------------------ one step


def with_all_copies(name: str, step: Node, copies: Copies, problems: list[Diagnostic]) -> Node:
    """Return *step* with every name and reference that means several steps written once for each."""
    if not isinstance(step.value, dict):
        return step
    fields = {k: _lists(n, copies) for k, n in step.value.items()}
    for key in _LISTS_OF_STEPS:
        if key in fields and isinstance(listed := fields[key].value, list):
            fields[key] = fields[key].with_value([i for n in listed for i in _named_steps(name, n, copies)])
    if "arguments" in fields and isinstance(named := fields["arguments"].value, dict):
        fields["arguments"] = fields["arguments"].with_value({k: _option(n, copies) for k, n in named.items()})
    if "inputs" in fields:
        fields["inputs"] = _gathered(fields["inputs"], ("steps", name, "inputs"), copies, problems)
    return step.with_value(fields)


def _named_steps(step: str, node: Node, copies: Copies) -> Iterator[Node]:
    match node.value:
        case str(written):
            for name in copies.all_of(written, step):
                yield node if name == written else replace(node, value=name, raw=name)
        case {"step": Node() as named, **rest}:  # an item of depends_on, with when:
            for one in _named_steps(step, named, copies):
                yield node.with_value({"step": one, **rest})
        case _:
            yield node


def _lists(node: Node, copies: Copies) -> Node:
    """Return *node* with each item of a list that means all copies written once for each."""
    if isinstance(node.value, dict):
        return node.with_value({k: _lists(n, copies) for k, n in node.value.items()})
    if not isinstance(node.value, list):
        return node
    items: list[Node] = []
    for item in node.value:
        texts = [text for _, text in _one_by_one(item, copies)]
        items += [replace(item, value=t, raw=t) for t in texts] if texts else [_lists(item, copies)]
    return node.with_value(items)


def _option(node: Node, copies: Copies) -> Node:
    """Return the value of an option: a list of all copies where it is a reference to all of them."""
    texts = [text for _, text in _one_by_one(node, copies)]
    return replace(node, value=[Node(t, node.span, None, t) for t in texts], raw=None) if texts else node


def _one_by_one(node: Node, copies: Copies) -> list[tuple[str, str]]:
    """Return the key and the reference of each copy where *node* is one to all of them."""
    match = _ALL.fullmatch(node.value) if isinstance(node.value, str) else None
    if match is None or match["name"] not in copies.of:
        return []
    form, quote, rest = match["form"], match["quote"], match["rest"]
    return [(k, f"${{{form}:{quote}{n}{rest}{quote}}}") for k, n in copies.of[match["name"]].items()]


def _gathered(inputs: Node, path: Path, copies: Copies, problems: list[Diagnostic]) -> Node:
    """Return *inputs* with one input for each copy where the source is all of them."""
    if not isinstance(inputs.value, dict):
        return inputs
    found: dict[str, Node] = {}
    for name, node in inputs.value.items():
        source = node.child("from")
        every = [] if source is None else _one_by_one(source, copies)
        if source is None or not every or not str(source.value).startswith("${step"):
            made = {name: node}
        else:
            made = {f"{name}-{key}": _one_input(name, key, node, replace(source, value=t, raw=t)) for key, t in every}
        for twice in found.keys() & made.keys():
            what = f"two inputs would be called {twice!r}"
            place = node.key or node.span
            problems.append(Diagnostic("BF151", what, (*path, name), "give one of the two another name", place))
        found |= made
    return inputs.with_value(found)


def _one_input(name: str, key: str, node: Node, source: Node) -> Node:
    group = Node(name, node.key or node.span, node.key, name)
    folder = node.child("path")
    more = {"group": group, "key": replace(group, value=key, raw=key)}
    if folder is not None and isinstance(folder.value, str):
        below = f"{folder.value.rstrip('/')}/{key}"
        more = {"group": group, "path": replace(folder, value=below, raw=below)}
    assert isinstance(node.value, dict)
    return node.with_value({**node.value, "from": source, **more})
