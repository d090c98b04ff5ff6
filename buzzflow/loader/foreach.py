"""Expand foreach: a step becomes its copies, a group the copies of its steps.

A group whose items only a run knows stays, with its steps beside it.

It works on the tree in which nothing is answered and no default stands, so that layers and `--set` address the step
that the user wrote, and a copy is what the user could have written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from buzzflow.diagnostics import MAX_PROBLEMS, Diagnostic, Path, PipelineError, Span
from buzzflow.loader.copies import Copies
from buzzflow.loader.each import has_each, with_items
from buzzflow.loader.gather import MAX_VALUES, Gathering
from buzzflow.loader.items import (
    MAX_COPIES,
    Combination,
    key_of,
    mentions_interpolation,
    name_of,
    place_of,
    read_items,
    too_many,
)
from buzzflow.loader.nodes import Node
from buzzflow.loader.unanswerable import Refused
from buzzflow.template import Reference, Template

MAX_CHARACTERS = 4_194_304  # in all texts with an ${each:…}
_OF_GROUP = ("type", "items", "steps")


def expand_foreach(root: Node, answer: Callable[[Node], Node]) -> tuple[Node, Copies]:
    """Return *root* with the copies in place of the steps, and which copies there are.

    *answer* answers what stands in the steps of a tree, as far as that is known before a run. PipelineError tells
    everything that is wrong with a foreach.
    """
    steps = root.child("steps")
    if steps is None or not isinstance(steps.value, dict) or not any(_repeats(s) for s in steps.value.values()):
        return root, Copies()
    expansion = _Expansion(_answered_items(root, steps, answer))
    for name, step in steps.value.items():
        expansion.add(name, step)
    copies = expansion.copies()
    gathering = Gathering(copies)
    made = {n: gathering.written_out(n, s) for n, s in expansion.steps.items()}
    if problems := [*expansion.problems, *gathering.problems]:
        raise PipelineError(once(problems))
    assert isinstance(root.value, dict)
    return root.with_value({**root.value, "steps": steps.with_value(made)}), copies


def once(problems: list[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield each problem once, though every copy has it."""
    seen: dict[tuple[str, str, Span | None], Diagnostic] = {}
    for problem in problems:
        seen.setdefault((problem.code, problem.summary, problem.span), problem)
    yield from seen.values()


def _is_group(step: Node) -> bool:
    kind = step.child("type")
    return kind is not None and kind.value == "foreach"


def _repeats(step: Node) -> bool:
    return _is_group(step) or step.child("foreach") is not None


def _answered_items(root: Node, steps: Node, answer: Callable[[Node], Node]) -> Mapping[str, Node]:
    """Return the items of each step that has some, with every `${…}` in them answered."""
    assert isinstance(root.value, dict)
    assert isinstance(steps.value, dict)
    keys = {name: "items" if _is_group(step) else "foreach" for name, step in steps.value.items()}
    found = {n: i for n, k in keys.items() if (i := steps.at((n, k))) is not None and i.value is not None}
    asking = {n: Node({keys[n]: i}, i.span) for n, i in found.items() if mentions_interpolation(i)}
    if asking:
        tree = answer(root.with_value({**root.value, "steps": steps.with_value(asking)}))
        found |= {n: i for n in asking if (i := tree.at(("steps", n, keys[n]))) is not None}
    return found


@dataclass(frozen=True, slots=True)
class _Origin:
    """A step to make copies of, and where it stands."""

    step: Node
    path: Path

    @property
    def in_group(self) -> bool:
        """Whether it stands in a group."""
        return len(self.path) > 2


