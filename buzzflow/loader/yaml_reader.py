"""Read one YAML text into a tree of nodes, refusing what could hurt before it does.

The tree is built from the event stream without recursion, so that neither depth nor aliases can exhaust the stack
or the memory (a C loader that composes 100,000 nested lists ends the process with a segmentation fault). Scalars
follow the rules of OmegaConf's own loader: YAML 1.1 without timestamps, and `1e3` is a number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn

import yaml

from buzzflow.diagnostics import Diagnostic, PipelineError, Span
from buzzflow.loader.nodes import Node

MAX_BYTES = 1_048_576
MAX_DEPTH = 64
MAX_NODES = 50_000
MAX_ALIASED_NODES = 10_000
MAX_PROBLEMS = 100

_PARSER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PRIVATE_USE = re.compile("[\ue000-\uf8ff]")
_CORE = "tag:yaml.org,2002:"
NULL = re.compile(r"~|null|Null|NULL|")
BOOL = re.compile(r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF")
INT = re.compile(
    r"[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+"
)
# from omegaconf's loader: unlike PyYAML's, it reads 1e3 as a number
FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?(?:[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)"
    r"|\.[0-9_]+(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_PLAIN_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_MERGE = "<<"


@lru_cache(maxsize=32)  # nobody changes a node, and the pipelines of a tree share layers and environments
def read_yaml(text: str, file: str) -> Node:
    """Return the tree of *text*; PipelineError says what is wrong, with the line in *file*.

    An empty text gives an empty mapping.
    """
    _refuse_large_text(text, file)
    reader = _Reader(text, file)
    try:
        root = reader.read()
    except yaml.MarkedYAMLError as e:
        raise PipelineError([_syntax_error(e, text, file)]) from None
    except UnicodeEncodeError:  # half a character: only a command line can hold one
        raise PipelineError([Diagnostic("BF101", "the text is not UTF-8", span=Span(file, 1, 1))]) from None
    except yaml.YAMLError as e:  # a character that YAML forbids
        raise PipelineError(
            [Diagnostic("BF101", f"this is not YAML: {_first_line(e)}", span=Span(file, 1, 1))]
        ) from None
    if reader.problems:
        raise PipelineError(reader.problems)
    return root or Node({}, Span(file, 1, 1))


def _refuse_large_text(text: str, file: str) -> None:
    if len(text) > MAX_BYTES:
        raise PipelineError(
            [
                Diagnostic(
                    "BF102",
                    f"the file is larger than {MAX_BYTES // 1024} KiB",
                    hint="split it with include, or keep data out of the pipeline",
                    span=Span(file, 1, 1),
                )
            ]
        )


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that has begun and not ended."""

    node: Node
    anchor: str | None
    first: int  # how many nodes there were when it began
    key: tuple[str | None, Span] | None = None  # None in place of the text: the merge key <<
    skip_value: bool = False  # the key was refused: its value is read and dropped
    merges: list[Node] = field(default_factory=list)


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.text = text
        self.problems: list[Diagnostic] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._nodes = 0
        self._aliased = 0
        self._root: Node | None = None

    def read(self) -> Node | None:
        documents = 0
        for event in self._events():
            match event:
                case yaml.ScalarEvent():
                    self._scalar(event, self._span(event))
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._begin(event, self._span(event))
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._end()
                case yaml.AliasEvent():
                    self._alias(event, self._span(event))
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        what, hint = "the file holds more than one document", "remove the --- line"
                        self._stop("BF103", what, self._span(event), hint)
        return self._root

    def _span(self, event: Any) -> Span:
        mark = event.start_mark
        return Span(self.file, mark.line + 1, mark.column + 1)

    def _events(self) -> Iterator[Any]:
        parser = _PARSER(self.text)
        try:
            while parser.check_event():
                yield parser.get_event()
        finally:
            parser.dispose()

    def _begin(self, event: Any, span: Span) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _CORE + ("map" if mapping else "seq")):
            self._refuse_tag(event.tag, span)
        if len(self._stack) >= MAX_DEPTH:
            self._stop("BF104", f"nested deeper than {MAX_DEPTH} levels", span, "flatten it")
        self._count(span)
        node = Node({} if mapping else [], span)
        if self._expects_key():
            self._stop("BF105", "a key must be text", span, "use a plain word as the key")
        self._stack.append(_Open(node, event.anchor, self._nodes))

    def _end(self) -> None:
        done = self._stack.pop()
        if isinstance(done.node.value, dict):
            for source in done.merges:
                for key, value in source.value.items():  # type: ignore[union-attr]  # _merge let only mappings in
                    done.node.value.setdefault(key, value)
        if done.anchor:
            self._anchors[done.anchor] = (done.node, self._nodes - done.first + 1)
        self._add(done.node)

    def _alias(self, event: Any, span: Span) -> None:
        known = self._anchors.get(event.anchor)
        if known is None:
            inside = any(o.anchor == event.anchor for o in self._stack)
            what = f"alias *{event.anchor} stands inside its own anchor" if inside else f"no anchor &{event.anchor}"
            self._stop("BF106", what, span, None)
        node, size = known
        self._aliased += size
        self._nodes += size
        if self._aliased > MAX_ALIASED_NODES:
            self._stop(
                "BF104",
                f"aliases expand to more than {MAX_ALIASED_NODES:,} nodes",
                span,
                "use fewer or smaller aliases",
            )
        if self._expects_key():
            self._stop("BF105", "a key must be text", span, "write the key out")
        self._add(Node(node.value, node.span, node.key, node.raw))

    def _scalar(self, event: Any, span: Span) -> None:
        self._count(span)
        text: str = event.value
        plain = event.implicit[0] and not event.style
        if event.tag not in (None, "!", _CORE + "str"):
            self._refuse_tag(event.tag, span)
        if found := _PRIVATE_USE.search(text):  # also when written as an escape: \ue000 marks our placeholders
            what = f"character U+{ord(found[0]):04X} is from the private-use area"
            self._stop("BF101", what, span, "remove it: it has no meaning that two programs share")
        if self._expects_key():
            self._key(text, span, plain=plain and event.tag is None)
            return
        value: Any = text
        if plain and event.tag is None:
            value = self._implicit(text, span)
        node = Node(value, span, raw=text)
        if event.anchor:
            self._anchors[event.anchor] = (node, 1)
        self._add(node)

    def _key(self, text: str, span: Span, *, plain: bool) -> None:
        current = self._stack[-1]
        current.skip_value = False
        current.key = (text, span)
        if plain and (BOOL.fullmatch(text) or NULL.fullmatch(text)):
            self._problem("BF107", f"YAML reads the key {text} as {_reading(text)}", span, f'quote it: "{text}"')
        elif plain and text == _MERGE:
            current.key = (None, span)
        elif plain and (INT.fullmatch(text) or FLOAT.fullmatch(text)):
            self._problem("BF107", f"YAML reads the key {text} as a number", span, f'quote it: "{text}"')
        elif text in current.node.value:  # type: ignore[operator]  # only mappings expect keys
            first: Node = current.node.value[text]  # type: ignore[index,call-overload,assignment]
            where = first.key or first.span
            self._problem("BF108", f"key {text!r} stands here and in line {where.line}", span, "remove one of the two")
            current.skip_value = True

    def _add(self, node: Node) -> None:
        if not self._stack:
            self._root = node
            return
        current = self._stack[-1]
        container = current.node.value
        if isinstance(container, list):
            container.append(node)
            return
        assert isinstance(container, dict)
        assert current.key is not None
        (key, span), current.key = current.key, None
        if key is None:
            self._merge(current, node)
        elif not current.skip_value:
            container[key] = Node(node.value, node.span, span, node.raw)

    def _merge(self, current: _Open, node: Node) -> None:
        sources = node.value if isinstance(node.value, list) else [node]
        for source in sources:
            if not source.is_mapping:
                self._problem("BF105", "<< takes a mapping, or a list of them", source.span, None)
            else:
                current.merges.append(source)

    def _expects_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].node.is_mapping and self._stack[-1].key is None

    def _count(self, span: Span) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop("BF104", f"more than {MAX_NODES:,} values", span, "keep data out of the pipeline")

    def _implicit(self, text: str, span: Span) -> Any:
        """Return what YAML 1.1 reads a plain scalar as, or a problem where that is probably not what was meant."""
        if NULL.fullmatch(text):
            return None
        if BOOL.fullmatch(text):
            if text.lower() not in ("true", "false"):
                want = _reading(text)
                self._problem("BF107", f"YAML reads {text} as {want}", span, f'write {want}, or "{text}" for the text')
            return text.lower() in ("true", "yes", "on")
        if INT.fullmatch(text):
            if _PLAIN_NUMBER.fullmatch(text) and len(text) <= 19:
                return int(text)
            self._problem("BF107", *_odd_integer(text, span))
            return 0
        if FLOAT.fullmatch(text):
            if ":" in text or "_" in text:
                shown = text[:40]
                self._problem("BF107", f"YAML reads {shown} as another number", span, f'quote it: "{shown}"')
                return 0.0
            number = math.nan if text.lower().endswith(("inf", "nan")) else float(text)
            if not math.isfinite(number):
                self._problem("BF107", f"{text[:40]} is no number that JSON can hold", span, f'quote it: "{text[:40]}"')
            return number
        return text

    def _refuse_tag(self, tag: str, span: Span) -> NoReturn:
        self._stop("BF109", f"tag {tag.replace(_CORE, '!!')} is not allowed", span, "remove the tag")

    def _problem(self, code: str, summary: str, span: Span, hint: str | None) -> None:
        self.problems.append(Diagnostic(code, summary, hint=hint, span=span))
        if len(self.problems) >= MAX_PROBLEMS:
            raise PipelineError(self.problems)

    def _stop(self, code: str, summary: str, span: Span, hint: str | None) -> NoReturn:
        raise PipelineError([*self.problems, Diagnostic(code, summary, hint=hint, span=span)])


