"""Diagnostics in the formats of other programs: SARIF for code scanning, annotations for GitHub's pull requests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from buzzflow.diagnostics import Diagnostic
from buzzflow.views.problems import is_file, without_values

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def github(diagnostics: Iterable[Diagnostic]) -> str:
    """Return one workflow command for each diagnostic: a pull request shows it on the line.

    Source: GitHub Docs, "Workflow commands for GitHub Actions", setting an error message.
    """
    return "\n".join(map(_annotation, diagnostics))


def _annotation(diagnostic: Diagnostic) -> str:
    properties = {"title": diagnostic.code}
    if (span := diagnostic.span) is not None and is_file(span):
        properties = {"file": span.file, "line": str(span.line), "col": str(span.column), **properties}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{diagnostic.severity} {told}::{_message(text(diagnostic))}"


def _message(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _message(value).replace(":", "%3A").replace(",", "%2C")


def text(diagnostic: Diagnostic) -> str:
    """Return summary, note and hint in one text."""
    shown = without_values(diagnostic)
    place = shown.span.file if shown.span is not None and not is_file(shown.span) else None
    more = (("at", place), ("note", shown.note), ("help", shown.hint))
    return "\n".join([shown.summary, *(f"{word}: {told}" for word, told in more if told)])


def sarif(diagnostics: Iterable[Diagnostic], *, version: str) -> dict[str, Any]:
    """Return a SARIF 2.1.0 log (OASIS, "Static Analysis Results Interchange Format")."""
    found = list(diagnostics)
    rules = [{"id": code} for code in sorted({d.code for d in found})]
    driver = {"name": "buzzflow", "version": version, "rules": rules}
    results = [_result(d) for d in found]
    return {"$schema": _SARIF, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _result(diagnostic: Diagnostic) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "level": diagnostic.severity.value,
        "message": {"text": text(diagnostic)},
    }
    if (span := diagnostic.span) is not None and is_file(span):
        region = {"startLine": span.line, "startColumn": span.column}
        location = {"artifactLocation": {"uri": span.file.replace("\\", "/")}, "region": region}
        result["locations"] = [{"physicalLocation": location}]
    return result
