"""What the service refuses in a text: its length, its words, its form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from buzzflow.backends.sagemaker.service.patterns import can_match
from buzzflow.backends.sagemaker.service.placeholders import KnownText
from buzzflow.backends.sagemaker.service.problem import RequestProblem, shortened, subject
from buzzflow.backends.sagemaker.service.shapes import Shape
from buzzflow.diagnostics import Path, Severity, closest, did_you_mean

_INSTANCE = re.compile(r"(ml\.[a-z0-9-]+)\.([a-z0-9-]+)")
_HINTS = {
    "(https|s3)://": "write an address in S3: s3://bucket/folder/",
    "arn:aws[a-z\\-]*:iam::": "write the ARN of a role: arn:aws:iam::111122223333:role/name",
}


@lru_cache(maxsize=4096)  # the same buckets, roles and variables stand in many steps, and in many pipelines of a tree
def is_taken(shape: Shape, text: str) -> bool:
    """Whether nothing is wrong with *text*, all of which is known."""
    return not any(text_problems(shape, KnownText(text, len(text), whole=True), ()))


def text_problems(shape: Shape, text: KnownText, path: Path) -> Iterator[RequestProblem]:
    """Yield the first thing that is wrong with *text*, if one is certain."""
    if problem := _length(shape, text, path):
        yield problem
    elif shape.enum and text.whole:
        if text.start not in shape.enum:
            yield _no_word(shape, text.start, path)
    elif shape.pattern is not None and not can_match(shape.pattern, text):
        yield _no_match(shape, shape.pattern, text, path)


def _length(shape: Shape, text: KnownText, path: Path) -> RequestProblem | None:
    least = "" if text.whole else "at least "
    if shape.high is not None and text.length > shape.high:
        summary = f"{subject(path)} has {least}{text.length} characters, and the service takes {shape.high}"
        return RequestProblem("BF435", summary, path, "make it shorter")
    if shape.low is not None and text.whole and text.length < shape.low:
        summary = f"{subject(path)} has {text.length} characters, and the service takes at least {shape.low}"
        return RequestProblem("BF435", summary, path, "make it longer, or leave it out")
    return None


def _no_word(shape: Shape, word: str, path: Path) -> RequestProblem:
    """Tell of a word that the model lacks: an error only if it is certainly a slip, since services learn new words."""
    close = closest(word, shape.enum)
    hint = did_you_mean(word, shape.enum, label="the service knows")
    summary = f"{subject(path)} is {_shown(shape, word)}, which the service does not know"
    if not word or (close is not None and _is_slip(word, close, shape.enum)):
        return RequestProblem("BF433", summary, path, hint)
    hint = f"right if it is newer than buzzflow's table; else {hint}"
    return RequestProblem("BF433", summary, path, hint, Severity.WARNING)


def _is_slip(word: str, close: str, known: tuple[str, ...]) -> bool:
    """Whether *word* is *close* mistyped: new families of instances and new versions look alike too."""
    if match := _INSTANCE.fullmatch(word):
        families = {name.rpartition(".")[0] for name in known}
        return match[1] in families
    return re.findall(r"\d+", word) == re.findall(r"\d+", close)


def _no_match(shape: Shape, pattern: str, text: KnownText, path: Path) -> RequestProblem:
    begins = "is" if text.whole else "begins with"
    summary = f"{subject(path)} {begins} {_shown(shape, text.start)}, which the service does not take there"
    hint = next((h for start, h in _HINTS.items() if pattern.startswith(start)), f"it must match {pattern}")
    if "\n" in text.start and not text.start.startswith("\n") and can_match(pattern, _one_line(text)):
        hint = "write it on one line"
    return RequestProblem("BF434", summary, path, hint)


def _one_line(text: KnownText) -> KnownText:
    return KnownText(text.start.replace("\n", " ").strip(), text.length, text.whole)


def _shown(shape: Shape, text: str) -> str:
    return "a secret" if shape.sensitive else repr(shortened(text))