def _reading(text: str) -> str:
    if NULL.fullmatch(text):
        return "null"
    return "true" if text.lower() in ("true", "yes", "on") else "false"


def _odd_integer(text: str, span: Span) -> tuple[str, Span, str]:
    digits = text.lstrip("+-").replace("_", "")
    if len(text) > 40 or (len(digits) > 19 and digits.isdigit() and digits[0] != "0"):
        return f"{text[:12]}… is a number of {len(digits)} digits", span, "quote it to make it text"
    if ":" in text:
        total = 0
        for part in digits.split(":"):
            total = total * 60 + int(part)
        return f"YAML reads {text} as {total}, a number to base 60", span, f'quote it: "{text}"'
    if digits.startswith("0") and digits[1:2] not in ("x", "b"):
        return f"YAML reads {text} as {int(digits, 8)}, a number to base 8", span, f'quote it: "{text}"'
    return f"YAML reads {text} as another number", span, f'write it in plain digits, or quote it: "{text}"'


# ------------------------------------------------------------------ syntax errors


_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # where YAML begins a line


def _syntax_error(error: yaml.MarkedYAMLError, text: str, file: str) -> Diagnostic:
    open_quote = "unexpected end of stream" in (error.problem or "")
    mark = (error.context_mark if open_quote else None) or error.problem_mark or error.context_mark
    lines = _BREAK.split(text)
    line = min(mark.line if mark else 0, len(lines) - 1)
    source = lines[line]
    span = Span(file, line + 1, (mark.column if mark else 0) + 1)
    if found := _quoted_references(source):
        fixed, column = found
        quoted = f"write: {fixed.strip()}"
        place = Span(file, line + 1, column)
        return Diagnostic("BF110", "a ${…} inside { } or [ ] must be quoted", hint=quoted, span=place)
    if "\t" in source[: len(source) - len(source.lstrip())]:
        return Diagnostic("BF101", "YAML does not allow a tab in the indent", hint="use spaces", span=span)
    hint = _syntax_hint(error, source, span)
    return Diagnostic("BF101", f"this is not YAML: {_first_line(error)}", hint=hint, span=span)


