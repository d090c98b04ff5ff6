"""Answer every `${…}` that is known before a run, by OmegaConf's grammar, with a budget.

OmegaConf parses and evaluates each text; only looking up a node is ours, because OmegaConf's own does not bound what
it expands (14 lines that each name the one above twice cost 4 s, 20 lines over 90 s), stops at the first mistake, and
does not know lines. `tests/loader/test_interpolation_properties.py` compares the results with plain OmegaConf's.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeGuard

from buzzflow.diagnostics import MAX_PROBLEMS, Diagnostic, Path, PipelineError, Span, did_you_mean
from buzzflow.loader import disk
from buzzflow.loader.copies import Copies
from buzzflow.loader.nodes import Node
from buzzflow.loader.placeholders import Placeholders, waits
from buzzflow.loader.unanswerable import Refused, nesting, unreadable, yaml_word
from buzzflow.template import FORMS, Reference

MAX_CHAIN = 32
MAX_TEXT = 16_384
MAX_EXPANDED_CHARACTERS = 1_048_576
MAX_EXPANDED_NODES = 50_000
MAX_LOOKUPS = 20_000
MAX_PARSE_MICROSECONDS = 600_000

_SIMPLE = re.compile(
    r"\$\{(?:(?P<node>[A-Za-z_]\w*(?:\.\w+)*)|(?P<form>param|step|json|run):(?P<argument>[A-Za-z_][\w.-]*))\}", re.ASCII
)
_TYPED_WORD = re.compile(r"(?:true|false|null|nan|inf)", re.IGNORECASE)


class _Container:
    """A mapping or list that a reference gave; it may stand alone, never inside text."""

    def __init__(self, node: Node, key: str) -> None:
        self.node, self.key = node, key

    def __str__(self) -> str:
        kind = "mapping" if self.node.is_mapping else "list"
        raise Refused("BF121", f"${{{self.key}}} is a {kind}, which cannot stand inside text", "name one value in it")


def interpolate(
    root: Node,
    *,
    allow_env: Collection[str] = (),
    environ: Mapping[str, str] | None = None,
    only: Path = (),
    copies: Copies | None = None,
) -> Node:
    """Return *root* with every text answered; run-time references become `Template`s.

    Texts that do not stand at *only*, or below it, stay as they are. PipelineError names every text that
    cannot be answered. *copies* tells what foreach made: a `${step:…}` may name one of them.
    """
    resolver = _Interpolation(root, allow_env, disk.variable if environ is None else environ.get, copies or Copies())
    resolved = resolver.tree(only)
    if resolver.problems:
        raise PipelineError(resolver.problems)
    return resolved


class _Interpolation:
    def __init__(
        self, root: Node, allow_env: Collection[str], variable: Callable[[str], str | None], copies: Copies
    ) -> None:
        self.root = root
        self.copies = copies
        self.allow_env = allow_env
        self.variable = variable
        self.problems: list[Diagnostic] = []
        self._placeholders = Placeholders()
        self._done: dict[Path, Node] = {}  # answered texts: the result, placeholders inside
        self._failed: set[Path] = set()
        self._told: set[tuple[str, str, Span]] = set()
        self._active: list[Path] = []
        self._lookups = self._characters = self._nodes = 0
        self._parse_cost = 0.0

    # ---- the whole tree

    def tree(self, only: Path) -> Node:
        start = self.root.at(only)
        for path, leaf in () if start is None else start.leaves(only):
            if len(self.problems) >= MAX_PROBLEMS:
                break
            if _is_text(leaf.value):
                try:
                    self._answer(path, leaf)
                except Refused as refused:
                    self._report(refused, path, leaf)
                    if refused.code == "BF123":  # the budget is spent: all that follows would say the same
                        break
            elif leaf.value == "???":  # OmegaConf's word for a value that a higher layer must give
                hint = f"give it in a file that extends this one, or with --set {_dotted(path)}=…"
                self.problems.append(Diagnostic("BF125", "a value is missing: ??? stands here", path, hint, leaf.span))
        if self.problems:
            return self.root
        answered = {path[:end] for path in self._done for end in range(len(path) + 1)}
        return self._finish(self.root, (), answered)

    def _report(self, refused: Refused, path: Path, leaf: Node) -> None:
        hint = "a literal ${ is written \\${, not $${" if "$${" in str(leaf.value) else refused.hint
        told = (refused.code, refused.summary, leaf.span)
        if not refused.silent and told not in self._told:  # every copy of a step has the same problem
            self._told.add(told)
            self.problems.append(Diagnostic(refused.code, refused.summary, path, hint, leaf.span))

    def _finish(self, node: Node, path: Path, answered: Collection[Path]) -> Node:
        """Put the answers in place of the texts, and templates in place of placeholders; *answered* holds some."""
        if path not in answered:
            return node
        if path in self._done:
            answer = self._done[path]
            if isinstance(answer.value, dict | list):
                return self._placeholders.templates(_moved(answer, node))
            return self._placeholders.templates(Node(answer.value, node.span, node.key, answer.raw, node.replaced))
        if isinstance(node.value, dict):
            return node.with_value({k: self._finish(v, (*path, k), answered) for k, v in node.value.items()})
        if isinstance(node.value, list):
            return node.with_value([self._finish(v, (*path, i), answered) for i, v in enumerate(node.value)])
        return node

    # ---- one text

    def _answer(self, path: Path, leaf: Node) -> Node:
        """Return what the text at *path* becomes: a scalar, or a copied container."""
        if path in self._done:
            return self._done[path]
        if path in self._failed:
            raise Refused("", "", silent=True)
        if path in self._active:
            circle = [*self._active[self._active.index(path) :], path]
            self._failed.update(circle)
            told = " -> ".join(_dotted(p) for p in circle)
            raise Refused("BF122", f"the interpolation goes round in a circle: {told}", "break the circle")
        if len(self._active) >= MAX_CHAIN:
            raise Refused(
                "BF123", f"interpolations refer to one another over more than {MAX_CHAIN} steps", "shorten it"
            )
        self._active.append(path)
        try:
            value = self._evaluate(str(leaf.value), path)
        except Refused:
            self._failed.add(path)
            raise
        finally:
            self._active.pop()
        if isinstance(value, _Container):
            answer = self._whole(value.node, len(path))
        else:
            answer = Node(value, leaf.span, leaf.key, leaf.raw if isinstance(value, str) else str(value))
        self._done[path] = answer
        return answer

    def _evaluate(self, text: str, path: Path) -> Any:
        if len(text) > MAX_TEXT:
            raise Refused(
                "BF123", f"a text with ${{…}} in it is longer than {MAX_TEXT:,} characters", "keep it in a file"
            )
        if (simple := self._simple(text, path)) is not None:
            return simple[0]
        return self._parse_and_evaluate(text, path)

    def _simple(self, text: str, path: Path) -> tuple[Any] | None:
        """Evaluate a text of literals and plain references without the parser: the same result, 50 times faster."""
        if "\\" in text or text.count("${") != len(found := list(_SIMPLE.finditer(text))):
            return None
        if any(m["argument"] and _TYPED_WORD.match(m["argument"]) for m in found):
            return None
        if len(found) == 1 and found[0].end() - found[0].start() == len(text):
            return (self._simple_reference(found[0], path),)
        pieces, end = [], 0
        for match in found:
            pieces += [text[end : match.start()], str(self._simple_reference(match, path))]
            end = match.end()
        return ("".join([*pieces, text[end:]]),)

    def _simple_reference(self, match: re.Match[str], path: Path) -> Any:
        if match["node"]:
            return self._node(match["node"], tuple(match["node"].split(".")), 0, path)
        return self._run_time(match["form"], (match["argument"],))

    def _parse_and_evaluate(self, text: str, path: Path) -> Any:
        from omegaconf.errors import GrammarParseError, OmegaConfBaseException
        from omegaconf.grammar_parser import parse
        from omegaconf.grammar_visitor import GrammarVisitor

        self._parse_cost += 1.3 * len(text) + 60 * sum(text.count(c) for c in "${,[\\")
        if self._parse_cost > MAX_PARSE_MICROSECONDS or nesting(text) > MAX_CHAIN:
            raise Refused("BF123", "too many or too deeply nested interpolations", "split the file, or simplify them")

        def node(key: Any, _memo: object) -> Any:
            return self._node(key.raw, key.parts, key.relative_dots, path)

        def resolver(name: str, args: tuple[Any, ...], args_str: tuple[str, ...]) -> Any:  # noqa: ARG001  # by its name
            return self._resolver(name, args)

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an empty argument, ${param:,}, is told below
                return GrammarVisitor(node, resolver, None).visit(parse(text))
        except GrammarParseError as e:
            raise unreadable(text, str(e)) from None
        except OmegaConfBaseException as e:
            raise Refused("BF120", f"this interpolation cannot be answered: {str(e).splitlines()[0]}") from None

    # ---- what a reference gives

    def _node(self, raw: str, parts: tuple[str, ...], dots: int, path: Path) -> Any:
        self._lookups += 1
        if self._lookups > MAX_LOOKUPS:
            raise Refused("BF123", f"more than {MAX_LOOKUPS:,} interpolations", "split the file")
        if any(waits(p) for p in parts):
            raise Refused(
                "BF124", f"${{{self._placeholders.readable(raw)}}} chooses by a value that only a run knows", _LATE_HINT
            )
        if not dots and len(parts) == 2 and parts[0] == "parameters":
            what = f"${{{self._placeholders.readable(raw)}}} is how a parameter is declared, not its value"
            raise Refused("BF125", what, f"write ${{param:{parts[1]}}}")
        start: Path = path[:-dots] if dots else ()
        target, node = self._walk(raw, start, parts)
        if target is not None and _is_text(node.value):
            node, target = self._answer(target, node), None
        if isinstance(node.value, dict | list):
            return _Container(self._whole(node, len(self._active), target), raw)
        if isinstance(node.value, str):
            self._spend(len(node.value))
        return node.value

    def _walk(self, raw: str, start: Path, parts: tuple[str, ...]) -> tuple[Path | None, Node]:
        """Return the node that a key names, and its path in the tree; None when it is part of an answer."""
        path: Path | None = start
        node = self.root.at(start)
        assert node is not None
        for i, part in enumerate(parts):
            if path is not None and _is_text(node.value):
                node, path = self._answer(path, node), None
            key: str | int = part
            if isinstance(node.value, list) and re.fullmatch(r"-?[0-9]{1,6}", part):
                key = int(part)
            child = node.child(key)
            if child is None:
                raise self._unknown(raw, parts, i, node)
            path, node = _below(path, key), child
        return path, node

    def _unknown(self, raw: str, parts: tuple[str, ...], i: int, node: Node) -> Refused:
        missing = parts[i]
        inside = ".".join(parts[:i])
        where = f"{inside!r} has no key {missing!r}" if inside else f"nothing is called {missing!r}"
        known = [k for k, _ in node.children() if isinstance(k, str)]
        hint = did_you_mean(missing, known)
        if i == 0 and missing in FORMS and len(parts) > 1:
            hint = f"write ${{{missing}:{'.'.join(parts[1:])}}}, with a colon"
            hint += ": it is answered when the pipeline runs" if missing != "each" else ""
        elif i == 0 and missing.isupper():
            hint = f"a process variable is ${{oc.env:{missing}}}, where environment.yaml allows it (allow_env)"
        elif i == 0 and missing == "environment":
            hint = "there is no environment.yaml above this pipeline"
        elif i == 0 and missing == "variables" and len(parts) > 1:
            hint = f"declare it: variables: {{{parts[1]}: …}}"
        return Refused("BF125", f"${{{self._placeholders.readable(raw)}}}: {where}", hint)

    def _resolver(self, name: str, args: tuple[Any, ...]) -> Any:
        if name == "each":
            return self._item(args)
        if name in FORMS:
            return self._run_time(name, args)
        if name == "oc.env":
            return self._process_variable(args)
        if waits(name):
            what = f"${{{self._placeholders.readable(name)}:…}} chooses by a value that only a run knows"
            raise Refused("BF124", what, _LATE_HINT)
        if name.isupper():
            hint: str | None = f"there is no default by :-; a process variable is ${{oc.env:{name},default}}"
        elif name == "environment" or (self.root.child(name) is not None and name not in ("steps", "parameters")):
            key = self._placeholders.readable(".".join(map(yaml_word, args))) or "key"
            hint = f"write ${{{name}.{key}}}, with a dot"
        else:
            hint = did_you_mean(name, [*FORMS - {"each"}, "oc.env"])
        raise Refused("BF126", f"nothing answers ${{{name}:…}}", hint)

    def _run_time(self, form: str, args: tuple[Any, ...]) -> str:
        if not args or not all(isinstance(a, str) for a in args):
            told = ", ".join(yaml_word(a) for a in args)
            raise Refused("BF127", f"${{{form}:{told}}} needs a name", f"names are text: ${{{form}:name}}")
        if form == "json" and len(args) == 2 and waits(args[0]) and not waits(args[1]):
            return self._placeholders.stand_in(Reference("json", args[1:], self._placeholders.template(args[0])))
        if any(waits(a) for a in args):
            raise Refused("BF124", f"a ${{{form}:…}} is built from a value that only a run knows", _LATE_HINT)
        if form in ("step", "json") and len(args) == 1:
            args = (self.copies.meant(form, args[0], self._step()),)
        return self._placeholders.stand_in(Reference(form, args))  # type: ignore[arg-type]  # callers look it up in FORMS

    def _step(self) -> str | None:
        """Return the step in which the text stands that is being answered."""
        match self._active[-1]:
            case ("steps", str(name), *_):
                return name
            case _:
                return None

    def _item(self, args: tuple[Any, ...]) -> str:
        """Answer an `${each:…}` that foreach left: in the steps of a group whose items only a run knows."""
        if self._step() not in self.copies.late:
            hint = "in the other fields of a step with foreach, or in the steps of a group"
            raise Refused("BF126", "${each:…} has a meaning inside a foreach only", hint)
        if len(args) > 1 or not all(isinstance(a, str) and not waits(a) for a in args):
            raise Refused("BF127", "${each:…} takes the name of a field", "write ${each:}, or ${each:field}")
        return self._placeholders.stand_in(Reference("each", args))

    def _process_variable(self, args: tuple[Any, ...]) -> Any:
        if not args or not isinstance(args[0], str) or len(args) > 2:
            raise Refused("BF127", "${oc.env:…} takes a name and perhaps a default", "${oc.env:NAME,default}")
        name = args[0]
        if name not in self.allow_env:
            raise Refused(
                "BF128",
                f"process variable {name!r} may not be read here",
                f"add it to environment.yaml: allow_env: [{name}]; what it holds will be visible in the pipeline",
            )
        value: Any = self.variable(name)
        if value is None and len(args) == 2:
            value = args[1]
        if value is None and len(args) < 2:
            raise Refused("BF129", f"process variable {name!r} is not set", f"set it, or ${{oc.env:{name},default}}")
        if isinstance(value, str):
            if re.search("[\ue000-\uf8ff]", value):
                raise Refused("BF129", f"process variable {name!r} holds characters of the private-use area")
            self._spend(len(value))
        return value

    # ---- containers and the budget

    def _whole(self, node: Node, depth: int, path: Path | None = None) -> Node:
        """Return *node* with every text inside answered; *path* is where it stands, None when it is answered."""
        self._nodes += 1
        if self._nodes > MAX_EXPANDED_NODES or depth > 2 * MAX_CHAIN:
            raise Refused("BF123", f"interpolations expand to more than {MAX_EXPANDED_NODES:,} values", "name less")
        if isinstance(node.value, dict):
            return node.with_value({k: self._whole(v, depth + 1, _below(path, k)) for k, v in node.value.items()})
        if isinstance(node.value, list):
            return node.with_value([self._whole(v, depth + 1, _below(path, i)) for i, v in enumerate(node.value)])
        if path is not None and _is_text(node.value):
            return self._whole(self._answer(path, node), depth + 1)
        if isinstance(node.value, str):
            self._spend(len(node.value))
        return node

    def _spend(self, characters: int) -> None:
        self._characters += characters
        if self._characters > MAX_EXPANDED_CHARACTERS:
            raise Refused("BF123", "interpolations expand to more than a million characters", "name less")


_LATE_HINT = "choose by a variable or by a condition step"


def _is_text(value: object) -> TypeGuard[str]:
    """Whether OmegaConf would parse *value*: text with an interpolation in it, escaped or not."""
    return isinstance(value, str) and "${" in value


def _moved(node: Node, place: Node) -> Node:
    """Return a copied container, standing where the reference stands."""

    def move(n: Node) -> Node:
        if isinstance(n.value, dict):
            return Node({k: move(v) for k, v in n.value.items()}, place.span, place.key, None)
        if isinstance(n.value, list):
            return Node([move(v) for v in n.value], place.span, place.key, None)
        return Node(n.value, place.span, place.key, n.raw)

    moved = move(node)
    moved.replaced = place.replaced
    return moved


def _below(path: Path | None, part: str | int) -> Path | None:
    return None if path is None else (*path, part)


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))