class _Expansion:
    def __init__(self, items: Mapping[str, Node]) -> None:
        self.items = items
        self.steps: dict[str, Node] = {}
        self.problems: list[Diagnostic] = []
        self._told: set[tuple[str, str, Span | None]] = set()
        self._of: dict[str, dict[str, str]] = {}
        self._groups: dict[str, tuple[str, ...]] = {}
        self._siblings: dict[str, Mapping[str, str]] = {}
        self._late: set[str] = set()
        self._written: dict[str, Node] = {}  # the names that the user gave, in groups too
        self._count = self._values = self._characters = 0

    def copies(self) -> Copies:
        """Return which copies there are, after all steps are added."""
        self._name_twice()
        return Copies(self._of, self._groups, self._siblings, frozenset(self._late))

    def add(self, name: str, step: Node) -> None:
        """Add the step, its copies, or those of its steps."""
        path: Path = ("steps", name)
        if not self._is_new(name, step, path):
            return
        try:
            if _is_group(step):
                self._add_group(name, step, path)
            elif name in self.items:
                origin = _Origin(_without(step, "foreach"), path)
                self._add_copies({name: origin}, read_items(self.items[name], (*path, "foreach")))
            else:
                self.steps[name] = _without(step, "foreach")
        except PipelineError as e:
            for problem in e.diagnostics:
                self._add(problem)

    def _is_new(self, name: str, step: Node, path: Path) -> bool:
        if (other := self._written.get(name)) is None:
            self._written[name] = step
            return True
        place = place_of(other)
        what = f"step {name!r} stands in {place.file}:{place.line} too"
        self._report("BF151", what, path, "the steps of groups share their names with all others", step)
        return False

    # ---- groups

    def _add_group(self, name: str, group: Node, path: Path) -> None:
        inner = self._inner_steps(name, group, path)
        items = self.items.get(name)
        if items is None or not inner:
            if items is None:
                self._report("BF154", f"group {name!r} has no items", path, "add items: [kr, us]", group)
            return
        if isinstance(items.value, Template):
            self._flatten(name, group, inner, items.value.only)
            return
        assert isinstance(group.value, dict)
        for key, node in group.value.items():
            if key not in _OF_GROUP and node.value is not None:
                what = f"a group whose items are known has no {key!r}"
                hint = "it has items and steps; other fields stand in its steps"
                if key == "max_concurrency":
                    hint = "parallelism, at the top of the file, limits how many steps run at once"
                self._add(Diagnostic("BF154", what, (*path, key), hint, node.key or node.span))
        combinations = read_items(items, (*path, "items"))
        self._groups[name] = tuple(inner)
        self._add_copies({n: _Origin(s, (*path, "steps", n)) for n, s in inner.items()}, combinations)

    def _inner_steps(self, name: str, group: Node, path: Path) -> dict[str, Node]:
        if (wrong := group.child("foreach")) is not None and wrong.value is not None:
            self._report("BF154", "the items of a group stand in items", (*path, "foreach"), "rename it", wrong)
        steps = group.child("steps")
        if steps is None or not isinstance(steps.value, dict):
            hint = "add steps: {train: {type: training, code: train.py}}"
            self._report("BF154", f"group {name!r} has no steps", path, hint, steps or group)
            return {}
        inner = {}
        for key, step in steps.value.items():
            where = (*path, "steps", key)
            if step.value is None and step.replaced:
                continue
            if _is_group(step) or ((own := step.child("foreach")) is not None and own.value is not None):
                hint = "give the group several keys, items: {region: [kr, us], size: [s, m]}"
                self._report(
                    "BF154", f"step {key!r} stands in a group and cannot have a foreach itself", where, hint, step
                )
            elif self._is_new(key, step, where):
                inner[key] = _without(step, "foreach")
        if not inner and not steps.value:
            self._report("BF154", f"group {name!r} has no steps", path, "add a step", steps)
        return inner

    def _flatten(self, name: str, group: Node, inner: Mapping[str, Node], items: Reference | None) -> None:
        """Let a group stay whose items only a run knows, with its steps beside it."""
        assert isinstance(group.value, dict)
        if items is None or items.form not in ("param", "step"):
            what = f"items of {name!r} come from one ${{param:…}} or ${{step:…}}, alone, or are known"
            hint = 'write items: "${param:days}", or a list'
            self._report("BF153", what, ("steps", name, "items"), hint, group.value["items"])
        names = [Node(n, place_of(s), None, n) for n, s in inner.items()]
        steps = group.value["steps"].with_value(names)
        self.steps |= {name: group.with_value({**group.value, "steps": steps}), **inner}
        self._late |= inner.keys()

    # ---- copies

    def _add_copies(self, steps: Mapping[str, _Origin], combinations: list[Combination]) -> None:
        self._count += len(steps) * len(combinations)
        first = next(iter(steps.values()))
        if self._count > MAX_COPIES:
            what = f"foreach makes {self._count:,} copies; a pipeline may have {MAX_COPIES}"
            raise too_many(what, first.path, place_of(first.step))
        keyed = [(key_of(c), c) for c in combinations]
        for name in steps:
            self._of[name] = {key: name_of(name, key) for key, _ in keyed}
        of_item = {key: {name: self._of[name][key] for name in steps} for key, _ in keyed}
        for name, origin in steps.items():
            for key, combination in keyed:
                self._add_copy(name, origin, of_item[key][name], combination)
                if origin.in_group:
                    self._siblings[of_item[key][name]] = of_item[key]

    def _add_copy(self, name: str, origin: _Origin, copy: str, items: Combination) -> None:
        if copy in self.steps and copy not in self._written:
            what = f"a copy of {name!r} would be called {copy!r}, as another copy is"
            self._report("BF151", what, origin.path, "give one of the steps another name", origin.step)
        self.steps[copy] = self._copied(origin.step, items, ("steps", copy))

    def _name_twice(self) -> None:
        """Report the copies that are called like something that the user wrote."""
        for name, copies in self._of.items():
            for copy in copies.values() & self._written.keys():
                where = place_of(self._written[copy])
                what = f"step {copy!r} is called like a copy of {name!r}"
                hint = "what is special about one copy belongs into the data of its item"
                self._add(Diagnostic("BF151", what, ("steps", copy), hint, where))

    def _copied(self, node: Node, items: Combination, path: Path) -> Node:
        if isinstance(node.value, dict):
            return node.with_value({k: self._copied(n, items, (*path, k)) for k, n in node.value.items()})
        if isinstance(node.value, list):
            return node.with_value([self._copied(n, items, (*path, i)) for i, n in enumerate(node.value)])
        made = node
        if has_each(node.value):
            self._characters += len(str(node.value))
            try:
                made = with_items(node, items)
            except Refused as refused:
                self._add(Diagnostic(refused.code, refused.summary, path, refused.hint, node.span))
        self._spend(made, path)
        return made

    def _spend(self, node: Node, path: Path) -> None:
        for _, leaf in node.leaves():
            self._values += 1
            self._characters += len(leaf.value) if isinstance(leaf.value, str) else 0
        if self._values > MAX_VALUES or self._characters > MAX_CHARACTERS:
            what = f"copies hold more than {MAX_VALUES:,} values, or {MAX_CHARACTERS:,} characters"
            raise too_many(what, path, place_of(node))

    def _report(self, code: str, summary: str, path: Path, hint: str, node: Node) -> None:
        self._add(Diagnostic(code, summary, path, hint, place_of(node)))

    def _add(self, problem: Diagnostic) -> None:
        told = (problem.code, problem.summary, problem.span)
        if told not in self._told and len(self.problems) < MAX_PROBLEMS:
            self._told.add(told)
            self.problems.append(problem)


def _without(step: Node, key: str) -> Node:
    if not isinstance(step.value, dict) or key not in step.value:
        return step
    return step.with_value({k: n for k, n in step.value.items() if k != key})