def _first_line(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).split("\n", 1)[0]
    context = getattr(error, "context", None)
    return f"{problem} {context}" if context else str(problem)


def _syntax_hint(error: yaml.MarkedYAMLError, source: str, span: Span) -> str | None:
    problem = error.problem or ""
    character = source[span.column - 1 : span.column]
    if "<<<<<<<" in source or ">>>>>>>" in source or "=======" in source:
        return "this looks like an unfinished merge"
    if "mapping values are not allowed" in problem:
        return "quote the value when it contains ': ', or mend the indent"
    if re.search("find expected (key|':'|'-')|expected <block end>", problem):
        return "look at the indent of this line and the one before, and for a missing ':' or '- '"
    if "cannot start any token" in problem and character in ("@", "`", "%"):
        return f"quote a value that starts with {character}"
    if "expected alphabetic or numeric character" in problem:
        return "quote a value that starts with * or &"
    if "unknown escape character" in problem:
        return "in double quotes a \\ begins an escape: use single quotes, '…'"
    if (bracket := re.search("find expected ',' or '(.)'", problem)) is not None:
        opened = error.context_mark
        where = f" in line {opened.line + 1}" if opened is not None and opened.line + 1 < span.line else ""
        return f"close it{where} with {bracket[1]}, or quote a value that has more in it than a word"
    if "found unexpected end of stream" in problem:
        return "a quote is opened and never closed"
    return None


_FLOW_VALUE = re.compile(  # a comment, a quoted text, or what is before a plain value, and the value
    r"""(?<=\s)\#.*|"[^"]*"|'[^']*'|(?<=[\[{,])(?P<before>(?>\s*(?:[\w.-]+\s*:\s+)?))"""
    r"""(?P<value>(?!["'\s])(?:\$\{[^{}"]*\}|[^,\[\]{}"$]|\$(?!\{))+)(?=[,\]}]|$)"""
)


def _quoted_references(line: str) -> tuple[str, int] | None:
    """Return *line* with the values quoted that hold a bare `${…}` inside braces or brackets, if there are any.

    And the column of the first such `${`.
    """
    opening = min((i for i in (line.find("{"), line.find("[")) if i >= 0), default=-1)
    if opening < 0 or "${" not in line or line[opening - 1 : opening + 1] == "${":
        return None
    bare = [m.start("value") + m["value"].find("${") for m in _FLOW_VALUE.finditer(line, opening) if _is_bare(m)]
    return (line[:opening] + _FLOW_VALUE.sub(_quoted, line[opening:]), bare[0] + 1) if bare else None


def _is_bare(match: re.Match[str]) -> bool:
    return match["value"] is not None and "${" in match["value"]


def _quoted(match: re.Match[str]) -> str:
    if not _is_bare(match):
        return match[0]
    value = match["value"].rstrip()
    return f'{match["before"]}"{value}"{match["value"][len(value) :]}'
