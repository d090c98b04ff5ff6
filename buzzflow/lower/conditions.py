"""Read the text of a condition: comparisons of references and literals, joined by and, or, not.

`not` binds before `and`, `and` before `or`; comparisons do not chain. Nothing is evaluated here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from buzzflow import ir
from buzzflow.template import Reference, Template

MAX_DEPTH = 40
MAX_DIGITS = 40
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?(?![\w.]))"
    r"|'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\""
    r"|(?P<operator>==|!=|<=|>=|<>|<|>)|(?P<mark>[()\[\],])"
    r"|(?P<word>[A-Za-z_][\w.:-]*)|(?P<strange>\S))"
)
_FIXES = {"=": "==", "&": "and", "|": "or", "!": "not", "~": "not"}
_KEYWORDS = frozenset(("and", "or", "not", "in"))


class ConditionError(Exception):
    """The text is no condition; *hint* is how to mend it."""

    def __init__(self, summary: str, hint: str | None = None) -> None:
        super().__init__(summary)
        self.summary, self.hint = summary, hint


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # reference, number, text, truth, operator, mark, keyword, end
    value: object
    shown: str


def read_condition(text: str | Template, look_up: Callable[[Reference], ir.Reference]) -> ir.Test:
    """Return the test that *text* means; *look_up* gives its references their meaning."""
    return _Parser(_tokens(text, look_up)).whole()


def _tokens(text: str | Template, look_up: Callable[[Reference], ir.Reference]) -> list[_Token]:
    parts = text.parts if isinstance(text, Template) else (text,)
    for before, part, after in zip(("", *parts), parts, (*parts[1:], ""), strict=False):
        if isinstance(part, Reference) and str(before)[-1:] in ("'", '"') and str(before)[-1:] == str(after)[:1]:
            raise ConditionError(f"{part} is quoted, so it would be text", f"remove the quotes around {part}")
    found: list[_Token] = []
    for part in parts:
        if isinstance(part, Reference):
            found.append(_Token("reference", look_up(part), str(part)))
        else:
            found += _literals(part)
    return [*found, _Token("end", None, "the end")]


def _literals(text: str) -> list[_Token]:
    tokens, end = [], 0
    while end < len(text) and text[end:].strip():
        match = _TOKEN.match(text, end)
        assert match is not None  # `strange` takes any character
        tokens.append(_token(match, text))
        end = match.end()
    return tokens


def _token(match: re.Match[str], text: str) -> _Token:
    shown = match[0].strip()
    if match["number"] is not None:
        return _Token("number", _number(match["number"]), shown)
    if match["single"] is not None or match["double"] is not None:
        quoted = match["single"] if match["single"] is not None else match["double"]
        return _Token("text", quoted, shown)
    if match["operator"] == "<>":
        raise ConditionError("<> is no operator here", "write !=")
    if match["operator"]:
        return _Token("operator", match["operator"], shown)
    if match["mark"]:
        return _Token("mark", match["mark"], shown)
    if word := match["word"]:
        return _word(word, shown)
    raise _strange(match["strange"], text)


def _number(text: str) -> int | float:
    if len(text) > MAX_DIGITS or not math.isfinite(float(text)):
        raise ConditionError(f"{text[:12]}… is a number that JSON cannot hold", "write a smaller one")
    return float(text) if re.search(r"[.eE]", text) else int(text)


def _word(word: str, shown: str) -> _Token:
    if word in _KEYWORDS:
        return _Token("keyword", word, shown)
    if word.lower() in ("true", "false"):
        return _Token("truth", word.lower() == "true", shown)
    if word.lower() in _KEYWORDS:
        raise ConditionError(f"{word} is written {word.lower()}", f"write {word.lower()}")
    if "." in word:
        raise ConditionError(
            f"{word} is a bare word",
            f"a value of a report is ${{json:{word}}}, an output ${{step:…}}, text is '{word}'",
        )
    raise ConditionError(f"{word} is a bare word", f"a parameter is ${{param:{word}}}, text is '{word}'")


def _strange(character: str, text: str) -> ConditionError:
    if character in "'\"":
        return ConditionError("a quote is opened and never closed", f"close it with {character}")
    if (fix := _FIXES.get(character)) is not None:
        written = character * 2 if character * 2 in text and character in "&|" else character
        return ConditionError(f"{written} is no operator here", f"write {fix}")
    return ConditionError(f"{character} has no meaning in a condition", "it takes == != < <= > >= in, and or not, ( )")


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> ir.Test:
        if self._next.kind == "end":
            raise ConditionError("the condition is empty", "write ${json:step.report.value} >= 0.75")
        test = self._or()
        if self._next.kind != "end":
            raise self._unexpected()
        return test

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at += 1
        return token

    def _is(self, kind: str, value: str) -> bool:
        return self._next.kind == kind and self._next.value == value

    def _or(self) -> ir.Test:
        tests = [self._and()]
        while self._is("keyword", "or"):
            self._take()
            tests.append(self._and())
        return tests[0] if len(tests) == 1 else ir.Any(tuple(tests))

    def _and(self) -> ir.Test:
        tests = [self._not()]
        while self._is("keyword", "and"):
            self._take()
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else ir.All(tuple(tests))

    def _not(self) -> ir.Test:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ConditionError(f"nested deeper than {MAX_DEPTH} levels", "split it into several conditions")
        try:
            if self._is("keyword", "not"):
                self._take()
                inner = self._not()
                return inner.test if isinstance(inner, ir.Not) else ir.Not(inner)
            if self._is("mark", "("):
                self._take()
                test = self._or()
                self._close(")")
                return test
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> ir.Test:
        left = self._operand()
        if self._next.kind == "operator":
            operator = str(self._take().value)
            right = self._operand()
            if self._next.kind == "operator":
                raise ConditionError("comparisons do not chain", "write a < b and b < c")
            return _compared(operator, left, right)
        negated = self._is("keyword", "not")
        if negated:
            self._take()
            if not self._is("keyword", "in"):
                raise self._unexpected()
        if self._is("keyword", "in"):
            self._take()
            member = ir.Membership(left, self._options())
            return ir.Not(member) if negated else member
        if isinstance(left, bool):
            return ir.Comparison("==", left, right=True)
        if isinstance(left, str | int | float) or left.kind not in (ir.Kind.BOOLEAN, ir.Kind.UNKNOWN):
            raise ConditionError(f"{self._tokens[self._at - 1].shown} alone is no condition", "compare it: == …")
        return ir.Comparison("==", left, right=True)

    def _operand(self) -> ir.Operand:
        token = self._next
        if token.kind in ("reference", "number", "text", "truth"):
            self._take()
            return token.value  # type: ignore[return-value]  # these kinds hold operands
        raise self._unexpected()

    def _options(self) -> tuple[ir.Operand, ...]:
        if not self._is("mark", "["):
            raise ConditionError("in takes a list", "write in ['a', 'b']")
        self._take()
        options = [self._operand()]
        while self._is("mark", ","):
            self._take()
            options.append(self._operand())
        self._close("]")
        return tuple(options)

    def _close(self, mark: str) -> None:
        if not self._is("mark", mark):
            raise ConditionError(f"{self._next.shown} stands where {mark} should close", f"add {mark}")
        self._take()

    def _unexpected(self) -> ConditionError:
        token = self._next
        if token.kind == "end":
            return ConditionError("the condition ends too early", "a value is missing at its end")
        return ConditionError(f"{token.shown} stands where it cannot", "a condition is value operator value")


def _compared(operator: str, left: ir.Operand, right: ir.Operand) -> ir.Test:
    kinds = {_family(left), _family(right)} - {None}
    if len(kinds) > 1:
        a, b = sorted(str(k) for k in kinds)
        raise ConditionError(
            f"a {a} is compared with a {b}",
            _unquote_hint(left, right) or "quote numbers that are text: '5'; unquote those that are not",
        )
    if operator not in ("==", "!=") and kinds & {"text", "truth value"}:
        raise ConditionError(
            f"{operator} compares numbers, not a {kinds.pop()}", _unquote_hint(left, right) or "use == or !="
        )
    match operator:
        case "!=":
            return ir.Not(ir.Comparison("==", left, right))
        case "==" | "<" | "<=" | ">" | ">=":
            return ir.Comparison(operator, left, right)
        case _:
            raise AssertionError(operator)


def _unquote_hint(left: ir.Operand, right: ir.Operand) -> str | None:
    """Return how to mend a number that is written as text, beside something that is none."""
    for text, other in ((left, right), (right, left)):
        if (
            isinstance(text, str)
            and re.fullmatch(r"[-+]?\d{1,20}(\.\d{1,20})?", text)
            and _family(other) in ("number", None)
        ):
            return f"write {text} without quotes"
    return None


def _family(operand: ir.Operand) -> str | None:
    match operand:
        case bool():
            return "truth value"
        case int() | float():
            return "number"
        case str():
            return "text"
        case _:
            return {
                ir.Kind.NUMBER: "number",
                ir.Kind.BOOLEAN: "truth value",
                ir.Kind.UNKNOWN: None,
            }.get(operand.kind, "text")
